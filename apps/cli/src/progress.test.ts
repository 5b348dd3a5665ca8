import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress, progressLine } from './progress.ts';
import { spanOf } from './span.ts';

test('progress says count, rate and rest as soon as it can know them', () => {
  assert.equal(progressLine('settlements', 10, 5_000, 200), '10 of 5,000 settlements');
  assert.equal(progressLine('settlements', 1_200, 5_000, 2_000), '1,200 of 5,000 settlements, 600 a second, 0:06 left');
  assert.equal(progressLine('blocks', 3, undefined, 2_000), '3 blocks, 1.5 a second');
});

test('the line is written over at most ten times a second and leaves nothing behind; without a terminal nothing is written', () => {
  let now = 0;
  const lines: string[] = [];
  {
    using progress = new Progress(
      (line) => void lines.push(line),
      'blocks',
      3,
      () => now,
    );
    for (now = 20; now <= 120; now += 20) progress.add(1);
  }
  assert.deepEqual(lines, ['0 of 3 blocks', '5 of 3 blocks', '']);
  using silent = new Progress(undefined, 'blocks', 3);
  silent.add(1);
});

test('lengths of time read as people say them', () => {
  assert.deepEqual([0, 42_900, 725_000, 12_000_000, 190_800_000, -5].map(spanOf), [
    '0:00',
    '0:42',
    '12:05',
    '3 h 20 min',
    '2 d 5 h',
    '0:00',
  ]);
});
