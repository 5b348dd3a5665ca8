import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmount } from '@linkspan/protocol';
import fc from 'fast-check';
import { createAssetTable } from './asset-table.ts';

const table = createAssetTable([
  { id: 'yen', kind: 'cash', currency: 'JPY' },
  { id: 'usd', kind: 'cash', currency: 'USD' },
  { id: 'bond', kind: 'securities', isin: 'XS0000000009' },
]);

test('what is asked in terms comes back in the same terms', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 17n }), fc.constantFrom('JPY', 'USD'), (minor, currency) => {
      const terms = { amount: formatAmount(minor, currency), currency };
      const booked = table.toSystem(terms);
      assert.equal(booked?.amount, String(minor));
      assert.deepEqual(table.toTerms(booked.asset, booked.amount), terms);
    }),
  );
  const securities = { isin: 'XS0000000009', quantity: '12' };
  assert.deepEqual(table.toSystem(securities), { asset: 'bond', amount: '12' });
  assert.deepEqual(table.toTerms('bond', '12'), securities);
});

test('nothing is booked for what the system does not keep, or for an amount that is none', () => {
  const wrong = [
    { amount: '1', currency: 'EUR' },
    { amount: '1.5', currency: 'JPY' },
    { amount: '0', currency: 'JPY' },
    { isin: 'XS0000000009', quantity: '-1' },
    {},
  ];
  for (const terms of wrong) assert.equal(table.toSystem(terms), undefined, JSON.stringify(terms));
});

test('an asset that was never configured is told as the system tells it', () => {
  assert.deepEqual(table.toTerms('gold', '5'), { asset: 'gold', amount: '5' });
});
