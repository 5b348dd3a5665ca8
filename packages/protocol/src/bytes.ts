import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

export { bytesToHex, concatBytes, hexToBytes, utf8ToBytes };

const HEX = /^(?:[0-9a-f]{2})*$/;

/** Whether the text is lower-case hexadecimal of exactly `length` bytes. */
export function isHex(text: string, length: number): boolean {
  return text.length === length * 2 && HEX.test(text);
}

/** Order of two byte strings, as numbers are ordered: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
