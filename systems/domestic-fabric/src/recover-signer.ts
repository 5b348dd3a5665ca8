import { createRequire } from 'node:module';
import { bytesOf, hexOf, keccak } from './keccak.ts';

/**
 * The address that signed a digest with a 65-byte signature r||s||v, or undefined for every signature that is not
 * canonical: high s (EIP-2), v other than 27 or 28, values outside the curve, or the zero address.
 */
export function recoverSigner(digest: Uint8Array, signature: string): string | undefined {
  const bytes = bytesOf(signature);
  const recovery = (bytes[64] ?? 0) - 27;
  if (bytes.length !== 65 || (recovery !== 0 && recovery !== 1)) return undefined;
  if (Buffer.compare(bytes.subarray(32, 64), HALF_ORDER) > 0) return undefined;
  const key = publicKeyOf(bytes.subarray(0, 64), recovery, digest);
  if (key === undefined) return undefined;
  const address = hexOf(keccak(key.subarray(1)).subarray(12));
  return address === ZERO_ADDRESS ? undefined : address;
}

type Curve = {
  ecdsaRecover: (signature: Uint8Array, recovery: number, digest: Uint8Array, compressed: boolean) => Uint8Array;
};

const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex');
const ZERO_ADDRESS = `0x${'0'.repeat(40)}`;
const curve = loadCurve();

/** The library throws for what is no point of the curve, which here is only one more kind of wrong signature. */
function publicKeyOf(signature: Uint8Array, recovery: number, digest: Uint8Array): Uint8Array | undefined {
  try {
    return curve.ecdsaRecover(signature, recovery, digest, false);
  } catch {
    return undefined;
  }
}

/** The package ships no types, so its shape is checked once instead of being declared. */
function loadCurve(): Curve {
  const loaded: unknown = createRequire(import.meta.url)('secp256k1');
  if (!isCurve(loaded)) throw new TypeError('The package secp256k1 offers no ecdsaRecover.');
  return loaded;
}

function isCurve(value: unknown): value is Curve {
  return typeof value === 'object' && value !== null && 'ecdsaRecover' in value;
}
