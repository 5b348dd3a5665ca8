import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { createHeadWatch } from './head-watch.ts';
import { createJsonRpc, type JsonRpc, RpcError } from './json-rpc.ts';

type Reply = { readonly result: unknown } | { readonly error: object };

test('a node in trouble gives no answer, so nobody takes it for a refusal of the call', async (t) => {
  for (const code of [-32_603, -32_005]) {
    const rpc = await rpcOf(t, () => ({ error: { code, message: 'The backend is gone.' } }));
    await assert.rejects(rpc.call('eth_call', []), (error) => error instanceof Fault && error.mayHaveHappened);
  }
});

test('a refusal is a refusal, whatever the code, when it carries the bytes of a revert', async (t) => {
  const revert = { code: -32_603, message: 'execution reverted', data: '0x08c379a0' };
  const rpc = await rpcOf(t, () => ({ error: revert }));
  await assert.rejects(rpc.call('eth_call', []), (error) => error instanceof RpcError && error.data === revert.data);
  const nonce = await rpcOf(t, () => ({ error: { code: -32_003, message: 'nonce too low' } }));
  await assert.rejects(nonce.call('eth_sendRawTransaction', []), RpcError);
});

test('whoever waits for blocks goes on waiting through every kind of error', async (t) => {
  const replies: Reply[] = [-32_603, -32_005, -32_000].map((code) => ({ error: { code, message: 'not now' } }));
  const rpc = await rpcOf(t, () => replies.shift() ?? { result: '0x7' });
  const head = createHeadWatch({ rpc, confirmations: 0, pollingMs: { busy: 1, idle: 1 } });
  t.after(() => head.close());
  assert.equal(await head.finalBeyond(-1, AbortSignal.timeout(10_000)), 7);
  assert.equal(replies.length, 0);
});

async function rpcOf(t: TestContext, reply: () => Reply): Promise<JsonRpc> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { id } = JSON.parse(body);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id, ...reply() }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const rpc = createJsonRpc({ url: `http://127.0.0.1:${address.port}`, system: 'chain', timeoutMs: 5_000 });
  t.after(() => rpc.close());
  return rpc;
}
