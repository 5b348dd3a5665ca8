import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault, hexToBytes, utf8ToBytes, keccak256 } from '@linkspan/protocol';
import fc from 'fast-check';
import { createVerify } from './create-verify.ts';
import { generateSecp256k1PrivateKey, secp256k1Signer } from './secp256k1.ts';

const verify = createVerify({ memoize: 0 });
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const privateKeys = fc.bigInt({ min: 1n, max: ORDER - 1n }).map((number) => number.toString(16).padStart(64, '0'));
const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('the key is the address of the private key', () => {
  // Private key 1: the address of the generator itself.
  assert.equal(secp256k1Signer('1'.padStart(64, '0')).key, 'secp256k1:7e5f4552091a69125d5dfcb7b8c2659029395bdf');
  const signer = secp256k1Signer(generateSecp256k1PrivateKey());
  fc.assert(
    fc.property(digests, (digest) => {
      const signature = signer.sign(digest);
      assert.equal(signature, signer.sign(digest), 'deterministic');
      assert.ok(verify(signer.key, digest, signature));
    }),
  );
});

test('the nonce is that of RFC 6979', () => {
  // The widely used vector of Trezor and python-ecdsa: private key 1, SHA-256 of "Satoshi Nakamoto".
  const digest = hexToBytes('a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e');
  const signature = secp256k1Signer('1'.padStart(64, '0')).sign(digest);
  assert.equal(
    signature.slice(0, 128),
    '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
  );
});

test('s is always the lower one, and the higher one is refused', () => {
  fc.assert(
    fc.property(privateKeys, digests, (privateKey, digest) => {
      const signer = secp256k1Signer(privateKey);
      const signature = signer.sign(digest);
      const s = BigInt(`0x${signature.slice(64, 128)}`);
      assert.ok(s <= ORDER / 2n);
      const other =
        signature.slice(0, 64) + (ORDER - s).toString(16).padStart(64, '0') + (signature.endsWith('1b') ? '1c' : '1b');
      assert.equal(verify(signer.key, digest, other), false);
    }),
    { numRuns: 50 },
  );
});

test('hostile signatures are wrong, never an exception', () => {
  const signer = secp256k1Signer(generateSecp256k1PrivateKey());
  const digest = keccak256(utf8ToBytes('x'));
  const right = signer.sign(digest);
  const order = ORDER.toString(16);
  const hostile = [
    `${right.slice(0, 128)}00`,
    `${right.slice(0, 128)}1d`,
    `${right.slice(0, 128)}${right.endsWith('1b') ? '1c' : '1b'}`,
    '0'.repeat(128) + '1b',
    order + right.slice(64),
    right.slice(0, 64) + '0'.repeat(64) + '1b',
    'ff'.repeat(65),
    right.toUpperCase(),
    `0x${right}`,
    right.slice(2),
    '',
  ];
  for (const signature of hostile) assert.equal(verify(signer.key, digest, signature), false, signature);
  assert.equal(verify(signer.key, digest.subarray(1), right), false, 'a digest of 31 bytes');
  assert.equal(verify(`secp256k1:${'0'.repeat(40)}`, digest, '0'.repeat(128) + '1b'), false, 'the zero address');
  assert.ok(verify(signer.key, digest, right));
});

test('what is no private key is refused', () => {
  for (const text of ['0'.repeat(64), ORDER.toString(16), 'ff'.repeat(32), 'ab']) {
    assert.throws(() => secp256k1Signer(text), Fault);
  }
});
