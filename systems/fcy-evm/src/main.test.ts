import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { Hex } from 'viem';
import { isHex, keccak256 } from 'viem';

import type { FcyEvmConfig } from './config.ts';
import { balanceOf, blockHashes, sendBatch, signTransfers } from './test-support/chain-state.ts';
import type { MainProcess } from './test-support/main-process.ts';
import { parentOf, runMain, startMain, waitUntilGone } from './test-support/main-process.ts';
import { rpcResult, waitForReceipt } from './test-support/rpc.ts';
import { fixtureConfig, keyAt, openingBalance, owner, payee } from './test-support/token-fixture.ts';

const sender = keyAt(20);

let folder: string;
let config: FcyEvmConfig;
const running: MainProcess[] = [];
before(() => void (folder = mkdtempSync(join(tmpdir(), 'fcy-main-'))));
beforeEach(() => {
  const base = fixtureConfig(mkdtempSync(join(folder, 'data-')));
  config = { ...base, accounts: [{ mnemonicIndex: 20, balance: 100_000n, operators: [] }] };
});
after(async () => {
  for (const { pid } of running) await killAndWait(pid);
  rmSync(folder, { recursive: true });
});

test('after kill -9 in the middle of the work, a restart has the same blocks and loses nothing acknowledged', async () => {
  const first = await start();
  const transfers = await signTransfers(sender, token(first), payee.address, 0, 600);
  const acknowledged = (
    await Promise.all(chunks(transfers.slice(0, 300), 50).map((some) => sendBatch(first.url, some)))
  ).flat();
  const seen = await blockHashes(first.url);
  // These are under way when the process dies: some are journalled, some are not, and their senders never hear.
  const unheard = chunks(transfers.slice(300), 50).map((some) => sendBatch(first.url, some).catch(() => []));
  await kill(first);
  await Promise.all(unheard);

  const second = await start();
  const restored = await blockHashes(second.url);
  assert.deepEqual(restored.slice(0, seen.length), seen);
  for (const hash of acknowledged) assert.equal((await waitForReceipt(second.url, hash)).status, '0x1');
  // Sending everything again is safe: what is there already is refused by its nonce.
  for (const some of chunks(transfers, 100)) await sendBatch(second.url, some);
  for (const transfer of transfers) await waitForReceipt(second.url, keccak256(transfer));
  assert.equal(await balanceOf(second.url, second.token, payee.address), 600n);
  const complete = await blockHashes(second.url);
  await kill(second);

  const third = await start();
  assert.deepEqual(await blockHashes(third.url), complete);
  assert.equal(await balanceOf(third.url, third.token, payee.address), 600n);
  await kill(third);
});

test('two thousand transactions of one sender without waiting are mined, in few blocks', async () => {
  const system = await start();
  const transfers = await signTransfers(sender, token(system), payee.address, 0, 2_000);
  const said = await Promise.all(chunks(transfers, 250).map((some) => sendBatch(system.url, some)));
  assert.deepEqual(
    said.flat().map(isTransactionHash),
    transfers.map(() => true),
  );
  await waitForReceipt(system.url, keccak256(transfers.at(-1) ?? '0x'));
  assert.equal(await balanceOf(system.url, system.token, payee.address), 2_000n);
  assert.ok((await blockHashes(system.url)).length < 500);
  await kill(system);
});

test('transactions that come before their nonce wait for it, also across a kill', async () => {
  const first = await start();
  const [one, two, three] = await signTransfers(sender, token(first), payee.address, 0, 3);
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  await sendBatch(first.url, [three]);
  await sendBatch(first.url, [two]);
  const seen = await blockHashes(first.url);
  await kill(first);
  const second = await start();
  assert.deepEqual((await blockHashes(second.url)).slice(0, seen.length), seen);
  assert.equal(await balanceOf(second.url, second.token, payee.address), 0n);
  await sendBatch(second.url, [one]);
  await waitForReceipt(second.url, keccak256(three));
  assert.equal(await balanceOf(second.url, second.token, payee.address), 3n);
  await kill(second);
});

test('a torn last line of the journal is dropped', async () => {
  const first = await start();
  await transferAndWait(first, 3);
  const seen = await blockHashes(first.url);
  await kill(first);
  appendFileSync(join(config.dataDir, 'journal.jsonl'), '{"transactions":["0x12');
  const second = await start();
  assert.deepEqual(await blockHashes(second.url), seen);
  await kill(second);
});

test('a journal that was changed is noticed', async () => {
  const first = await start();
  await transferAndWait(first, 1);
  await kill(first);
  const path = join(config.dataDir, 'journal.jsonl');
  const lastLine = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1);
  appendFileSync(path, `${lastLine}\n`);
  const refused = await runMain(config);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^The replay differs: entry \d of the journal .*\n$/);
});

