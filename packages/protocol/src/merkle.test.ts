import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { bytesToHex, hexToBytes } from './bytes.ts';
import { sha256 } from './hash.ts';
import {
  leafHash,
  MAXIMUM_LEAVES,
  merkleTree,
  type MerklePath,
  merklePathSchema,
  ONLY_LEAF,
  rootFromPath,
} from './merkle.ts';

const hexes = z.array(z.string());
const vectors = z
  .strictObject({
    valid: z.array(z.strictObject({ leaves: hexes, root: z.string(), paths: z.array(hexes) })),
    invalid: z.array(
      z.strictObject({
        why: z.string(),
        leaf: z.string(),
        index: z.int(),
        size: z.int(),
        hashes: hexes,
        root: z.string(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/envelopes/merkle.json', import.meta.url), 'utf8')));

/** Trees of distinct leaves, since equal leaves may well stand for each other. */
const leaves = fc
  .uniqueArray(fc.nat(), { minLength: 1, maxLength: 40 })
  .map((all) => all.map((each) => leafOf(String(each))));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex);

test('every valid vector, those of the Certificate Transparency tests, has its root and paths', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { leaves: data, root, paths } of vectors.valid) {
    const tree = merkleTree(
      sha256,
      data.map((hex) => leafHash(sha256, hexToBytes(hex))),
    );
    assert.equal(bytesToHex(tree.root), root);
    assert.deepEqual(
      tree.paths,
      paths.map((hashes, index) => ({ index, size: data.length, hashes })),
    );
  }
});

test('no invalid vector leads to its root', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { why, leaf, index, size, hashes, root } of vectors.invalid) {
    const found = rootFromPath(sha256, leafHash(sha256, hexToBytes(leaf)), { index, size, hashes });
    assert.notEqual(found && bytesToHex(found), root, why);
  }
});

test('every path leads from its leaf to the root', () => {
  fc.assert(
    fc.property(leaves, (all) => {
      const { root, paths } = merkleTree(sha256, all);
      paths.forEach((path, index) => {
        assert.deepEqual(merklePathSchema.parse(path), path);
        assert.ok(path.hashes.length <= Math.ceil(Math.log2(all.length)));
        assert.deepEqual(rootFromPath(sha256, all[index] ?? root, path), root);
      });
    }),
  );
});

test('a changed leaf, hash, index or length of a path never leads to the root', () => {
  fc.assert(
    fc.property(leaves, fc.nat(), fc.nat(), hash, (all, chosen, at, other) => {
      const { root, paths } = merkleTree(sha256, all);
      const index = chosen % all.length;
      const [leaf, path] = [all[index], paths[index]];
      assert.ok(leaf && path);
      const { hashes } = path;
      const forged: MerklePath[] = [
        { ...path, hashes: [...hashes, other] },
        { ...path, hashes: [other, ...hashes] },
      ];
      for (let elsewhere = 0; elsewhere < all.length; elsewhere++)
        if (elsewhere !== index) forged.push({ ...path, index: elsewhere });
      hashes.forEach((_, i) => forged.push({ ...path, hashes: hashes.filter((__, j) => j !== i) }));
      if (hashes.length > 0) forged.push({ ...path, hashes: hashes.with(at % hashes.length, other) });
      forged.push({ ...path, index: all.length }, { ...path, size: index });
      for (const each of forged) assert.notDeepEqual(rootFromPath(sha256, leaf, each), root, JSON.stringify(each));
      assert.notDeepEqual(rootFromPath(sha256, leafOf('no leaf'), path), root);
    }),
  );
});

test('a tree of one leaf is its leaf hash; there is none of none, and none of more than the limit', () => {
  const leaf = leafOf('alone');
  assert.deepEqual(merkleTree(sha256, [leaf]), { root: leaf, paths: [ONLY_LEAF] });
  assert.deepEqual(rootFromPath(sha256, leaf, ONLY_LEAF), leaf);
  assert.throws(() => merkleTree(sha256, []), RangeError);
  assert.throws(
    () =>
      merkleTree(
        sha256,
        Array.from({ length: MAXIMUM_LEAVES + 1 }, () => leaf),
      ),
    RangeError,
  );
});

function leafOf(text: string): Uint8Array {
  return leafHash(sha256, new TextEncoder().encode(text));
}
