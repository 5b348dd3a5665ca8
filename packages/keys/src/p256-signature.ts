/**
 * The DER form of a P-256 signature of 64 bytes, `r` and `s`. Of the two signatures that every signature of this kind has, it is the one with the
 * smaller `s`, which alone Fabric accepts.
 */
export function lowSDer(raw: Uint8Array): Uint8Array {
  if (raw.length !== 64) throw new RangeError(`a P-256 signature has 64 bytes, not ${raw.length}`);
  const r = toBigInt(raw.subarray(0, 32));
  const s = toBigInt(raw.subarray(32));
  const members = Buffer.concat([derInteger(r), derInteger(s > ORDER / 2n ? ORDER - s : s)]);
  return Buffer.concat([Uint8Array.of(0x30, members.length), members]);
}

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function derInteger(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  // A first bit of one would make it negative.
  const padded = (bytes[0] ?? 0) > 127 ? Buffer.concat([Uint8Array.of(0), bytes]) : bytes;
  return Buffer.concat([Uint8Array.of(0x02, padded.length), padded]);
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