test('a journal that cannot be written ends the system in one sentence, and what was acknowledged stays', async () => {
  const first = await start(config, 100);
  const acknowledged: string[] = [];
  for (const some of chunks(await signTransfers(sender, token(first), payee.address, 0, 400), 20)) {
    const replies = await sendBatch(first.url, some).catch(() => []);
    acknowledged.push(...replies.filter(isTransactionHash));
  }
  const { code, stderr } = await first.ended;
  assert.equal(code, 1);
  assert.match(stderr, /^The journal .*journal\.jsonl cannot be written: EFBIG.*\n$/);
  await waitUntilGone(first.nodePid);
  const second = await start();
  for (const hash of acknowledged) await waitForReceipt(second.url, hash);
  assert.ok(acknowledged.length > 0 && acknowledged.length < 400);
  assert.equal(await balanceOf(second.url, second.token, payee.address), BigInt(acknowledged.length));
  await kill(second);
});

test('SIGTERM and SIGINT end the system and its node, and leave the folder free', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const system = await start();
    process.kill(system.pid, signal);
    assert.deepEqual(await system.ended, { code: 0, signal: null, stderr: '' });
    await waitUntilGone(system.nodePid);
  }
});

test('no way of dying leaves the node behind', async () => {
  const killed = await start();
  await kill(killed);

  const nodeless = await start();
  process.kill(nodeless.nodePid, 'SIGKILL');
  const withoutNode = await nodeless.ended;
  assert.equal(withoutNode.code, 1);
  assert.match(withoutNode.stderr, /The chain node \(anvil\) ended unexpectedly/);

  const keeperless = await start();
  process.kill(parentOf(keeperless.nodePid), 'SIGKILL');
  assert.equal((await keeperless.ended).code, 1);
  await waitUntilGone(keeperless.nodePid);

  // Both at once: only the next start can find what is left.
  const orphaned = await start();
  const keeper = parentOf(orphaned.nodePid);
  process.kill(orphaned.pid, 'SIGSTOP');
  process.kill(keeper, 'SIGKILL');
  process.kill(orphaned.pid, 'SIGKILL');
  await orphaned.ended;
  const next = await start();
  await waitUntilGone(orphaned.nodePid);
  await kill(next);
});

test('a taken port, a folder in use and a wrong configuration end the start with one sentence and code 1', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const taken = await runMain({ ...config, port: address.port });
  assert.deepEqual(taken, { code: 1, signal: null, stderr: `Port ${address.port} on 127.0.0.1 is already in use.\n` });
  await new Promise((resolve) => server.close(resolve));

  const system = await start();
  const second = await runMain(config);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /^The data folder .* is in use by another process .*\n$/);
  await kill(system);

  const wrong = await runMain({ ...config, chainId: -1, token: { name: '', symbol: 'USD', decimals: 2 } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^The configuration .*\/chainId must be .*; \/token\/name must be a text\n$/);
});

test('executors and operators that a later start adds are registered, and balances are not issued again', async () => {
  const first = await start();
  await kill(first);
  const operators = [owner.address];
  const second = await start({
    ...config,
    executors: [...config.executors, owner.address],
    accounts: [{ mnemonicIndex: 20, balance: openingBalance, operators }],
  });
  assert.equal(await balanceOf(second.url, second.token, sender.address), 100_000n);
  const logs = await rpcResult(second.url, 'eth_getLogs', [{ fromBlock: '0x2', toBlock: 'latest' }]);
  assert.ok(Array.isArray(logs));
  assert.equal(logs.length, 2);
  await kill(second);
});

async function start(own = config, fileBlocks?: number): Promise<MainProcess> {
  const system = await startMain(own, fileBlocks);
  running.push(system);
  return system;
}

async function kill(system: MainProcess): Promise<void> {
  process.kill(system.pid, 'SIGKILL');
  await system.ended;
  await waitUntilGone(system.nodePid);
}

async function transferAndWait(system: MainProcess, count: number): Promise<void> {
  const transfers = await signTransfers(sender, token(system), payee.address, 0, count);
  await sendBatch(system.url, transfers);
  for (const transfer of transfers) await waitForReceipt(system.url, keccak256(transfer));
}

/** For processes that a failed test left behind; most are long gone. */
async function killAndWait(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return;
  }
  await waitUntilGone(pid);
}

function token(system: MainProcess): Hex {
  if (!isHex(system.token)) throw new Error('The ready line has no token.');
  return system.token;
}

function isTransactionHash(text: string): boolean {
  return /^0x[0-9a-f]{64}$/.test(text);
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
