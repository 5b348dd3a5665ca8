import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { mnemonicToAccount } from 'viem/accounts';
import { createFaultyProxy } from '../../conformance/proxy.ts';
import { isObject } from '../../document-reader.ts';
import { pause } from '../../pause.ts';
import { createHeadWatch } from './head-watch.ts';
import { asHex, asNumber, createJsonRpc, type Hex, type JsonRpc } from './json-rpc.ts';
import { createTransactionSender, type TransactionSender } from './transaction-sender.ts';

const account = mnemonicToAccount('test test test test test test test test test test test junk');
const PAYEE: Hex = '0x00000000000000000000000000000000000000aa';

test('transactions of one account on a real node', async (t) => {
  const node = await startAnvil(t);
  const rpc = createJsonRpc({ url: node, system: 'chain', timeoutMs: 5_000 });
  t.after(() => rpc.close());

  await t.test('many are in flight at once, each with its own nonce, and all are mined', async (group) => {
    const { sender } = open(group, node);
    const sent = Array.from({ length: 100 }, (_, i) => sender.send(call(i)));
    await mineUntil(rpc, Promise.all(sent));
    const mined = await Promise.all(sent);
    assert.equal(new Set(mined.map(({ hash }) => hash)).size, 100);
    assert.ok(mined.every(({ reverted }) => !reverted));
  });

  await t.test('the same call while it is in flight is one transaction; afterwards it is another', async (group) => {
    const { sender } = open(group, node);
    const before = await count(rpc);
    const both = Promise.all([sender.send(call('same')), sender.send(call('same'))]);
    await mineUntil(rpc, both);
    const [one, two] = await both;
    assert.equal(one.hash, two.hash);
    assert.equal(await count(rpc), before + 1);
    await mineUntil(rpc, sender.send(call('same')));
    assert.equal(await count(rpc), before + 2);
  });

  await t.test(
    'F42 what an earlier life left in the pool beyond a gap is kept, the gap is filled, and nothing waits for ever',
    async (group) => {
      const nonce = await count(rpc);
      for (const ahead of [1, 3])
        await rpc.call('eth_sendRawTransaction', [await signedAt(rpc, nonce + ahead, call(`left-${ahead}`).data)]);
      const { sender } = open(group, node);
      const sent = Promise.all(Array.from({ length: 4 }, (_, i) => sender.send(call(`after-${i}`))));
      await mineUntil(rpc, sent);
      assert.ok((await sent).every(({ reverted }) => !reverted));
      assert.equal(await count(rpc), nonce + 6);
    },
  );

  await t.test('F42 a gap that opens below is filled', async (group) => {
    const nonce = await count(rpc);
    // Left by an earlier life, so this one begins after it; then the node forgets it, and nobody else has it any more.
    const left = await rpc.call('eth_sendRawTransaction', [await signedAt(rpc, nonce, call('left').data)]);
    const { sender } = open(group, node);
    const sent = sender.send(call('beyond'));
    await until('both in the pool', async () => ((await pooled(rpc)).length === 2 ? true : undefined));
    await rpc.call('anvil_dropTransaction', [left]);
    await mineUntil(rpc, sent);
    assert.equal(await count(rpc), nonce + 2);
  });

  await t.test('F42 a transaction that the node forgot is sent again', async (group) => {
    const { sender } = open(group, node);
    const sent = sender.send(call('forgotten'));
    const [hash] = await poolHashes(rpc);
    await rpc.call('anvil_dropTransaction', [hash]);
    assert.deepEqual(await pooled(rpc), []);
    await mineUntil(rpc, sent);
    assert.equal((await sent).hash, hash);
  });

  await t.test(
    'F42 a stuck transaction is replaced by the same call for a higher fee, and happens once',
    async (group) => {
      const { sender } = open(group, node, 200);
      const before = await count(rpc);
      const sent = sender.send(call('stuck'));
      const [first] = await poolHashes(rpc);
      const replaced = await until('a replacement', async () => (await pooled(rpc)).find((one) => one.hash !== first));
      assert.equal(replaced.input, call('stuck').data);
      await mineUntil(rpc, sent);
      assert.notEqual((await sent).hash, first);
      assert.equal(await count(rpc), before + 1);
    },
  );

  await t.test('a revert is told from the receipt', async (group) => {
    const { sender } = open(group, node);
    const contract = await deployReverting(rpc, sender);
    const reverted = sender.send({ to: contract, data: '0x01', gas: 100_000n });
    await mineUntil(rpc, reverted);
    assert.equal((await reverted).reverted, true);
  });

  await t.test(
    'without an answer it is a fault; the transaction may happen all the same, and the next nonce is right',
    async (group) => {
      const proxy = await createFaultyProxy(node);
      group.after(() => proxy[Symbol.asyncDispose]());
      const { sender } = open(group, proxy.url);
      await mineUntil(rpc, sender.send(call('way')));
      const before = await count(rpc);
      proxy.mode = 'drop-answers';
      await assert.rejects(sender.send(call('lost')), (error) => error instanceof Fault && error.mayHaveHappened);
      proxy.mode = 'pass';
      const both = Promise.all([sender.send(call('lost')), sender.send(call('further'))]);
      await mineUntil(rpc, both);
      assert.equal(await count(rpc), before + 2);
    },
  );

  await t.test('what the node will never take is a fault, and does not hold up what comes after it', async (group) => {
    const { sender } = open(group, node);
    await assert.rejects(sender.send({ ...call('too much'), gas: 10_000_000_000n }), Fault);
    await mineUntil(rpc, sender.send(call('next')));
  });
});

