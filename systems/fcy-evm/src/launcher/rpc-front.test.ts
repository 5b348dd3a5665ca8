import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { tokenAbi } from '../compiled/token-abi.ts';
import { post, rpc, rpcResult } from '../test-support/rpc.ts';
import type { TokenFixture } from '../test-support/token-fixture.ts';
import { executor, fixtureConfig, openingBalance, openTokenFixture, payee } from '../test-support/token-fixture.ts';
import { startFcyEvm } from '../start-fcy-evm.ts';

let fixture: TokenFixture;
let url: string;
before(async () => {
  fixture = await openTokenFixture();
  url = fixture.system.url;
});
after(() => fixture.close());

test('what would change the chain beside the journal, or show its inside, is refused', async () => {
  const refused = [
    'anvil_setBalance',
    'anvil_mine',
    'evm_mine',
    'evm_snapshot',
    'evm_setNextBlockTimestamp',
    'hardhat_impersonateAccount',
    'debug_traceTransaction',
    'eth_sendTransaction',
    'eth_sendUnsignedTransaction',
    'eth_sendRawTransactionSync',
    'eth_sign',
    'personal_sign',
    'wallet_sendTransaction',
    'eth_subscribe',
    'nothing',
  ];
  const height = await rpc(url, 'eth_blockNumber', []);
  for (const method of refused) {
    const reply = await rpc(url, method, []);
    assert.equal(!reply.ok && reply.error.code, -32601, method);
  }
  assert.deepEqual(await rpc(url, 'eth_blockNumber', []), height);
});

test('a batch is answered in its order, with each call on its own', async () => {
  const call = (id: number | string, method: string) => ({ jsonrpc: '2.0', id, method, params: [] });
  const body = JSON.stringify([call(7, 'eth_chainId'), call('b', 'evm_mine'), 'junk', call(9, 'net_version')]);
  const replies = await post(url, body);
  assert.ok(Array.isArray(replies));
  assert.deepEqual(
    replies.map(({ id, result, error }) => ({ id, result, code: error?.code })),
    [
      { id: 7, result: '0x7a69', code: undefined },
      { id: 'b', result: undefined, code: -32601 },
      { id: null, result: undefined, code: -32600 },
      { id: 9, result: '31337', code: undefined },
    ],
  );
});

test('bodies that are no calls are refused, and cost nothing', async () => {
  const codes = [];
  for (const body of ['{', '[]', '7', 'null', '{"jsonrpc":"2.0","method":"eth_chainId"}']) {
    const reply = await post(url, body);
    codes.push(errorCodeOf(reply));
  }
  assert.deepEqual(codes, [-32700, -32600, -32600, -32600, -32600]);
  const tooLong = await fetch(url, { method: 'POST', body: 'x'.repeat(5 * 1024 * 1024) });
  assert.equal(tooLong.status, 413);
  assert.equal((await fetch(url, { method: 'PUT', body: '{}' })).status, 405);
});

test('beside JSON-RPC anybody may read the ABI, the addresses, and a page that needs no script and no other host', async () => {
  const read = async (path: string): Promise<Response> => {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'unsafe-inline';/,
    );
    return response;
  };
  assert.deepEqual(await (await read('/abi.json')).json(), tokenAbi);
  const { chainId, token, certificates, executors } = JSON.parse(await (await read('/addresses.json')).text());
  assert.equal(token, fixture.system.token);
  assert.equal(chainId, Number(await rpcResult(url, 'eth_chainId', [])));
  assert.deepEqual(certificates, fixture.config.certificates);
  assert.deepEqual(executors, fixture.config.executors);
  const page = await (await read('/')).text();
  assert.equal(await (await read('/docs')).text(), page);
  assert.doesNotMatch(page, /<script|<link|<img|@import|url\(|src=|https?:/);
  for (const told of [token, ...executors, ...certificates.signers, 'fenceCertified(', 'FencedOp('])
    assert.ok(page.includes(told), told);
  assert.equal((await fetch(`${url}/docs`, { method: 'HEAD' })).status, 200);
  assert.equal((await fetch(`${url}/journal.jsonl`)).status, 404);
});

test('a transaction that the node refuses gets the reason of the node, and one that is none never reaches it', async () => {
  const [first, write] = [await fixture.nonceOf(executor.address), ['approve', [payee.address, 1n]] as const];
  const raw = await fixture.sign(executor, first, write);
  assert.ok((await rpc(url, 'eth_sendRawTransaction', [raw])).ok);
  const again = await rpc(url, 'eth_sendRawTransaction', [raw]);
  assert.match(again.ok ? '' : again.error.message, /nonce too low|already imported/);
  const height = await rpc(url, 'eth_blockNumber', []);
  for (const params of [[], ['0x'], ['0xabc'], [7], [raw, raw], [`0x${'00'.repeat(200_000)}`]]) {
    const reply = await rpc(url, 'eth_sendRawTransaction', params);
    assert.equal(!reply.ok && reply.error.code, -32602);
  }
  const undecodable = await rpc(url, 'eth_sendRawTransaction', ['0x1234']);
  assert.match(undecodable.ok ? '' : undecodable.error.message, /decode/i);
  assert.deepEqual(await rpc(url, 'eth_blockNumber', []), height, 'what was refused makes no block');
});

test('the past is readable a little behind the head, where what is final stands', async () => {
  const { client, contract } = fixture;
  const payer = fixture.freshPayer();
  const before = await client.getBlockNumber();
  assert.equal(await fixture.act(payer, 'transfer', [payee.address, 100n]), 'done');
  const read = { ...contract, functionName: 'balanceOf', args: [payer.address] } as const;
  assert.equal(await client.readContract({ ...read, blockNumber: before }), openingBalance);
  assert.equal(await client.readContract(read), openingBalance - 100n);
});

test('a port that is taken and a folder that is in use are each said in one sentence', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const spare = await openTokenFixture();
  const config = spare.config;
  await assert.rejects(startFcyEvm(config), /^StartError: The data folder .* is in use by another process/);
  await spare.system.close();
  await assert.rejects(startFcyEvm({ ...config, port: address.port }), /^StartError: Port \d+ .* is already in use\.$/);
  const reopened = await startFcyEvm(config);
  await reopened.close();
  await new Promise((resolve) => other.close(resolve));
  await spare.close();
});

test('a chain of another configuration is refused', async () => {
  const spare = await openTokenFixture();
  await spare.system.close();
  const other = { ...fixtureConfig(spare.config.dataDir), chainId: 31_338 };
  await assert.rejects(startFcyEvm(other), /another configuration/);
  await spare.close();
});

function errorCodeOf(reply: unknown): unknown {
  assert.ok(typeof reply === 'object' && reply !== null && 'error' in reply);
  const { error } = reply;
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
