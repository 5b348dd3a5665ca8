import { keccak_256 } from '@noble/hashes/sha3.js';

/** Keccak-256 over the concatenation of its parts. */
export function keccak(...parts: Uint8Array[]): Uint8Array {
  return keccak_256(parts.length === 1 ? (parts[0] ?? NOTHING) : Buffer.concat(parts));
}

export function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex');
}

export function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

const NOTHING = new Uint8Array(0);
