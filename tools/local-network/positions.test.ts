import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { differencesBetween, type Positions } from './positions.ts';

const cents = fc.bigInt({ min: 0n, max: 10n ** 24n });

test('the difference of two balances is exact in every number of decimals', () => {
  fc.assert(
    fc.property(cents, cents, fc.nat(6), (before, after, digits) => {
      const [found] = differencesBetween(positions(decimal(before, digits)), positions(decimal(after, digits)));
      if (before === after) assert.equal(found, undefined);
      else assert.equal(found?.by, decimal(after - before, digits));
    }),
  );
});

test('balances with different numbers of decimals are compared by value', () => {
  assert.deepEqual(differencesBetween(positions('1'), positions('1.00')), []);
  assert.deepEqual(differencesBetween(positions('1.5'), positions('1.25')), [
    { account: 'rtgs:1', asset: 'JPY', by: '-0.25' },
  ]);
  assert.deepEqual(differencesBetween(positions('0.05'), positions('0')), [
    { account: 'rtgs:1', asset: 'JPY', by: '-0.05' },
  ]);
});

test('a position that appears counts from nothing, one that vanishes goes to nothing', () => {
  const none: Positions = new Map();
  assert.deepEqual(differencesBetween(none, positions('7')), [{ account: 'rtgs:1', asset: 'JPY', by: '7' }]);
  assert.deepEqual(differencesBetween(positions('7'), none), [{ account: 'rtgs:1', asset: 'JPY', by: '-7' }]);
  assert.deepEqual(differencesBetween(none, positions('0.00')), []);
});

function positions(balance: string): Positions {
  return new Map([['rtgs:1 JPY', { account: 'rtgs:1', asset: 'JPY', party: 'P', balance, held: '0' }]]);
}

/** Written down digit by digit, to share nothing with what is tested. */
function decimal(value: bigint, digits: number): string {
  const sign = value < 0n ? '-' : '';
  const size = value < 0n ? -value : value;
  const unit = 10n ** BigInt(digits);
  return digits === 0 ? `${value}` : `${sign}${size / unit}.${String(size % unit).padStart(digits, '0')}`;
}
