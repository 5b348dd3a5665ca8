import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterDelivery, amountIn, type Holdings, mismatches } from './books.ts';

const before: Holdings = new Map([
  ['rtgs:9001 JPY', { balance: 5_000n, held: 0n }],
  ['rtgs:0042 JPY', { balance: 10n, held: 0n }],
]);
const leg = { system: 'rtgs', from: '9001', to: '0042', asset: 'JPY', amount: 1_000n };

test('a delivered leg moves its amount once, also to an account that had nothing, and nothing else', () => {
  const after = afterDelivery(before, [leg, { ...leg, to: '0043' }]);
  assert.deepEqual(
    [...after].map(([name, { balance }]) => [name, balance]),
    [
      ['rtgs:9001 JPY', 3_000n],
      ['rtgs:0042 JPY', 1_010n],
      ['rtgs:0043 JPY', 1_000n],
    ],
  );
  assert.deepEqual(mismatches(before, before), []);
});

test('whatever is not as it must be is named with both figures: a balance, a hold, an account that is missing', () => {
  const found: Holdings = new Map([['rtgs:9001 JPY', { balance: 4_000n, held: 7n }]]);
  assert.deepEqual(mismatches(before, found), [
    'rtgs:0042 JPY: 0, and it should be 10',
    'rtgs:9001 JPY: 4,000, and it should be 5,000',
    'rtgs:9001 JPY: 7 is held, and it should be 0',
  ]);
});

test('amounts are shown with the digits of their asset', () => {
  assert.deepEqual([amountIn(-671_141n, 'USD'), amountIn(1_000_000n, 'XS0000000009')], ['-6,711.41', '1,000,000']);
});
