import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { canonicalJson, canonicalText, isCanonicalisable } from './canonical-json.ts';
import { hashOf } from './hash.ts';

const vectors = z
  .strictObject({
    valid: z.array(z.strictObject({ why: z.string(), text: z.string(), canonical: z.string() })),
    invalid: z.array(z.strictObject({ why: z.string(), text: z.string() })),
  })
  .parse(
    JSON.parse(readFileSync(new URL('../../../test/vectors/envelopes/canonical-json.json', import.meta.url), 'utf8')),
  );

const json = fc
  .jsonValue({ noUnicodeString: false })
  .map((value) => JSON.stringify(value))
  .filter((text) => isCanonicalisable(JSON.parse(text)));

test('every valid vector has its one text', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { why, text, canonical } of vectors.valid) assert.equal(canonicalJson(JSON.parse(text)), canonical, why);
});

test('every invalid vector has none', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { why, text } of vectors.invalid) {
    assert.throws(() => canonicalJson(JSON.parse(text)), RangeError, why);
    assert.equal(isCanonicalisable(JSON.parse(text)), false, why);
  }
});

test('the text is JSON of the same value, and its own canonical text', () => {
  fc.assert(
    fc.property(json, (text) => {
      const canonical = canonicalJson(JSON.parse(text));
      assert.deepEqual(JSON.parse(canonical), JSON.parse(text));
      assert.equal(canonicalJson(JSON.parse(canonical)), canonical);
    }),
  );
});

test('the order in which members were written makes no difference', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).toReversed());
      assert.equal(canonicalJson(turned), canonicalJson(value));
      assert.equal(hashOf(turned), hashOf(value));
    }),
  );
});

test('two values with one text are the same value', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      const [left, right] = [a, b].map((text) => canonicalJson(JSON.parse(text)));
      if (left === right) assert.deepEqual(JSON.parse(a), JSON.parse(b));
    }),
  );
});

test('members that are undefined are left out; what is no JSON at all has no text', () => {
  assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}');
  const nothing: unknown[] = [
    undefined,
    1n,
    Symbol('s'),
    () => 1,
    [undefined],
    Array.from({ length: 2, 1: 1 }),
    Number.NaN,
    [Number.POSITIVE_INFINITY],
  ];
  for (const value of nothing) assert.throws(() => canonicalJson(value), RangeError);
});

test('the text of a document that was asked for before is the same text', () => {
  const document = { b: [1, { d: 'x', c: null }], a: '"' };
  assert.equal(canonicalText(document), canonicalJson(document));
  assert.equal(canonicalText(document), '{"a":"\\"","b":[1,{"c":null,"d":"x"}]}');
});
