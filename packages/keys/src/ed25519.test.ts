import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault, hexToBytes, signBatch, verifyBatchSignature } from '@linkspan/protocol';
import fc from 'fast-check';
import { createVerify } from './create-verify.ts';
import { ed25519PublicKey, ed25519Signer, generateEd25519PrivateKey } from './ed25519.ts';

const verify = createVerify({ memoize: 0 });
const signer = ed25519Signer('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');

test('the test vectors 1 and 2 of RFC 8032 section 7.1', () => {
  assert.equal(signer.key, 'ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  assert.equal(
    signer.sign(new Uint8Array()),
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  );
  const second = ed25519Signer('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
  const signature = second.sign(hexToBytes('72'));
  assert.ok(signature.startsWith('92a009a9f0d4cab8720e820b5f642540'));
  assert.ok(verify(second.key, hexToBytes('72'), signature));
});

test('a signature fits its own key and bytes and nothing else', () => {
  const stranger = ed25519Signer(generateEd25519PrivateKey());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, place) => {
      const signature = signer.sign(bytes);
      assert.equal(signature, signer.sign(bytes), 'deterministic');
      assert.ok(verify(signer.key, bytes, signature));
      assert.ok(!verify(stranger.key, bytes, signature));
      assert.ok(!verify(signer.key, Uint8Array.from([...bytes, 0]), signature));
      assert.ok(!verify(signer.key, bytes, changeDigit(signature, place % 128)));
    }),
  );
});

test('only one text of a signature counts', () => {
  const bytes = hexToBytes('00ff');
  const signature = signer.sign(bytes);
  for (const other of [
    signature.toUpperCase(),
    `${signature}00`,
    signature.slice(2),
    ` ${signature}`,
    `0x${signature}`,
    '',
  ]) {
    assert.equal(verify(signer.key, bytes, other), false, other);
  }
});

test('a key under which one signature fits many messages is refused', () => {
  // R = B and s = 1: under a key of small order, s·B = R + h·A holds for every h that the order divides (RFC 8032 section 5.1.7).
  const signature = `58${'66'.repeat(31)}01${'00'.repeat(31)}`;
  const orders = [
    '01' + '00'.repeat(31),
    'ec' + 'ff'.repeat(30) + '7f',
    '00'.repeat(32),
    '00'.repeat(31) + '80',
    'ee' + 'ff'.repeat(31),
  ];
  for (const key of orders) {
    assert.equal(ed25519PublicKey(`ed25519:${key}`), undefined, key);
    for (let byte = 0; byte < 32; byte++) assert.equal(verify(`ed25519:${key}`, Uint8Array.of(byte), signature), false);
  }
});

test('a batch is signed once and each member verifies by its path', () => {
  const documents = [{ a: 1 }, { a: 2 }, { a: 3 }];
  const signatures = signBatch(signer, documents);
  assert.equal(new Set(signatures.map(({ signature }) => signature)).size, 1);
  const fits = documents.map((document) =>
    signatures.map((signature) => verifyBatchSignature(verify, document, signature)),
  );
  assert.deepEqual(fits, [
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
});

test('what is no private key is refused without repeating it', () => {
  for (const text of ['', 'ab', 'zz'.repeat(32), 'AB'.repeat(32)]) {
    assert.throws(
      () => ed25519Signer(text),
      (fault: unknown) =>
        fault instanceof Fault &&
        fault.code === 'configuration-invalid' &&
        (text === '' || !fault.message.includes(text)),
    );
  }
});

function changeDigit(hex: string, place: number): string {
  return hex.slice(0, place) + (hex[place] === '0' ? '1' : '0') + hex.slice(place + 1);
}
