import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { bicWithBranch, checkBic } from './bic.ts';
import { BIC_COUNTRIES } from './countries.ts';

const vectors = z
  .strictObject({
    valid: z.array(z.string()),
    invalid: z.array(z.strictObject({ value: z.string(), code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/identifiers/bic.json', import.meta.url), 'utf8')));

test('every valid vector is accepted as it is written', () => {
  assert.ok(vectors.valid.length > 0);
  for (const value of vectors.valid) assert.deepEqual(checkBic(value), { ok: true, value });
});

test('F25 every invalid vector is refused with its code and a sentence', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { value, code } of vectors.invalid) {
    const checked = checkBic(value);
    assert.ok(!checked.ok, value);
    assert.equal(checked.code, code, value);
    assert.match(checked.message, /\.$/);
  }
});

test('a well-formed BIC is accepted exactly where its country exists', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Z]{4}$/),
      fc.oneof(fc.stringMatching(/^[A-Z]{2}$/), fc.constantFrom(...BIC_COUNTRIES)),
      fc.stringMatching(/^[A-Z0-9]{2}([A-Z0-9]{3})?$/),
      (prefix, country, rest) => {
        const checked = checkBic(prefix + country + rest);
        assert.equal(checked.ok, BIC_COUNTRIES.has(country));
        if (!checked.ok) assert.equal(checked.code, 'bic-country');
      },
    ),
  );
});

test('eight characters mean the head office', () => {
  assert.equal(bicWithBranch('KITAJPJ0'), 'KITAJPJ0XXX');
  assert.equal(bicWithBranch('KITAJPJ0XXX'), 'KITAJPJ0XXX');
  assert.equal(bicWithBranch('AGRIFRPP882'), 'AGRIFRPP882');
});
