import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deeperThan } from './json-body.ts';

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

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
