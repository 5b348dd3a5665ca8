import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { checkLei, leiCheckDigits } from './lei.ts';

const vectors = z
  .strictObject({
    valid: z.array(z.string()),
    invalid: z.array(z.strictObject({ value: z.string(), code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/identifiers/lei.json', import.meta.url), 'utf8')));

const body = fc.stringMatching(/^[A-Z0-9]{18}$/);

test('every valid vector is accepted as it is written', () => {
  assert.ok(vectors.valid.length > 0);
  for (const value of vectors.valid) assert.deepEqual(checkLei(value), { ok: true, value });
});

test('F25 every invalid vector is refused with its code and a sentence', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { value, code } of vectors.invalid) {
    const checked = checkLei(value);
    assert.ok(!checked.ok, value);
    assert.equal(checked.code, code, value);
    assert.match(checked.message, /\.$/);
  }
});

test('exactly one of the hundred pairs of check digits is right, and it lies between 02 and 98', () => {
  fc.assert(
    fc.property(body, (text) => {
      const pairs = Array.from({ length: 100 }, (_, pair) => String(pair).padStart(2, '0'));
      const accepted = pairs.filter((pair) => checkLei(text + pair).ok);
      assert.deepEqual(accepted, [leiCheckDigits(text)]);
      assert.ok(Number(accepted[0]) >= 2 && Number(accepted[0]) <= 98);
    }),
  );
});

test('one character changed for another of its kind is always noticed', () => {
  fc.assert(
    fc.property(body, fc.nat({ max: 19 }), fc.integer({ min: 1, max: 25 }), (text, at, shift) => {
      const lei = text + leiCheckDigits(text);
      const kind = /[0-9]/.test(lei.charAt(at)) ? '0123456789' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
      const other = kind.charAt((kind.indexOf(lei.charAt(at)) + shift) % kind.length);
      fc.pre(other !== lei.charAt(at));
      const checked = checkLei(lei.slice(0, at) + other + lei.slice(at + 1));
      assert.equal(!checked.ok && checked.code, 'lei-check-digits');
    }),
  );
});

test('two neighbouring digits that changed places are always noticed', () => {
  fc.assert(
    fc.property(body, fc.nat({ max: 18 }), (text, at) => {
      const lei = text + leiCheckDigits(text);
      const [left, right] = [lei.charAt(at), lei.charAt(at + 1)];
      fc.pre(left !== right && /[0-9]{2}/.test(left + right));
      assert.equal(checkLei(lei.slice(0, at) + right + left + lei.slice(at + 2)).ok, false);
    }),
  );
});

test('check digits need eighteen characters', () => {
  assert.throws(() => leiCheckDigits('213800KUD8LAJWSQ9D15'), RangeError);
  assert.throws(() => leiCheckDigits('213800kud8lajwsq9d'), RangeError);
});
