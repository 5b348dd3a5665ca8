import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexOf } from './keccak.ts';
import { leafHash, rootOf } from './merkle.ts';
import { treePath, treeRoot } from './test-support.ts';

test('every leaf of every tree leads to its root, and to no other by any change of its path', () => {
  const cases = fc.integer({ min: 1, max: 40 }).chain((size) => {
    const index = fc.integer({ min: 0, max: size - 1 });
    return fc.record({ size: fc.constant(size), index, other: fc.integer({ min: 0, max: 64 }) });
  });
  fc.assert(
    fc.property(cases, ({ size, index, other }) => {
      const leaves = Array.from({ length: size }, (_, place) => leafHash(Uint8Array.of(place)));
      const leaf = leafHash(Uint8Array.of(index));
      const hashes = treePath(leaves, index).map(hexOf);
      const root = hexOf(treeRoot(leaves));
      const found = (path: { index: number; size: number; hashes: string[] }) => {
        const bytes = rootOf(leaf, path);
        return bytes === undefined ? undefined : hexOf(bytes);
      };
      assert.equal(found({ index, size, hashes }), root);
      if (other !== index) assert.notEqual(found({ index: other, size, hashes }), root);
      assert.equal(found({ index, size, hashes: [...hashes, root] }), undefined);
      if (size > 1) assert.equal(found({ index, size, hashes: hashes.slice(1) }), undefined);
    }),
  );
});

test('a path may stand beyond 32 bits', () => {
  const index = 2 ** 40 + 1;
  const path = { index, size: 2 ** 41, hashes: Array.from({ length: 41 }, () => hexOf(leafHash(Uint8Array.of(1)))) };
  const leaf = leafHash(Uint8Array.of(2));
  assert.ok(rootOf(leaf, path) !== undefined);
  assert.notDeepEqual(rootOf(leaf, path), rootOf(leaf, { ...path, index: index - 2 ** 32 }));
});
