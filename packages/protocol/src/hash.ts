import { sha256 as sha256Bytes } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { bytesToHex, hexToBytes, utf8ToBytes } from './bytes.ts';
import { canonicalJson } from './canonical-json.ts';

/** A SHA-256 hash as it is printed: `sha256:` and 64 lower-case hexadecimal digits. */
export type Hash = `sha256:${string}`;

export const hashSchema = z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]);

/** SHA-256 as a process may have it faster than in JavaScript: the hash of bytes, and of a text's UTF-8 in hexadecimal. */
export type Sha256 = { readonly ofBytes: (bytes: Uint8Array) => Uint8Array; readonly ofText: (text: string) => string };

let fast: Sha256 = { ofBytes: sha256Bytes, ofText: (text) => bytesToHex(sha256Bytes(utf8ToBytes(text))) };

/** Has a process use its own SHA-256 from now on. It must be the same function: a known hash is checked. */
export function useSha256(implementation: Sha256): void {
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  const right =
    implementation.ofText('abc') === known && bytesToHex(implementation.ofBytes(utf8ToBytes('abc'))) === known;
  if (!right) throw new RangeError('this is not SHA-256');
  fast = implementation;
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return fast.ofBytes(bytes);
}

export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

/**
 * A hash function that remembers what it was asked of late: signatures over trees are checked member by member, and nearly all nodes of a tree
 * are asked for again by its other members. Bounded, and for short inputs only. Nobody may change an answer.
 */
export function rememberHashes(hash: (bytes: Uint8Array) => Uint8Array): (bytes: Uint8Array) => Uint8Array {
  let recent = new Map<string, Uint8Array>();
  let older = new Map<string, Uint8Array>();
  return (bytes) => {
    if (bytes.length > REMEMBERED_BYTES) return hash(bytes);
    const question = String.fromCharCode(...bytes);
    const known = recent.get(question) ?? older.get(question);
    if (known && recent.has(question)) return known;
    const answer = known ?? hash(bytes);
    if (recent.size >= REMEMBERED_HASHES) [older, recent] = [recent, new Map<string, Uint8Array>()];
    recent.set(question, answer);
    return answer;
  };
}

/** A node of a tree has 65, the struct of a certificate 288. */
const REMEMBERED_BYTES = 288;
const REMEMBERED_HASHES = 8192;

/** The hash of a value's canonical JSON. */
export function hashOf(value: unknown): Hash {
  return hashOfText(canonicalJson(value));
}

/** The hash of a text, for documents whose canonical JSON is at hand. */
export function hashOfText(text: string): Hash {
  return `sha256:${fast.ofText(text)}`;
}

export function hashFromBytes(bytes: Uint8Array): Hash {
  return `sha256:${bytesToHex(bytes)}`;
}

/** The 32 bytes of a printed hash. */
export function hashBytes(hash: Hash): Uint8Array {
  return hexToBytes(hash.slice('sha256:'.length));
}

/** A hash as connected systems write 32 bytes: `0x` and 64 digits. */
export function hashToHex(hash: Hash): `0x${string}` {
  return `0x${hash.slice('sha256:'.length)}`;
}

/** The inverse of {@link hashToHex}. */
export function hashFromHex(hex: string): Hash {
  return `sha256:${hex.slice(2).toLowerCase()}`;
}
