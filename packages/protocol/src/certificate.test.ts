import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createVerify, secp256k1Signer } from '@linkspan/keys';
import { z } from 'zod';
import { bytesToHex } from './bytes.ts';
import {
  type Certificate,
  certificateForSystems,
  certificateSchema,
  certificateShareSchema,
  certificateStructHash,
  joinShares,
  rootDigest,
  signCertificates,
  verifyShare,
} from './certificate.ts';
import { hashOf, keccak256 } from './hash.ts';
import { leafHash, rootFromPath } from './merkle.ts';

const share = z.looseObject({});
const vectors = z
  .strictObject({
    valid: z.array(
      z.strictObject({
        certificate: certificateSchema,
        structHash: z.string(),
        root: z.string(),
        digest: z.string(),
        share,
      }),
    ),
    invalid: z.array(z.strictObject({ why: z.string(), certificate: certificateSchema, share })),
  })
  .parse(
    JSON.parse(readFileSync(new URL('../../../test/vectors/envelopes/certificates.json', import.meta.url), 'utf8')),
  );

const verify = createVerify({ memoize: 0 });
const signers = ['11', '22', '33'].map((byte) => secp256k1Signer(byte.repeat(32)));
const certificate: Certificate = {
  network: hashOf('network'),
  settlement: hashOf('settlement'),
  kind: 'commit',
  scenario: hashOf('scenario'),
  head: hashOf('head'),
  count: 3,
  epoch: 1,
  operations: [],
};

test('every valid vector, made with viem, has its struct hash, root, digest and a right signature', () => {
  assert.ok(vectors.valid.length > 0);
  for (const vector of vectors.valid) {
    const signed = certificateShareSchema.parse({ ...vector.share, certificate: vector.certificate });
    const struct = certificateStructHash(signed.certificate);
    assert.equal(bytesToHex(struct), vector.structHash);
    const root = rootFromPath(keccak256, leafHash(keccak256, struct), signed.path);
    assert.ok(root);
    assert.equal(bytesToHex(root), vector.root);
    assert.equal(
      bytesToHex(rootDigest(signed.certificate.network, signed.certificate.epoch, signed.block, root)),
      vector.digest,
    );
    assert.ok(verifyShare(verify, signed));
  }
});

test('no invalid vector is a right share', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const vector of vectors.invalid) {
    const parsed = certificateShareSchema.safeParse({ ...vector.share, certificate: vector.certificate });
    assert.equal(parsed.success && verifyShare(verify, parsed.data), false, vector.why);
  }
});

test('a quorum joins, however many shares of one key or of another block there are', () => {
  const [a, b, c] = signers.map((signer) => signCertificates(signer, 7, [certificate])[0]);
  const [late] = signers.slice(1).flatMap((signer) => signCertificates(signer, 8, [certificate]));
  assert.ok(a && b && c && late);
  assert.equal(joinShares([], 2), undefined);
  assert.equal(joinShares([a, a, a], 2), undefined);
  assert.equal(joinShares([a, late], 2), undefined);
  assert.deepEqual(joinShares([a, late, b, c], 2)?.block, 7);
  assert.deepEqual(
    joinShares([c, b, a], 3)?.signatures,
    [a, b, c].map(({ key, signature }) => ({ key, signature })).toSorted((x, y) => (x.key < y.key ? -1 : 1)),
  );
});

test('shares join by the root that they sign, not by how their paths were written down', () => {
  const block = [certificate, { ...certificate, settlement: hashOf('2') }, { ...certificate, settlement: hashOf('3') }];
  const [a, b] = signers.map((signer) => signCertificates(signer, 7, block)[0]);
  assert.ok(a && b);
  const rewritten = { ...a, path: { ...a.path, size: 4 } };
  assert.ok(verifyShare(verify, rewritten), 'the size of a tree is not signed');
  assert.equal(joinShares([rewritten, b], 2)?.signatures.length, 2);
  const broken = { ...a, path: { ...a.path, hashes: [] } };
  assert.equal(joinShares([broken, b], 2), undefined);
});

test('shares of two certificates of one block never make one', () => {
  const block = [certificate, { ...certificate, settlement: hashOf('2') }];
  const [a, b] = signers.map((signer) => signCertificates(signer, 7, block));
  assert.ok(a?.[0] && b?.[1]);
  assert.equal(joinShares([a[0], b[1]], 2), undefined);
});

test('connected systems get every 32 bytes as hexadecimal after 0x, signers in order', () => {
  const [abort] = vectors.valid.filter(({ certificate: { kind } }) => kind === 'abort');
  assert.ok(abort);
  const one = certificateShareSchema.parse({ ...abort.share, certificate: abort.certificate });
  const joined = joinShares([one], 1);
  assert.ok(joined);
  const { certificate: sent, path, signatures, signers: addresses } = certificateForSystems(joined);
  assert.equal(sent.network, `0x${abort.certificate.network.slice('sha256:'.length)}`);
  assert.deepEqual(
    sent.operations,
    abort.certificate.operations.map((id) => `0x${id.slice('sha256:'.length)}`),
  );
  assert.deepEqual(
    [sent.kind, sent.count, sent.epoch],
    [abort.certificate.kind, abort.certificate.count, abort.certificate.epoch],
  );
  assert.deepEqual(
    path.hashes,
    one.path.hashes.map((hash) => `0x${hash}`),
  );
  assert.deepEqual(signatures, [`0x${one.signature}`]);
  assert.deepEqual(addresses, [`0x${one.key.slice('secp256k1:'.length)}`]);
});
