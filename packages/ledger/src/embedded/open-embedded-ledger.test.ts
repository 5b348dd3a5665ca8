import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { Fault, type JsonObject, type Result } from '@linkspan/protocol';
import fc from 'fast-check';
import { verifyChain } from './check-ledger.ts';
import { type EmbeddedLedger, type EmbeddedLedgerOptions, openEmbeddedLedger } from './open-embedded-ledger.ts';
import { smallCall, smallContract } from './small-contract.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'linkspan-embedded-'));
});
afterEach(() => rm(directory, { recursive: true }));

function open(options: Partial<EmbeddedLedgerOptions> = {}): Promise<EmbeddedLedger> {
  return openEmbeddedLedger({ directory, contract: smallContract, verify: () => false, now: Date.now, ...options });
}

test('any calls in any grouping, with any cache and any restarts, do what a map does', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const call = fc.oneof(
    fc.tuple(key, fc.nat(9)).map(([name, value]) => `put ${name} ${value}`),
    key.map((name) => `delete ${name}`),
    key.map((name) => `count ${name}`),
    key.map((name) => `get ${name}`),
    fc.constant('refuse'),
  );
  const together = fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
  const step = fc.oneof({ weight: 6, arbitrary: together }, { weight: 1, arbitrary: fc.constant('restart' as const) });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.constantFrom(0, 1, 3, 100), async (steps, cacheEntries) => {
      const options = { directory: join(directory, String(runs++)), cacheEntries, strict: true };
      const model = new Map<string, string>();
      let ledger = await open(options);
      for (const submits of steps) {
        if (submits === 'restart') {
          await ledger[Symbol.asyncDispose]();
          ledger = await open(options);
          continue;
        }
        const results = await Promise.all(submits.map((calls) => ledger.submit(calls.map(smallCall))));
        assert.deepEqual(
          results.map((own) => own.map(valueOf)),
          submits.map((calls) => calls.map((each) => expected(model, each))),
        );
      }
      const height = await ledger.height();
      await ledger[Symbol.asyncDispose]();
      const report = verifyChain(options.directory);
      assert.deepEqual([report.blocks, report.keys], [height, model.size]);
    }),
    { numRuns: 40 },
  );
});

test('what is submitted together is one block; what changes nothing is none', async () => {
  await using ledger = await open();
  const results = await Promise.all(Array.from({ length: 64 }, () => ledger.submit([smallCall('count n')])));
  assert.deepEqual(
    results.map(([result]) => result && valueOf(result)),
    Array.from({ length: 64 }, (_, i) => String(i + 1)),
  );
  assert.equal(await ledger.height(), 1);
  await ledger.submit([smallCall('refuse'), smallCall('get n')]);
  assert.equal(await ledger.height(), 1);
  await ledger.submit([smallCall('refuse'), smallCall('count n')]);
  const [, block] = await ledger.blocks(0, 10);
  assert.ok(block);
  assert.deepEqual([JSON.parse(block.calls), JSON.parse(block.results)], [[smallCall('count n')], [{ value: '65' }]]);
});

test('a large queue becomes several blocks in order', async () => {
  await using ledger = await open();
  const results = await Promise.all(
    Array.from({ length: 5 }, () => ledger.submit(Array.from({ length: 200 }, () => smallCall('count n')))),
  );
  assert.deepEqual(
    results.flat().map(valueOf),
    Array.from({ length: 1000 }, (_, i) => String(i + 1)),
  );
  assert.equal(await ledger.height(), 3);
});

test('F51 more calls than the queue takes are turned away at once, and the others are answered', async () => {
  await using ledger = await open();
  const taken = ledger.submit(Array.from({ length: 65_536 }, () => smallCall('refuse')));
  await assert.rejects(ledger.submit([smallCall('count n')]), fault('ledger-unavailable', /are waiting/));
  assert.equal((await taken).length, 65_536);
  assert.ok((await ledger.submit([smallCall('count n')])).every(({ ok }) => ok));
});

