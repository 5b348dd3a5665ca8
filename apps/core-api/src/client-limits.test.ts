import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientLimits } from './client-limits.ts';
import { valid } from './test-support.ts';

test('a burst is let in, then as many a second as are allowed', () => {
  let time = 0;
  const { enter } = createClientLimits({ requestsPerSecond: 2, burst: 3, concurrent: 10 }, () => time);
  const tries = (count: number): boolean[] =>
    Array.from({ length: count }, () => {
      const entered = enter('a');
      if (entered.ok) entered.value();
      return entered.ok;
    });
  assert.deepEqual(tries(4), [true, true, true, false]);
  time += 499;
  assert.deepEqual(tries(1), [false]);
  time += 1;
  assert.deepEqual(tries(2), [true, false]);
  time += 60_000;
  assert.deepEqual(tries(4), [true, true, true, false], 'a long silence saves no more than a burst');
});

test('what is under way is counted until it is over, once each, and clients do not share', () => {
  const { enter } = createClientLimits({ requestsPerSecond: 100, burst: 100, concurrent: 2 }, () => 0);
  const first = valid(enter('a'));
  valid(enter('a'));
  const third = enter('a');
  assert.ok(!third.ok && third.refusal.code === 'too-many-requests');
  valid(enter('b'));
  first();
  first();
  valid(enter('a'));
  assert.ok(!enter('a').ok, 'saying twice that one is over frees one place');
});

test('clients that ask nothing are forgotten before others are refused', () => {
  let time = 0;
  const { enter } = createClientLimits({ requestsPerSecond: 1, burst: 1, concurrent: 1 }, () => time);
  const over = Array.from({ length: 10_000 }, (_, i) => valid(enter(`client ${i}`)));
  time += 1000;
  assert.ok(!enter('late').ok, 'all of them have something under way');
  over[17]?.();
  valid(enter('late'));
  assert.ok(!enter('later').ok);
});
