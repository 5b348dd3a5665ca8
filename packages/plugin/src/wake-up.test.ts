import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWakeUp } from './wake-up.ts';

test('each of the ids wakes whoever waits for it, and nobody else', async () => {
  const wakeUp = createWakeUp();
  const woken: string[] = [];
  const waiters = [wakeUp.next(['a', 'b']), wakeUp.next(['b']), wakeUp.next(['c'])];
  for (const [i, { called }] of waiters.entries()) void called.then(() => woken.push(String(i)));
  wakeUp.call('b');
  await new Promise(setImmediate);
  assert.deepEqual(woken, ['0', '1']);
  wakeUp.callAll();
  await new Promise(setImmediate);
  assert.deepEqual(woken, ['0', '1', '2']);
});