function open(t: TestContext, url: string, stuckMs = 60_000): { readonly sender: TransactionSender } {
  const rpc = createJsonRpc({ url, system: 'chain', timeoutMs: 5_000 });
  const head = createHeadWatch({ rpc, confirmations: 0, pollingMs: { busy: 5, idle: 20 } });
  const sender = createTransactionSender({ rpc, head, account, system: 'chain', stuckMs });
  t.after(async () => {
    sender.close();
    head.close();
    await rpc.close();
  });
  return { sender };
}

function call(what: number | string): { readonly to: Hex; readonly data: Hex; readonly gas: bigint } {
  return { to: PAYEE, data: `0x${Buffer.from(`call ${what}`).toString('hex')}`, gas: 100_000n };
}

async function count(rpc: JsonRpc): Promise<number> {
  return asNumber(await rpc.call('eth_getTransactionCount', [account.address, 'latest']));
}

async function signedAt(rpc: JsonRpc, nonce: number, data: Hex): Promise<Hex> {
  const gasPrice = BigInt(asHex(await rpc.call('eth_gasPrice', [])));
  return account.signTransaction({ type: 'legacy', chainId: 31_337, nonce, gasPrice, gas: 100_000n, to: PAYEE, data });
}

/** Cuts blocks until something has come about. The node mines only when told to. */
async function mineUntil(rpc: JsonRpc, what: Promise<unknown>): Promise<void> {
  let done = false;
  const ended = what.finally(() => {
    done = true;
  });
  await until('the transactions in a block', async () => {
    if (!done) await rpc.call('evm_mine', []);
    return done ? true : undefined;
  });
  await ended;
}

type Pooled = { readonly hash: string; readonly input: string };

async function pooled(rpc: JsonRpc): Promise<Pooled[]> {
  const content = await rpc.call('txpool_content', []);
  const pending = isObject(content) && isObject(content['pending']) ? Object.values(content['pending']) : [];
  return pending.filter(isObject).flatMap((byNonce) =>
    Object.values(byNonce)
      .filter(isObject)
      .map((one) => ({ hash: String(one['hash']), input: String(one['input']) })),
  );
}

function poolHashes(rpc: JsonRpc): Promise<string[]> {
  return until('a transaction in the pool', async () => {
    const hashes = (await pooled(rpc)).map(({ hash }) => hash);
    return hashes.length > 0 ? hashes : undefined;
  });
}

/** A contract whose every call reverts. */
async function deployReverting(rpc: JsonRpc, sender: TransactionSender): Promise<Hex> {
  // A filler of our own keeps the sender's nonces right: the deployment is another account's.
  const deployer = mnemonicToAccount('test test test test test test test test test test test junk', {
    addressIndex: 1,
  });
  const nonce = asNumber(await rpc.call('eth_getTransactionCount', [deployer.address, 'latest']));
  const gasPrice = BigInt(asHex(await rpc.call('eth_gasPrice', [])));
  const raw = await deployer.signTransaction({
    type: 'legacy',
    chainId: 31_337,
    nonce,
    gasPrice,
    gas: 200_000n,
    data: '0x6005600b60003960056000f360006000fd',
  });
  const hash = await rpc.call('eth_sendRawTransaction', [raw]);
  await mineUntil(rpc, sender.send(call('beside the deployment')));
  const receipt = await rpc.call('eth_getTransactionReceipt', [hash]);
  assert.ok(isObject(receipt));
  return asHex(receipt['contractAddress']);
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const limit = AbortSignal.timeout(20_000);
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    assert.ok(!limit.aborted, `no ${what} came about`);
    await pause(10, limit);
  }
}

async function startAnvil(t: TestContext): Promise<string> {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const manifest = createRequire(import.meta.url).resolve(
    `@foundry-rs/anvil-${process.platform}-${architecture}/package.json`,
  );
  const options = ['--no-mining', '--prune-history', '--port', '0', '--host', '127.0.0.1'];
  const child = spawn(join(dirname(manifest), 'bin', 'anvil'), options, { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /^Listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stdout.resume();
    return `http://${address}`;
  }
  throw new Error('the node did not start');
}
