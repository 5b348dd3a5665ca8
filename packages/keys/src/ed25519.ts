import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { bytesToHex, hexToBytes, isHex, type Signer, type SigningKey } from '@linkspan/protocol';
import { privateKeyBytes } from './private-key.ts';

/** A new Ed25519 private key (the seed of RFC 8032 section 5.1.5): 64 hexadecimal digits. */
export function generateEd25519PrivateKey(): string {
  return randomBytes(32).toString('hex');
}

/** Signs with an Ed25519 private key of 64 hexadecimal digits. Throws a Fault `configuration-invalid` for anything else. */
export function ed25519Signer(privateKey: string): Signer<SigningKey> {
  const der = Buffer.concat([PRIVATE_KEY_HEADER, privateKeyBytes('Ed25519', privateKey)]);
  const keyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicDer = createPublicKey(keyObject).export({ format: 'der', type: 'spki' });
  const key: SigningKey = `ed25519:${bytesToHex(publicDer.subarray(PUBLIC_KEY_HEADER.length))}`;
  return { key, sign: (bytes) => sign(null, bytes, keyObject).toString('hex') };
}

/** The key in the form that checks signatures, or undefined where no signature by it could mean anything. */
export function ed25519PublicKey(key: SigningKey): KeyObject | undefined {
  const digits = key.slice('ed25519:'.length);
  if (!isHex(digits, 32)) return undefined;
  const bytes = hexToBytes(digits);
  if (hasSmallOrder(bytes)) return undefined;
  return createPublicKey({ key: Buffer.concat([PUBLIC_KEY_HEADER, bytes]), format: 'der', type: 'spki' });
}

/** Whether the 128 lower-case hexadecimal digits are a signature over the bytes. One signature has one text, so upper case is refused. */
export function verifyEd25519(key: KeyObject, bytes: Uint8Array, signature: string): boolean {
  return isHex(signature, 64) && verify(null, bytes, key, hexToBytes(signature));
}

/** DER of everything before the 32 bytes of a key (RFC 8410 sections 4 and 7). */
const PUBLIC_KEY_HEADER = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE_KEY_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The points of small order, with the sign bit cleared, in every encoding that decoders take. Under such a "key" one signature fits many
 * messages, so its owner could deny or claim anything. OpenSSL 3.5 refuses them and OpenSSL 3.0 does not; the ledger's answer may not
 * depend on which of the two a node runs.
 */
const SMALL_ORDER = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

function hasSmallOrder(key: Uint8Array): boolean {
  const unsigned = Uint8Array.from(key);
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f;
  return SMALL_ORDER.has(bytesToHex(unsigned));
}
