import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { COUNTRY_CODES, ISIN_PREFIXES } from './countries.ts';
import { checkIsin, isinCheckDigit } from './isin.ts';

const vectors = z
  .strictObject({
    valid: z.array(z.string()),
    invalid: z.array(z.strictObject({ value: z.string(), code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/identifiers/isin.json', import.meta.url), 'utf8')));

const body = fc
  .tuple(fc.constantFrom(...ISIN_PREFIXES), fc.stringMatching(/^[A-Z0-9]{9}$/))
  .map(([prefix, rest]) => prefix + rest);

test('every valid vector is accepted as it is written', () => {
  assert.ok(vectors.valid.length > 0);
  for (const value of vectors.valid) assert.deepEqual(checkIsin(value), { ok: true, value });
});

test('F24 every invalid vector is refused with its code and a sentence', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { value, code } of vectors.invalid) {
    const checked = checkIsin(value);
    assert.ok(!checked.ok, value);
    assert.equal(checked.code, code, value);
    assert.match(checked.message, /\.$/);
  }
});

test('there are 249 countries, and each may begin an ISIN', () => {
  assert.equal(COUNTRY_CODES.size, 249);
  for (const country of COUNTRY_CODES) {
    assert.match(country, /^[A-Z]{2}$/);
    assert.equal(checkIsin(`${country}000000000${isinCheckDigit(`${country}000000000`)}`).ok, true);
  }
});

test('exactly one of the ten check digits is right', () => {
  fc.assert(
    fc.property(body, (text) => {
      const accepted = '0123456789'.split('').filter((digit) => checkIsin(text + digit).ok);
      assert.deepEqual(accepted, [isinCheckDigit(text)]);
    }),
  );
});

test('one changed digit is always noticed', () => {
  fc.assert(
    fc.property(body, fc.nat({ max: 11 }), fc.integer({ min: 1, max: 9 }), (text, at, shift) => {
      const isin = text + isinCheckDigit(text);
      const digit = isin.charAt(at);
      fc.pre(/[0-9]/.test(digit));
      const changed = isin.slice(0, at) + String((Number(digit) + shift) % 10) + isin.slice(at + 1);
      const checked = checkIsin(changed);
      assert.equal(!checked.ok && checked.code, 'isin-check-digit');
    }),
  );
});

test('the message does not tell the right check digit, which would turn a typing error into another security', () => {
  const checked = checkIsin('US0378331003');
  assert.ok(!checked.ok);
  assert.doesNotMatch(checked.message.replace('US0378331003', ''), /5/);
});

test('a check digit needs eleven characters', () => {
  assert.throws(() => isinCheckDigit('US0378331005'), RangeError);
  assert.throws(() => isinCheckDigit('us037833100'), RangeError);
});
