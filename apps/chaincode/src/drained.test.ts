import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { drained } from './drained.ts';

test('it ends when what was begun is answered, and at once where nothing was', async () => {
  const answer = Promise.withResolvers<string>();
  const chaincode = drained({ Init: async () => 'begun', Invoke: (_stub: null) => answer.promise }, 1);
  await chaincode.end(60_000);
  const invoked = chaincode.Invoke(null);
  const order: string[] = [];
  const ending = chaincode.end(60_000).then(() => order.push('ended'));
  // Had it begun to send without an answer, its timer, which is as long and older, would fire before this one.
  await delay(1);
  order.push('answered');
  answer.resolve('done');
  assert.equal(await invoked, 'done');
  await ending;
  assert.deepEqual(order, ['answered', 'ended']);
  await chaincode.end(60_000);
});

test('what is never answered does not keep it from ending, and what fails neither', async () => {
  const answer = Promise.withResolvers<string>();
  const chaincode = drained({ Init: async () => '', Invoke: (_stub: null) => answer.promise });
  const invoked = chaincode.Invoke(null);
  await chaincode.end(1);
  answer.reject(new Error('broken'));
  await assert.rejects(invoked, /broken/);
});
