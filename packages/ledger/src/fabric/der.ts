/** As much of the DER encoding (X.690) as signatures and block headers need. */

export const DER = { integer: 0x02, octets: 0x04, sequence: 0x30 } as const;

/** A value of up to 65 535 bytes. */
export function der(type: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Uint8Array.from([type, ...size]), content]);
}

export function derInteger(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  // A first bit of one would make it negative.
  return der(DER.integer, (bytes[0] ?? 0) > 127 ? Uint8Array.of(0) : new Uint8Array(), bytes);
}
