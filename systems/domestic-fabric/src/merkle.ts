import { bytesOf, keccak } from './keccak.ts';

/** An audit path as in RFC 6962 2.1.1: the leaf's place, the tree's size, the neighbours from the bottom up. */
export type AuditPath = { index: number; size: number; hashes: string[] };

/** RFC 6962 leaf hash, with Keccak-256. */
export function leafHash(data: Uint8Array): Uint8Array {
  return keccak(LEAF, data);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return keccak(NODE, left, right);
}

/**
 * The root that a path leads to, by RFC 9162 2.1.3.2, or undefined when the path does not fit the tree.
 * Division stands where the RFC shifts, because indices may exceed the 32 bits of JavaScript's shifts.
 */
export function rootOf(leaf: Uint8Array, path: AuditPath): Uint8Array | undefined {
  if (path.index >= path.size) return undefined;
  let node = path.index;
  let last = path.size - 1;
  let root = leaf;
  for (const hash of path.hashes) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      root = nodeHash(bytesOf(hash), root);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = nodeHash(root, bytesOf(hash));
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? root : undefined;
}

const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);
