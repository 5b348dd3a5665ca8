import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { DomesticWebConfig } from './config.ts';
import {
  Api,
  assertBalanced,
  configFor,
  holdOf,
  id,
  listOf,
  number,
  position,
  problem,
  recordOf,
  signed,
  temporaryDir,
  text,
} from './test-support.ts';
import type { Reply } from './test-support.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

test('prints one line when it listens, and ends cleanly on SIGTERM and SIGINT', async (t) => {
  const { file } = writeConfig(t);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { child, url } = await startChild(t, file);
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
    child.kill(signal);
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  }
});

test('says in one sentence why it cannot start, and exits with 1', async (t) => {
  const { file, config, dir } = writeConfig(t);
  const { child, url } = await startChild(t, file);
  const other = (name: string, changes: object) => {
    const path = join(dir, `${name}.json`);
    writeFileSync(path, JSON.stringify({ ...config, ...changes }));
    return ['--config', path];
  };
  writeFileSync(join(dir, 'broken.json'), '{ "name":');
  const port = Number(new URL(url).port);
  const cases: [string[], RegExp][] = [
    [[], /^Start this program with --config FILE\.$/],
    [['--port', '7'], /^Start this program with --config FILE\.$/],
    [['--config', join(dir, 'none.json')], /none\.json cannot be read: ENOENT.*\.$/],
    [['--config', join(dir, 'broken.json')], /broken\.json cannot be read: .*JSON.*\.$/],
    [other('wrong', { port: -1 }), /^The configuration is wrong: \/port must be an integer from 0 to 65535\.$/],
    [other('port', { port, dataDir: join(dir, 'b') }), /^The port \d+ is in use by another process\.$/],
    [other('unwritable', { dataDir: join(file, 'data') }), /^The data directory .* cannot be written: ENOTDIR.*\.$/],
    [['--config', file], new RegExp(`is in use by another process \\(process ${child.pid}\\)\\.$`)],
  ];
  for (const [args, sentence] of cases) {
    const failed = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [stdout, stderr, exit] = await Promise.all([
      textOf(failed.stdout),
      textOf(failed.stderr),
      once(failed, 'exit'),
    ]);
    assert.deepEqual([stdout, exit], ['', [1, null]], stderr);
    assert.match(stderr.trimEnd(), sentence);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  }
  child.kill('SIGTERM');
  await once(child, 'exit');
});

test('kill -9 in the middle of load loses nothing that was acknowledged, and no reader of the feed', async (t) => {
  const { file, config, dataDir } = writeConfig(t);
  const acknowledged: Reply[] = [];
  const sequences: number[] = [];
  for (let round = 0; round < 4; round++) {
    const { child, url } = await startChild(t, file);
    const executor = await Api.connect(url, config, 'executor');
    await readOn(executor, sequences);
    await assertKept(executor, acknowledged);
    const load = [0, 1, 2, 3, 4, 5].map((worker) => loadUntilCut(executor, `${round} ${worker}`, acknowledged));
    const enough = acknowledged.length + 60 + 40 * round;
    while (acknowledged.length < enough) await Promise.race([readOn(executor, sequences), ...load]);
    child.kill('SIGKILL');
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
    await Promise.all(load);
    assertBalanced(dataDir);
  }
  const { child, url } = await startChild(t, file);
  const executor = await Api.connect(url, config, 'executor');
  await assertKept(executor, acknowledged);
  await readOn(executor, sequences);
  assert.deepEqual(
    sequences,
    Array.from({ length: sequences.length }, (_, index) => index + 1),
  );
  const [payer, payee] = [await position(executor, '0042'), await position(executor, '0099')];
  const total = [payer.free, payer.held, payee.free].reduce((sum, amount) => sum + BigInt(amount), 0n);
  assert.equal(total, 1_000_050n, 'what there was at the start is still there');
  child.kill('SIGTERM');
  await once(child, 'exit');
});

