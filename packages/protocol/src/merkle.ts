import { z } from 'zod';
import { bytesToHex, compareBytes, hexToBytes } from './bytes.ts';
import { type RecentMap, recentMap } from './recent-map.ts';

/**
 * Trees over what one signature covers, shaped as in RFC 6962 section 2.1: prefix 0x00 for a leaf, 0x01 for a node.
 * The hash function is a parameter: SHA-256 for calls and statements, keccak256 for certificates, which an EVM chain checks.
 */
export type HashFunction = (bytes: Uint8Array) => Uint8Array;

/** Where a leaf stands and the hashes beside its way to the root, bottom first (RFC 6962 section 2.1.1). */
export type MerklePath = { readonly index: number; readonly size: number; readonly hashes: readonly string[] };

/** No batch is larger than this, so a path has at most 16 hashes. */
export const MAXIMUM_LEAVES = 65_536;

export const merklePathSchema = z
  .strictObject({
    index: z
      .int()
      .min(0)
      .max(MAXIMUM_LEAVES - 1),
    size: z.int().min(1).max(MAXIMUM_LEAVES),
    hashes: z
      .array(z.string().regex(/^[0-9a-f]{64}$/))
      .max(16)
      .readonly(),
  })
  .readonly();

export const ONLY_LEAF: MerklePath = { index: 0, size: 1, hashes: [] };

const LEAF = 0;
const NODE = 1;

export function leafHash(hash: HashFunction, data: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + data.length);
  input[0] = LEAF;
  input.set(data, 1);
  return hash(input);
}

type Node = { readonly bytes: Uint8Array; readonly hex: string };

/**
 * The node over two others. Nearly every node of a tree is asked for again by the other members of its batch, and looking it up takes a
 * fraction of hashing it, so each hash function's last nodes are remembered.
 */
function nodeOver(hash: HashFunction, left: Node, right: Node): Node {
  const known = recentNodes(hash);
  const name = left.hex + right.hex;
  return known.get(name) ?? known.set(name, madeOver(hash, left.bytes, right.bytes));
}

function madeOver(hash: HashFunction, left: Uint8Array, right: Uint8Array): Node {
  const input = new Uint8Array(1 + left.length + right.length);
  input[0] = NODE;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return nodeOf(hash(input));
}

function nodeOf(bytes: Uint8Array): Node {
  return { bytes, hex: bytesToHex(bytes) };
}

/** The root over leaf hashes and the path of each. A tree of one leaf is its leaf hash. */
export function merkleTree(
  hash: HashFunction,
  leaves: readonly Uint8Array[],
): { readonly root: Uint8Array; readonly paths: readonly MerklePath[] } {
  const size = leaves.length;
  if (size === 0 || size > MAXIMUM_LEAVES)
    throw new RangeError(`a tree has 1 to ${MAXIMUM_LEAVES} leaves, not ${size}`);
  const hashes: string[][] = leaves.map(() => []);
  const root = subtree(hash, leaves.map(nodeOf), 0, size, hashes);
  return { root: root.bytes, paths: hashes.map((path, index) => ({ index, size, hashes: path })) };
}

function subtree(hash: HashFunction, leaves: readonly Node[], from: number, to: number, paths: string[][]): Node {
  const only = leaves[from];
  if (to - from === 1 && only) return only;
  let split = 1;
  while (split * 2 < to - from) split *= 2;
  const middle = from + split;
  const left = subtree(hash, leaves, from, middle, paths);
  const right = subtree(hash, leaves, middle, to, paths);
  for (let i = from; i < middle; i++) paths[i]?.push(right.hex);
  for (let i = middle; i < to; i++) paths[i]?.push(left.hex);
  return nodeOver(hash, left, right);
}

/** The root that a leaf hash and its path lead to, or undefined if the path cannot belong to a tree of that size (RFC 9162 section 2.1.3.2). */
export function rootFromPath(hash: HashFunction, leaf: Uint8Array, path: MerklePath): Uint8Array | undefined {
  if (path.index >= path.size) return undefined;
  let [position, last] = [path.index, path.size - 1];
  let node = nodeOf(leaf);
  for (const hex of path.hashes) {
    if (last === 0) return undefined;
    const beside = { hex, bytes: hexToBytes(hex) };
    if (position % 2 === 1 || position === last) {
      node = nodeOver(hash, beside, node);
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, Math.floor(last / 2)];
    } else {
      node = nodeOver(hash, node, beside);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 ? node.bytes : undefined;
}

const NODES = new WeakMap<HashFunction, RecentMap<Node>>();
const REMEMBERED_NODES = 16_384;

function recentNodes(hash: HashFunction): RecentMap<Node> {
  const known = NODES.get(hash);
  if (known) return known;
  const nodes = recentMap<Node>(REMEMBERED_NODES);
  NODES.set(hash, nodes);
  return nodes;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0;
}
