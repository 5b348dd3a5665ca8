import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { createRuns } from './runs.ts';

test('who asks for the same joins the same work', async () => {
  const runs = createRuns<number>({ most: 10, system: 'rtgs' });
  const { promise, resolve } = Promise.withResolvers<number>();
  let started = 0;
  const work = (): Promise<number> => {
    started++;
    return promise;
  };
  const both = Promise.all([runs.join('a', 10_000, work), runs.join('a', 10_000, work)]);
  resolve(5);
  assert.deepEqual(await both, [5, 5]);
  assert.equal(started, 1);
  assert.equal(runs.size, 0);
});

test('a caller leaves when its time is over; the work is told to stop when the last one has left', async () => {
  const runs = createRuns<number>({ most: 10, system: 'rtgs' });
  const stopped = Promise.withResolvers<undefined>();
  const work = (signal: AbortSignal): Promise<undefined> => {
    signal.addEventListener('abort', () => stopped.resolve(undefined));
    return stopped.promise;
  };
  assert.equal(await runs.join('a', 0, work), undefined);
  assert.equal(runs.size, 1, 'it goes on for who asks again at once');
  await stopped.promise;
  await new Promise(setImmediate);
  assert.equal(runs.size, 0);
});

test('a failure reaches every caller and leaves nothing behind; beyond the limit nothing is begun', async () => {
  const runs = createRuns<number>({ most: 1, system: 'rtgs' });
  const { promise, reject } = Promise.withResolvers<number>();
  const first = runs.join('a', 10_000, () => promise);
  await assert.rejects(
    runs.join('b', 10_000, () => promise),
    Fault,
  );
  reject(new Error('down'));
  await assert.rejects(first, /down/);
  assert.equal(runs.size, 0);
  assert.equal(await runs.join('b', 10_000, async () => 1), 1);
});
