import { sha256 as sha256Bytes } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { bytesToHex, hexToBytes, utf8ToBytes } from './bytes.ts';
import { canonicalJson } from './canonical-json.ts';

/** A SHA-256 hash as it is printed: `sha256:` and 64 lower-case hexadecimal digits. */
export type Hash = `sha256:${string}`;

export const hashSchema = z.templateLiteral(['sha256:', z.string().regex(/^[0-9a-f]{64}$/)]);

export function sha256(bytes: Uint8Array): Uint8Array {
  return sha256Bytes(bytes);
}

export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

/** The hash of a value's canonical JSON. */
export function hashOf(value: unknown): Hash {
  return hashFromBytes(sha256(utf8ToBytes(canonicalJson(value))));
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
