import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { CURRENCIES } from './currencies.ts';
import { canonicalAmount, checkCurrency, formatAmount, formatForPeople, parseAmount } from './money.ts';

const amountSchema = z.strictObject({ amount: z.string(), currency: z.string() });
const vectors = z
  .strictObject({
    valid: z.array(z.strictObject({ value: amountSchema, minor: z.string(), canonical: z.string() })),
    invalid: z.array(z.strictObject({ value: amountSchema, code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/identifiers/money.json', import.meta.url), 'utf8')));

const currency = fc.constantFrom(
  ...[...CURRENCIES.values()].filter(({ digits }) => digits !== null).map(({ code }) => code),
);
const positive = fc.bigInt({ min: 1n, max: 10n ** 18n - 1n });

test('every valid vector is read into minor units and written canonically', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { value, minor, canonical } of vectors.valid) {
    assert.deepEqual(parseAmount(value.amount, value.currency), { ok: true, value: BigInt(minor) });
    assert.deepEqual(canonicalAmount(value.amount, value.currency), { ok: true, value: canonical });
  }
});

test('every invalid vector is refused with its code and a sentence', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { value, code } of vectors.invalid) {
    const read = parseAmount(value.amount, value.currency);
    const name = JSON.stringify(value);
    assert.ok(!read.ok, name);
    assert.equal(read.code, code, name);
    assert.match(read.message, /\.$/);
    assert.deepEqual(canonicalAmount(value.amount, value.currency), read);
  }
});

test('what is written is read back as it was, in every currency', () => {
  fc.assert(
    fc.property(positive, currency, (minor, code) => {
      const text = formatAmount(minor, code);
      assert.deepEqual(parseAmount(text, code), { ok: true, value: minor });
      assert.deepEqual(canonicalAmount(text, code), { ok: true, value: text });
    }),
  );
});

test('F26 zeros left out at the end change nothing, one digit more than the currency has is refused', () => {
  fc.assert(
    fc.property(positive, currency, (minor, code) => {
      const text = formatAmount(minor, code);
      const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
      assert.deepEqual(canonicalAmount(short, code), { ok: true, value: text });
      const long = parseAmount(text.includes('.') ? `${text}0` : `${text}.0`, code);
      assert.equal(!long.ok && long.code, 'amount-too-precise');
    }),
  );
});

test('no text makes it throw, and whatever it accepts is a plain decimal', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.,eE+-]{0,24}$/)), currency, (text, code) => {
      const read = parseAmount(text, code);
      if (read.ok) assert.match(text, /^(0|[1-9][0-9]*)(\.[0-9]+)?$/);
    }),
  );
});

test('balances of zero and below are written with all digits', () => {
  assert.equal(formatAmount(0n, 'USD'), '0.00');
  assert.equal(formatAmount(0n, 'JPY'), '0');
  assert.equal(formatAmount(-5n, 'USD'), '-0.05');
  assert.equal(formatAmount(-1234n, 'KWD'), '-1.234');
});

test('people see a comma between thousands of the whole part only', () => {
  assert.equal(formatForPeople(671141n, 'USD'), '6,711.41');
  assert.equal(formatForPeople(99999n, 'USD'), '999.99');
  assert.equal(formatForPeople(-123456789012345n, 'KWD'), '-123,456,789,012.345');
  assert.equal(formatForPeople(1000000n, 'JPY'), '1,000,000');
  assert.equal(formatForPeople(12345678n, 'CLF'), '1,234.5678');
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), currency, (minor, code) => {
      const text = formatForPeople(minor, code);
      assert.equal(text.replaceAll(',', ''), formatAmount(minor, code));
      assert.match(text, /^-?[0-9]{1,3}(,[0-9]{3})*(\.[0-9]+)?$/);
    }),
  );
});

test('a currency without a minor unit is no currency to pay in', () => {
  assert.deepEqual(checkCurrency('JPY'), { ok: true, value: { code: 'JPY', numeric: '392', digits: 0, name: 'Yen' } });
  const gold = checkCurrency('XAU');
  assert.ok(!gold.ok);
  assert.equal(gold.code, 'currency-unknown');
  assert.match(gold.message, /no minor unit/);
  assert.throws(() => formatAmount(1n, 'XAU'), RangeError);
  assert.throws(() => formatForPeople(1n, 'BGN'), RangeError);
});
