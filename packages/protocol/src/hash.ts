import { sha256 as sha256Bytes } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { bytesToHex, hexToBytes, utf8ToBytes } from './bytes.ts';
import { canonicalJson, canonicalText } from './canonical-json.ts';

/** A SHA-256 hash as it is printed: `sha256:` and 64 lower-case hexadecimal digits. */
export type Hash = `sha256:${string}`;

export const hashSchema = z.templateLiteral(
  ['sha256:', z.string().regex(/^[0-9a-f]{64}$/)],
  'a hash is wanted, sha256: and 64 hexadecimal digits',
);

/** SHA-256 as a process may have it faster than in JavaScript: the hash of bytes, and of a text's UTF-8 as bytes and in hexadecimal. */
export type Sha256 = {
  readonly ofBytes: (bytes: Uint8Array) => Uint8Array;
  readonly bytesOfText: (text: string) => Uint8Array;
  readonly ofText: (text: string) => string;
};

let fast: Sha256 = {
  ofBytes: sha256Bytes,
  bytesOfText: (text) => sha256Bytes(utf8ToBytes(text)),
  ofText: (text) => bytesToHex(sha256Bytes(utf8ToBytes(text))),
};

/** Has a process use its own SHA-256 from now on. It must be the same function: a known hash is checked. */
export function useSha256(implementation: Sha256): void {
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  const answers = [
    implementation.ofText('abc'),
    bytesToHex(implementation.bytesOfText('abc')),
    bytesToHex(implementation.ofBytes(utf8ToBytes('abc'))),
  ];
  if (answers.some((answer) => answer !== known)) throw new RangeError('this is not SHA-256');
  fast = implementation;
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return fast.ofBytes(bytes);
}

/** The hash of a text's UTF-8. */
export function sha256OfText(text: string): Uint8Array {
  return fast.bytesOfText(text);
}

export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

/** The hash of a value's canonical JSON. */
export function hashOf(value: unknown): Hash {
  return hashOfText(canonicalJson(value));
}

/** The hash of a document that never changes, made once, like its text ({@link canonicalText}). */
export function documentHash(document: object): Hash {
  const known = HASHES.get(document);
  if (known) return known;
  const hash = hashOfText(canonicalText(document));
  HASHES.set(document, hash);
  return hash;
}

const HASHES = new WeakMap<object, Hash>();

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
