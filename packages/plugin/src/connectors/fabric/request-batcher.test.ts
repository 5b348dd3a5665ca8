import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { RequestBatcher } from './request-batcher.ts';

const DONE = { ok: true, done: 'now' } as const;

test('one request goes at once; what comes meanwhile shares the next transaction, and each gets its own answer', async () => {
  const gate = Promise.withResolvers<void>();
  const transactions: (readonly object[])[] = [];
  const batcher = new RequestBatcher(async (requests) => {
    transactions.push(requests);
    await gate.promise;
    return requests.map((request) =>
      'bad' in request ? { ok: false, code: 'cash-short', reason: 'MONY', message: 'short' } : DONE,
    );
  });
  const first = batcher.send({ n: 1 });
  await new Promise(setImmediate);
  const others = [batcher.send({ n: 2 }), batcher.send({ n: 3, bad: true }), batcher.send({ n: 4 })];
  gate.resolve();
  assert.deepEqual(await first, DONE);
  assert.deepEqual(
    (await Promise.all(others)).map(({ ok }) => ok),
    [true, false, true],
  );
  assert.deepEqual(transactions, [[{ n: 1 }], [{ n: 2 }, { n: 3, bad: true }, { n: 4 }]]);
});

test('what nobody knows about a transaction nobody knows about its requests; the next transaction is another', async () => {
  const faults = [new Fault('system-unavailable', 'no answer', { mayHaveHappened: true })];
  const batcher = new RequestBatcher(async (requests) => {
    const fault = faults.shift();
    if (fault) throw fault;
    return requests.map(() => DONE);
  });
  for (const sent of [batcher.send({ n: 1 }), batcher.send({ n: 2 })])
    await assert.rejects(sent, (error) => error instanceof Fault && error.mayHaveHappened);
  assert.deepEqual(await batcher.send({ n: 1 }), DONE);
});

test('closing leaves unsent what waits, which then cannot have happened', async () => {
  const gate = Promise.withResolvers<void>();
  const batcher = new RequestBatcher(async (requests) => {
    await gate.promise;
    return requests.map(() => DONE);
  });
  const first = batcher.send({ n: 1 });
  await new Promise(setImmediate);
  const second = assert.rejects(batcher.send({ n: 2 }), (error) => error instanceof Fault && !error.mayHaveHappened);
  const closed = batcher.close();
  await second;
  gate.resolve();
  await closed;
  assert.deepEqual(await first, DONE);
  await assert.rejects(batcher.send({ n: 3 }), Fault);
});
