import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';
import { TAKE_OVER_AFTER_MS, takeOverAfterMs } from './ranking.ts';

test('a silent organisation makes nobody slower, a slow ledger has everybody wait', () => {
  const pace = new Pace();
  for (let i = 0; i < 7; i++) pace.took(9000);
  assert.equal(pace.leastMs, 0, 'too few to say anything');
  pace.took(200);
  assert.equal(takeOverAfterMs(pace.leastMs), TAKE_OVER_AFTER_MS);
  for (let i = 0; i < 8; i++) pace.took(1500 + i);
  assert.equal(takeOverAfterMs(pace.leastMs), 6000);
});
