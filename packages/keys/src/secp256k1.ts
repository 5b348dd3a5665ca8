import { randomBytes } from 'node:crypto';
import {
  addressBytes,
  bytesToHex,
  type CertificateKey,
  compareBytes,
  Fault,
  hexToBytes,
  isHex,
  keccak256,
  sameBytes,
  type Signer,
} from '@linkspan/protocol';
import secp256k1 from 'secp256k1';
import { privateKeyBytes } from './private-key.ts';

/** A new secp256k1 private key: 64 hexadecimal digits. */
export function generateSecp256k1PrivateKey(): string {
  let bytes = randomBytes(32);
  while (!secp256k1.privateKeyVerify(bytes)) bytes = randomBytes(32);
  return bytes.toString('hex');
}

/**
 * Signs 32-byte digests with a secp256k1 private key of 64 hexadecimal digits: r, s and v (27 or 28) as 130 hexadecimal digits, with the
 * lower s (EIP-2) and a nonce from RFC 6979. Throws a Fault `configuration-invalid` where the private key is none.
 */
export function secp256k1Signer(privateKey: string): Signer<CertificateKey> {
  const bytes = privateKeyBytes('secp256k1', privateKey);
  if (!secp256k1.privateKeyVerify(bytes)) {
    throw new Fault('configuration-invalid', 'The secp256k1 private key is zero or not below the order of the curve.');
  }
  const key: CertificateKey = `secp256k1:${bytesToHex(addressOfPoint(secp256k1.publicKeyCreate(bytes, false)))}`;
  return {
    key,
    sign: (digest) => {
      const { signature, recid } = secp256k1.ecdsaSign(Uint8Array.from(digest), bytes);
      return bytesToHex(signature) + (27 + recid).toString(16);
    },
  };
}

/** Whether the signature over the digest recovers to the key's address, under the rules of {@link secp256k1Signer}. */
export function verifySecp256k1(key: CertificateKey, digest: Uint8Array, signature: string): boolean {
  if (digest.length !== 32 || !isHex(signature, 65)) return false;
  const bytes = hexToBytes(signature);
  const v = bytes[64] ?? 0;
  if (v !== 27 && v !== 28) return false;
  if (compareBytes(bytes.subarray(32, 64), HALF_ORDER) > 0) return false;
  const point = recover(bytes.slice(0, 64), v - 27, Uint8Array.from(digest));
  return point !== undefined && sameBytes(addressOfPoint(point), addressBytes(key));
}

/** Half the order of the curve: of s and its negative, which verify alike, only the one up to here counts (EIP-2). */
const HALF_ORDER = hexToBytes('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0');

/** The library throws for numbers that belong to no point; to the caller that is one more signature that does not fit. */
function recover(signature: Uint8Array, recoveryId: number, digest: Uint8Array): Uint8Array | undefined {
  try {
    return secp256k1.ecdsaRecover(signature, recoveryId, digest, false);
  } catch {
    return undefined;
  }
}

function addressOfPoint(point: Uint8Array): Uint8Array {
  return keccak256(point.subarray(1)).subarray(12);
}
