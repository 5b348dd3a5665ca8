import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hexOf } from './keccak.ts';
import { leafHash } from './merkle.ts';
import { recoverSigner } from './recover-signer.ts';
import { certificateHash, epochDigest, rootDigest } from './typed-data.ts';
import type { Certificate } from './typed-data.ts';

/** Every expected value here was computed by viem 2.57 (hashStruct, hashTypedData, signTypedData). */
const ABORT: Certificate = {
  network: bytes('11'),
  settlement: bytes('22'),
  kind: 'abort',
  scenario: bytes('33'),
  head: bytes('44'),
  count: 7,
  epoch: 2,
  operations: [bytes('55'), bytes('66')],
};
const ROOT_DIGEST = '0xd0a94d616454c34d68a71e63644766a00a8c0689bc86f38f4afa4410109ecbd7';
const SIGNER = '0xae72a48c1a36bd18af168541c53037965d26e4a8';
const SIGNATURE =
  '0x6b8db699a1e3cc99132896c1c6baaf94303eb71c29c0aefa3e2983be58ea4437' +
  '24cebc2d0f108a1a06ad7ae7f672f8c0ceeb8505f7ff461d5b9c4d63f78acee41b';

test('hashes a certificate as EIP-712 says, with and without operations', () => {
  const abort = hexOf(certificateHash(ABORT));
  const commit = hexOf(certificateHash({ ...ABORT, kind: 'commit', operations: [] }));
  assert.equal(abort, '0x82502e67f3e5e450f3602e691dbd0b648d191b1988751c2d96ac9d152cd0dd45');
  assert.equal(commit, '0xfff182fed99f655c099937083483c32dddae1915bc3ea05cf0c606a5d3f0c173');
});

test('digests the root of a block, also for the largest block number', () => {
  const root = leafHash(certificateHash(ABORT));
  assert.equal(hexOf(root), '0x6a806ea48323cd22d1ac2975debda993bee4ef1da89776ce044a556b21b9d8cd');
  assert.equal(hexOf(rootDigest(bytes('11'), 2, Number.MAX_SAFE_INTEGER, root)), ROOT_DIGEST);
});

test('digests an epoch', () => {
  const signers = [`0x${'aa'.repeat(20)}`, `0x${'bb'.repeat(20)}`, SIGNER];
  const digest = epochDigest({ network: bytes('11'), epoch: 3, quorum: 2, signers });
  assert.equal(hexOf(digest), '0x88d657fad7940a07ca27beeed55e45407eaa0fca472e58a9aee3eae11ab79030');
});

test('recovers the signer of a digest', () => {
  assert.equal(recoverSigner(Buffer.from(ROOT_DIGEST.slice(2), 'hex'), SIGNATURE), SIGNER);
});

test('recovers nobody from a signature that is not canonical', () => {
  const digest = Buffer.from(ROOT_DIGEST.slice(2), 'hex');
  const [r, s] = [SIGNATURE.slice(2, 66), SIGNATURE.slice(66, 130)];
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const highS = (order - BigInt(`0x${s}`)).toString(16).padStart(64, '0');
  const wrong = {
    'high s, which the curve itself would take': `0x${r}${highS}1c`,
    'v of 0': `0x${r}${s}00`,
    'v of 29': `0x${r}${s}1d`,
    'no v': `0x${r}${s}`,
    'one byte too many': `${SIGNATURE}00`,
    'r of zero': `0x${'0'.repeat(64)}${s}1b`,
    's of zero': `0x${r}${'0'.repeat(64)}1b`,
    'r beyond the order': `0x${'f'.repeat(64)}${s}1b`,
    nothing: '0x',
  };
  for (const [name, signature] of Object.entries(wrong)) {
    assert.equal(recoverSigner(digest, signature), undefined, name);
  }
});

function bytes(pair: string): string {
  return `0x${pair.repeat(32)}`;
}
