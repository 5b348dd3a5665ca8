import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CURRENCIES } from './currencies.ts';
import type { Money } from './money.ts';
import { applyRate, checkRate, convert, type ExchangeRate, ratesAgree, ROUNDINGS } from './rate.ts';

const yenPerDollar: ExchangeRate = { value: '149.00', base: 'USD', quote: 'JPY', of: '/lcy', rounding: 'half-up' };
const yen = (amount: bigint): Money => ({ amount, currency: 'JPY' });
const dollars = (amount: bigint): Money => ({ amount, currency: 'USD' });

function refusedAs(rate: ExchangeRate, amounts: Record<string, Money>): string {
  const applied = applyRate(rate, amounts);
  assert.ok(!applied.ok);
  assert.match(applied.message, /\.$/);
  return applied.code;
}

test('the sample trade agrees: 1,000,000 JPY at 149.00 is 6,711.41 USD', () => {
  const applied = applyRate(yenPerDollar, { '/lcy': yen(1_000_000n), '/fcy': dollars(671_141n) });
  assert.deepEqual(applied, { ok: true, value: dollars(671_141n) });
});

test('F27 one cent off disagrees, and the message says what was expected', () => {
  for (const cents of [671_140n, 671_142n]) {
    const amounts = { '/lcy': yen(1_000_000n), '/fcy': dollars(cents) };
    assert.equal(ratesAgree(yenPerDollar, amounts), false);
    assert.equal(refusedAs(yenPerDollar, amounts), 'rate-disagrees');
    const applied = applyRate(yenPerDollar, amounts);
    assert.match(applied.ok ? '' : applied.message, /1,000,000 JPY is 6,711\.41 USD/);
  }
});

test('`of` gives the direction: the other way round the dollars are fixed', () => {
  const ofDollars = { ...yenPerDollar, of: '/fcy' };
  assert.equal(ratesAgree(ofDollars, { '/lcy': yen(1_000_000n), '/fcy': dollars(671_141n) }), true);
  assert.equal(ratesAgree(ofDollars, { '/lcy': yen(1_000_001n), '/fcy': dollars(671_141n) }), false);
  // 1,000,001 JPY are 6,711.42 USD, but those are 1,000,002 JPY: what agrees one way need not agree the other way.
  assert.equal(ratesAgree(yenPerDollar, { '/lcy': yen(1_000_001n), '/fcy': dollars(671_142n) }), true);
  assert.equal(ratesAgree(ofDollars, { '/lcy': yen(1_000_001n), '/fcy': dollars(671_142n) }), false);
});

test('each rounding settles the same halves in its own way', () => {
  const at = (rounding: ExchangeRate['rounding'], cents: bigint) =>
    convert(dollars(cents), { ...yenPerDollar, value: '1', rounding }, 'JPY');
  const table = { 'half-up': [1n, 2n, 3n], 'half-even': [0n, 2n, 2n], down: [0n, 1n, 2n], up: [1n, 2n, 3n] };
  for (const rounding of ROUNDINGS)
    assert.deepEqual(
      [50n, 150n, 250n].map((cents) => at(rounding, cents)),
      table[rounding],
    );
  for (const [cents, nearest] of [
    [149n, 1n],
    [151n, 2n],
  ] as const) {
    assert.equal(at('half-up', cents), nearest);
    assert.equal(at('half-even', cents), nearest);
  }
  for (const rounding of ROUNDINGS) assert.equal(at(rounding, 700n), 7n);
});

test('minor units of 0, 2, 3 and 4 digits are converted', () => {
  const rate = (value: string, base: string, quote: string): ExchangeRate => ({
    value,
    base,
    quote,
    of: '/a',
    rounding: 'half-up',
  });
  assert.equal(convert({ amount: 1_500n, currency: 'KWD' }, rate('3.25', 'KWD', 'USD'), 'USD'), 488n);
  assert.equal(convert({ amount: 1_500n, currency: 'KWD' }, rate('488.123', 'KWD', 'JPY'), 'JPY'), 732n);
  assert.equal(convert(yen(732n), rate('488.123', 'KWD', 'JPY'), 'KWD'), 1_500n);
  assert.equal(convert({ amount: 10_000n, currency: 'CLF' }, rate('39000.5', 'CLF', 'CLP'), 'CLP'), 39_001n);
  assert.equal(convert(yen(1n), rate('0.000000000001', 'USD', 'JPY'), 'USD'), 10n ** 14n);
  assert.equal(convert(yen(0n), yenPerDollar, 'USD'), 0n);
});