test('a contract that breaks on one submit harms nobody else', async () => {
  await using ledger = await open();
  const answers = await Promise.allSettled(
    ['count n', 'throw', 'count n'].map((text) => ledger.submit([smallCall(text)])),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await assert.rejects(
    ledger.submit([smallCall('count n'), smallCall('throw')]),
    fault('internal', /nothing of them was written/),
  );
  assert.deepEqual((await ledger.submit([smallCall('get n')])).map(valueOf), ['2']);
});

test('a directory has one writer, whose death or end frees it', async () => {
  const first = await open();
  await assert.rejects(open(), fault('storage-unavailable', /open already/));
  await first.submit([smallCall('count n')]);
  await first[Symbol.asyncDispose]();
  await using second = await open();
  assert.deepEqual((await second.submit([smallCall('count n')])).map(valueOf), ['2']);
});

test('a full storage fails the submit, writes nothing of it, and serves on', async () => {
  await using ledger = await open({ maximumBytes: 200_000 });
  await ledger.submit([smallCall('put small 1'), smallCall('event first')]);
  const height = await ledger.height();
  const large = `put large ${randomBytes(300_000).toString('hex')}`;
  await assert.rejects(
    ledger.submit([smallCall('count n'), smallCall(large)]),
    fault('storage-unavailable', /writing block 2/),
  );
  assert.equal(await ledger.height(), height);
  assert.deepEqual(
    (await ledger.submit([smallCall('get small'), smallCall('get n'), smallCall('get large')])).map(valueOf),
    ['1', null, null],
  );
  for await (const { block } of ledger.events(0, AbortSignal.timeout(30_000))) {
    assert.equal(block, 1);
    break;
  }
  // There is room for something small, and the chain goes on where it was.
  assert.deepEqual((await ledger.submit([smallCall('count n')])).map(valueOf), ['1']);
  await ledger[Symbol.asyncDispose]();
  assert.deepEqual(verifyChain(directory).blocks, 2);
});

test('a directory that cannot be is a fault of the storage', async () => {
  await writeFile(join(directory, 'file'), '');
  await assert.rejects(open({ directory: join(directory, 'file', 'ledger') }), fault('storage-unavailable', /making/));
});

test('time stands still while the clock goes back a little, and the ledger waits when it went back far', async () => {
  let now = 1_000_000;
  await using ledger = await open({ now: () => now, toleranceMs: 2000 });
  const times: number[] = [];
  for (const clock of [1_000_000, 1_000_500.7, 999_000, 998_500, 1_000_501]) {
    now = clock;
    await ledger.submit([smallCall('count n')]);
    times.push((await ledger.blocks((await ledger.height()) - 1, 1))[0]?.time ?? 0);
  }
  assert.deepEqual(times, [1_000_000, 1_000_500, 1_000_500, 1_000_500, 1_000_501]);
  now = 998_500;
  await assert.rejects(ledger.submit([smallCall('count n')]), fault('ledger-unavailable', /2001 ms behind/));
  now = 998_501;
  assert.deepEqual((await ledger.submit([smallCall('count n')])).map(valueOf), ['6']);
});

test('closing answers what is queued, ends every reader, and refuses what comes after', async () => {
  const closing = new AbortController();
  const ledger = await open({ signal: closing.signal });
  const reader = ledger.events(0, new AbortController().signal)[Symbol.asyncIterator]();
  const waiting = reader.next();
  const queued = ledger.submit([smallCall('count n')]);
  closing.abort();
  assert.deepEqual((await queued).map(valueOf), ['1']);
  await assert.rejects(waiting, fault('ledger-unavailable', /closed/));
  await assert.rejects(ledger.submit([smallCall('count n')]), fault('ledger-unavailable', /closed/));
  await assert.rejects(ledger.height(), fault('ledger-unavailable', /closed/));
  await assert.rejects(ledger.evaluate('network', {}), fault('ledger-unavailable', /closed/));
  await ledger[Symbol.asyncDispose]();
  await using again = await open();
  assert.equal(await again.height(), 1);
});

test('a ledger whose signal has fired is closed and leaves no lock', async () => {
  const ledger = await open({ signal: AbortSignal.abort() });
  await assert.rejects(ledger.height(), fault('ledger-unavailable', /closed/));
  await using again = await open();
  assert.equal(await again.height(), 0);
});

test('a reader that knows more than the ledger is told so', async () => {
  await using ledger = await open();
  await ledger.submit([smallCall('event a')]);
  const reader = ledger.events(2, new AbortController().signal)[Symbol.asyncIterator]();
  await assert.rejects(reader.next(), fault('storage-corrupt', /ends at block 1/));
});

test('in strict mode a value that is not plain JSON is found out', async () => {
  const contract = {
    ...smallContract,
    applyCalls: (world: Parameters<typeof smallContract.applyCalls>[0]) => {
      world.put('key', { at: new Date(0) });
      return [];
    },
  };
  await using ledger = await open({ contract, strict: true });
  await assert.rejects(
    ledger.submit([smallCall('any')]),
    (error: unknown) =>
      error instanceof Fault && error.cause instanceof Error && /not plain JSON/.test(error.cause.message),
  );
});

function expected(model: Map<string, string>, text: string): unknown {
  const [verb, key = '', value = ''] = text.split(' ');
  if (verb === 'refuse') return 'call-invalid';
  if (verb === 'put') model.set(key, value);
  if (verb === 'count') model.set(key, String(Number(model.get(key) ?? 0) + 1));
  if (verb === 'delete') model.delete(key);
  return model.get(key) ?? null;
}

function valueOf(result: Result<JsonObject>): unknown {
  return result.ok ? result.value['value'] : result.refusal.code;
}

function fault(code: string, message: RegExp) {
  return (error: unknown) => error instanceof Fault && error.code === code && message.test(error.message);
}
