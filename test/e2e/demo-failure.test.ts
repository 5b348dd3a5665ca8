import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Workplace } from './npm-start.ts';

test('--demo-failure kills a process twice: the money comes back once and goes through once, and every balance reconciles', async () => {
  await using place = new Workplace();
  const start = place.start('var', await place.portBase(), '--demo-failure');
  const { code, lines, errors } = await start.ended;
  const text = lines.join('\n');
  assert.deepEqual([code, errors], [0, []], text);
  const [opening = '', , second = ''] = text.split(/^(Act 2: .*)$/m);
  const [, first = ''] = opening.split(/^Act 1: .*$/m);
  // What was held when the coordinator was dead came back; what was held when the validator was dead was delivered.
  const inOrder = (part: string, ...patterns: readonly RegExp[]): void => {
    const places = patterns.map((pattern) => part.search(pattern));
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      part,
    );
    assert.ok(!places.includes(-1), `${String(patterns[places.indexOf(-1)])} in\n${part}`);
  };
  inOrder(
    first,
    /core-api is killed/,
    /^ {4}(csd|rtgs) .* 1,000,000$/m,
    /the deadline has passed/,
    /core-api is back/,
    /decided: abort - the deadline passed/,
    /now cancelled/,
    /✓ Cancelled/,
  );
  inOrder(second, /now committed/, /validator-rtgs is killed/, /validator-rtgs is back/, /now settled/, /✓ Settled/);
  assert.match(second, /✓ Two processes were killed\./);
  await start.allGone();
});