test('F27 the result is the nearest, lower or upper minor unit of the exact fraction', () => {
  const payable = [...CURRENCIES.values()].flatMap(({ code, digits }) => (digits === null ? [] : [{ code, digits }]));
  const pair = fc.uniqueArray(fc.constantFrom(...payable), {
    minLength: 2,
    maxLength: 2,
    selector: ({ code }) => code,
  });
  const decimal = fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 12n - 1n }), fc.nat({ max: 11 }));
  const amount = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 0n, max: 1000n }));
  fc.assert(
    fc.property(
      pair,
      decimal,
      amount,
      fc.boolean(),
      fc.constantFrom(...ROUNDINGS),
      ([from, to], [units, places], minor, multiply, rounding) => {
        assert.ok(from && to);
        const text = units.toString().padStart(places + 1, '0');
        const value = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
        const [base, quote] = multiply ? [from.code, to.code] : [to.code, from.code];
        const result = convert(
          { amount: minor, currency: from.code },
          { value, base, quote, of: '/a', rounding },
          to.code,
        );
        // The exact result is top / bottom; twice its distance from the rounded one is compared, so no division is needed.
        const scale = 10n ** BigInt(places);
        const top = minor * 10n ** BigInt(to.digits) * (multiply ? units : scale);
        const bottom = 10n ** BigInt(from.digits) * (multiply ? scale : units);
        const twice = 2n * (result * bottom - top);
        if (rounding === 'down') assert.ok(twice <= 0n && twice > -2n * bottom);
        else if (rounding === 'up') assert.ok(twice >= 0n && twice < 2n * bottom);
        else assert.ok(twice <= bottom && twice >= -bottom);
        if (rounding === 'half-up') assert.ok(twice !== -bottom);
        if (rounding === 'half-even' && (twice === bottom || twice === -bottom)) assert.equal(result % 2n, 0n);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a converted amount always agrees with what it came from', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 18n }), fc.constantFrom(...ROUNDINGS), (minor, rounding) => {
      const rate = { ...yenPerDollar, rounding };
      const cents = convert(yen(minor), rate, 'USD');
      assert.equal(ratesAgree(rate, { '/lcy': yen(minor), '/fcy': dollars(cents) }), true);
      assert.equal(ratesAgree(rate, { '/lcy': yen(minor), '/fcy': dollars(cents + 1n) }), false);
    }),
  );
});

test('a value that is no positive decimal of twelve digits is malformed', () => {
  for (const value of [
    '',
    '0',
    '0.00',
    '-1',
    '+1',
    '1e2',
    '01.5',
    '1.',
    '.5',
    '1,5',
    '1234567890123',
    '1.234567890123',
    '0.1234567890123',
    '149 ',
    '1/3',
  ]) {
    assert.equal(
      refusedAs({ ...yenPerDollar, value }, { '/lcy': yen(1n), '/fcy': dollars(1n) }),
      'rate-malformed',
      value,
    );
    assert.throws(() => convert(yen(1n), { ...yenPerDollar, value }, 'USD'), RangeError);
  }
  for (const value of ['1', '149', '0.000000000001', '123456789012', '1.23456789012', '149.00']) {
    assert.equal(checkRate({ ...yenPerDollar, value }).ok, true, value);
  }
});

test('currencies that do not fit the rate are refused', () => {
  const amounts = { '/lcy': yen(149n), '/fcy': dollars(100n) };
  assert.equal(refusedAs({ ...yenPerDollar, base: 'BGN' }, amounts), 'currency-unknown');
  assert.equal(refusedAs({ ...yenPerDollar, quote: 'XAU' }, amounts), 'currency-unknown');
  assert.equal(refusedAs({ ...yenPerDollar, base: 'JPY' }, amounts), 'rate-currencies');
  assert.equal(refusedAs({ ...yenPerDollar, base: 'EUR' }, amounts), 'rate-currencies');
  assert.equal(refusedAs(yenPerDollar, { '/lcy': yen(1n), '/fcy': yen(1n) }), 'rate-currencies');
  assert.equal(
    refusedAs({ ...yenPerDollar, value: '1', base: 'JPY' }, { '/lcy': yen(1n), '/fcy': yen(1n) }),
    'rate-currencies',
  );
  assert.throws(() => convert(yen(1n), yenPerDollar, 'JPY'), RangeError);
  assert.throws(() => convert(yen(1n), yenPerDollar, 'EUR'), RangeError);
  assert.throws(() => convert({ amount: 1n, currency: 'XAU' }, { ...yenPerDollar, base: 'XAU' }, 'JPY'), RangeError);
  assert.throws(() => convert(yen(-1n), yenPerDollar, 'USD'), RangeError);
});

test('the rate applies to one of exactly two amounts', () => {
  const [lcy, fcy] = [yen(149n), dollars(100n)];
  assert.equal(refusedAs({ ...yenPerDollar, of: '/other' }, { '/lcy': lcy, '/fcy': fcy }), 'rate-malformed');
  assert.equal(refusedAs({ ...yenPerDollar, of: 'constructor' }, { '/lcy': lcy, '/fcy': fcy }), 'rate-malformed');
  assert.equal(refusedAs(yenPerDollar, { '/lcy': lcy }), 'rate-malformed');
  assert.equal(refusedAs({ ...yenPerDollar, of: 'constructor' }, { '/lcy': lcy }), 'rate-malformed');
  assert.equal(refusedAs(yenPerDollar, { '/lcy': lcy, '/fcy': fcy, '/fee': fcy }), 'rate-malformed');
});
