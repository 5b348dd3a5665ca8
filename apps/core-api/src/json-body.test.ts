import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deeperThan, hasRepeatedMember } from './json-body.ts';

test('the depth of a text is that of the value in it, whatever its strings hold', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.boolean(), (value, pretty) => {
      const text = JSON.stringify(value, null, pretty ? 2 : undefined);
      const depth = depthOf(value);
      assert.equal(deeperThan(text, depth), false);
      if (depth > 0) assert.equal(deeperThan(text, depth - 1), true);
    }),
  );
});

test('brackets in strings and after escaped quotes are text', () => {
  assert.equal(deeperThan('["[[[[\\"[[[["]', 1), false);
  assert.equal(deeperThan('["\\\\",[]]', 1), true);
});

test('a member that is there twice is found, however it is written and wherever it stands', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"b":{"c":[{"d":1 , "d"\n:2}]}}',
    String.raw`{"a":1,"\u0061":2}`,
    String.raw`{"a\"":1,"a\"":2}`,
    '{"":1,"":2}',
    '{"a":{"b":1},"c":2,"a":3}',
  ]) {
    JSON.parse(text);
    assert.equal(hasRepeatedMember(text), true, text);
  }
  for (const text of [
    '{"a":"a","b":"a"}',
    '[{"a":1},{"a":2}]',
    '{"a":{"a":{"a":1}}}',
    String.raw`{"a":1,"a\\":2,"\\a":3}`,
    '{"a":["a","a",{"a":"a"}],"A":1}',
    '"a"',
  ]) {
    JSON.parse(text);
    assert.equal(hasRepeatedMember(text), false, text);
  }
});

test('no value that was written by a program has a member twice, until one is written again', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 }), { minKeys: 1 }),
      fc.boolean(),
      (value, pretty) => {
        const text = JSON.stringify(value, null, pretty ? 2 : undefined);
        assert.equal(hasRepeatedMember(text), false);
        const [name = ''] = Object.keys(value);
        assert.equal(hasRepeatedMember(`${text.trimEnd().slice(0, -1)},${JSON.stringify(name)}:0}`), true);
      },
    ),
  );
});

test('the longest body that is taken costs no more than its length', () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `"${i}":0`);
  assert.equal(hasRepeatedMember(`{${names.join(',')}}`), false);
  assert.equal(hasRepeatedMember(`{"a":"${'\\"'.repeat(100_000)}"}`), false);
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