test('a full disk turns writes into 503, books nothing by halves, and reads go on', async (t) => {
  const { file, config, dataDir } = writeConfig(t);
  const limited = await startChild(t, file, 700);
  assert.ok(limited.child.stderr !== null);
  const stderr = textOf(limited.child.stderr);
  const executor = await Api.connect(limited.url, config, 'executor');
  const kept: Reply[] = [];
  let full: Reply | undefined;
  for (let count = 0; full === undefined; count++) {
    const reply = await executor.post('/holds', holdOf(`hold ${count}`, { amount: '1' }));
    if (reply.status === 201) kept.push(reply);
    else full = reply;
  }
  assert.deepEqual(problem(full), [503, 'storage-unavailable', 'NARR']);
  assert.equal(full.headers.get('retry-after'), '1');
  const { held } = await position(executor, '0042');
  assert.equal(held, String(kept.length));
  const lost = holdOf(`hold ${kept.length}`, { amount: '1' });
  assert.equal((await executor.get(`/operations/${lost.id}`)).status, 404);
  limited.child.kill('SIGKILL');
  await once(limited.child, 'exit');
  assert.match(await stderr, /The storage takes no writes/);
  assertBalanced(dataDir);
  const { child, url } = await startChild(t, file);
  const again = await Api.connect(url, config, 'executor');
  assert.deepEqual(await position(again, '0042'), { free: String(1_000_000 - kept.length), held });
  await assertKept(again, kept);
  assert.equal((await again.post('/holds', lost)).status, 201, 'the same request is taken once there is room');
  child.kill('SIGTERM');
  await once(child, 'exit');
});

function writeConfig(t: TestContext) {
  const dir = temporaryDir(t);
  const dataDir = join(dir, 'data');
  const config: DomesticWebConfig = configFor(dataDir);
  for (const account of config.accounts) if (account.id === '0042') account.positions = { JPY: '1000000' };
  const file = join(dir, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return { dir, dataDir, config, file };
}

/** A server process; with a limit on the size of its files (in units of the shell) its disk is soon full. */
async function startChild(t: TestContext, file: string, fileLimit?: number) {
  const command = [process.execPath, MAIN, '--config', file];
  const args = ['-c', `ulimit -f ${fileLimit}; exec "$@"`, 'sh', ...command];
  const stdio = ['ignore', 'pipe', fileLimit === undefined ? 'inherit' : 'pipe'] as const;
  const child: ChildProcess =
    fileLimit === undefined
      ? spawn(process.execPath, command.slice(1), { stdio: [...stdio] })
      : spawn('sh', args, { stdio: [...stdio] });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.stdout !== null);
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = recordOf(JSON.parse(line));
    assert.equal(ready['ready'], true);
    return { child, url: text(ready, 'url') };
  }
  throw new Error('The server ended before it was ready.');
}

/** Holds and executes in turn until the server is gone; keeps what was acknowledged. */
async function loadUntilCut(executor: Api, words: string, acknowledged: Reply[]): Promise<void> {
  for (let count = 0; ; count++) {
    const hold = holdOf(`${words} ${count}`, { amount: '2' });
    try {
      const held = await executor.post('/holds', hold);
      assert.equal(held.status, 201);
      acknowledged.push(held);
      const request = { operation: id(`op ${words} ${count}`), certificate: signed({ operations: [hold.id] }) };
      if (count % 2 === 0) acknowledged.push(await executor.post(`/holds/${hold.id}/execute`, request));
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

/** Every acknowledged booking is there as it was acknowledged. */
async function assertKept(executor: Api, acknowledged: Reply[]): Promise<void> {
  for (const { body } of acknowledged) {
    const found = await executor.get(`/operations/${text(body, body['status'] === 'held' ? 'id' : 'operation')}`);
    assert.deepEqual([found.status, found.body['booking']], [200, body['booking']]);
  }
}

async function readOn(executor: Api, sequences: number[]): Promise<void> {
  const { body } = await executor.get(`/events?after=${sequences.at(-1) ?? 0}&limit=1000`);
  sequences.push(...listOf(body, 'events').map((event) => number(event, 'sequence')));
}
