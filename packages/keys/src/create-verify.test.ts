import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak256, type PublicKey, utf8ToBytes } from '@linkspan/protocol';
import fc from 'fast-check';
import { createVerify } from './create-verify.ts';
import { ed25519Signer } from './ed25519.ts';
import { secp256k1Signer } from './secp256k1.ts';

const signers = [1, 2, 3].flatMap((n) => {
  const privateKey = String(n).repeat(64);
  return [ed25519Signer(privateKey), secp256k1Signer(privateKey)];
});
const digests = ['a', 'b', 'c'].map((text) => keccak256(utf8ToBytes(text)));
const questions: { key: PublicKey; digest: Uint8Array; signature: string; fits: boolean }[] = signers.flatMap(
  ({ key }) =>
    digests.flatMap((digest) =>
      signers.flatMap((by) =>
        digests.map((signed) => ({
          key,
          digest,
          signature: by.sign(signed),
          fits: by.key === key && signed === digest,
        })),
      ),
    ),
);

test('however little is remembered, the answers are the same', () => {
  const order = fc.array(fc.constantFrom(...questions), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(order, fc.constantFrom(0, 1, 3, 1000), (asked, memoize) => {
      const verify = createVerify({ memoize });
      for (const { key, digest, signature, fits } of asked) assert.equal(verify(key, digest, signature), fits);
    }),
    { numRuns: 40 },
  );
});

test('an answer is about the bytes as they were when it was asked', () => {
  const verify = createVerify({ memoize: 10 });
  const [signer] = signers;
  assert.ok(signer);
  const bytes = Uint8Array.of(1, 2, 3);
  const signature = signer.sign(bytes);
  assert.ok(verify(signer.key, bytes, signature));
  bytes[0] = 9;
  assert.equal(verify(signer.key, bytes, signature), false);
});

test('keys of any text are wrong, never an exception', () => {
  const verify = createVerify({ memoize: 10 });
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('ed25519:', 'secp256k1:'), fc.string(), (text, kind, signature) => {
      const key: PublicKey = kind === 'ed25519:' ? `ed25519:${text}` : `secp256k1:${text}`;
      assert.equal(verify(key, digests[0] ?? new Uint8Array(32), signature), false);
    }),
  );
});
