import type { KeyObject } from 'node:crypto';
import { type PublicKey, type RecentMap, recentMap, type SigningKey, type Verify } from '@linkspan/protocol';
import { ed25519PublicKey, verifyEd25519 } from './ed25519.ts';
import { verifySecp256k1 } from './secp256k1.ts';

/**
 * The synchronous check of signatures that contract, Verifier and simulator are given. It remembers the last `memoize` answers, right and
 * wrong ones (0: none), because the same root is checked once for each call or statement that it covers. Never throws.
 */
export function createVerify({ memoize }: { readonly memoize: number }): Verify {
  const answers = recentMap<boolean>(memoize);
  const keys = recentMap<KeyObject | 'unusable'>(KEYS_KEPT);
  const check = (key: PublicKey, bytes: Uint8Array, signature: string): boolean => {
    try {
      return isCertificateKey(key) ? verifySecp256k1(key, bytes, signature) : checkEd25519(keys, key, bytes, signature);
    } catch {
      // Whatever a library throws about hostile bytes, it did not find that the signature fits.
      return false;
    }
  };
  return (key, bytes, signature) => {
    // Longer than any signature: not worth remembering, and nobody may fill the memory with it.
    if (memoize === 0 || signature.length > SIGNATURE_DIGITS) return check(key, bytes, signature);
    const question = `${key} ${signature} ${Buffer.from(bytes).toString('latin1')}`;
    return answers.get(question) ?? answers.set(question, check(key, bytes, signature));
  };
}

/** More keys than a network has organisations and validators. */
const KEYS_KEPT = 1024;
const SIGNATURE_DIGITS = 130;

function isCertificateKey(key: PublicKey): key is `secp256k1:${string}` {
  return key.startsWith('secp256k1:');
}

function checkEd25519(keys: RecentMap<KeyObject | 'unusable'>, key: SigningKey, bytes: Uint8Array, signature: string) {
  const keyObject = keys.get(key) ?? keys.set(key, ed25519PublicKey(key) ?? 'unusable');
  return keyObject !== 'unusable' && verifyEd25519(keyObject, bytes, signature);
}
