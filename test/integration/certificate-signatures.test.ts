import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressOf,
  type Certificate,
  CERTIFICATE_KINDS,
  certificateKindNumber,
  certificateStructHash,
  bytesToHex,
  certificateKeySchema,
  epochDigest,
  epochForSystems,
  type Hash,
  hashToHex,
  joinShares,
  keccak256,
  leafHash,
  rootDigest,
  rootFromPath,
  signCertificates,
  verifyShare,
} from '@linkspan/protocol';
import fc from 'fast-check';
import { hashStruct, hashTypedData, recoverAddress } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { createVerify, secp256k1Signer } from '@linkspan/keys';

const verify = createVerify({ memoize: 1000 });
const signers = ['11', '22', '33'].map((byte) => secp256k1Signer(byte.repeat(32)));
const types = {
  Certificate: [
    { name: 'network', type: 'bytes32' },
    { name: 'settlement', type: 'bytes32' },
    { name: 'kind', type: 'uint8' },
    { name: 'scenario', type: 'bytes32' },
    { name: 'head', type: 'bytes32' },
    { name: 'count', type: 'uint64' },
    { name: 'epoch', type: 'uint64' },
    { name: 'operations', type: 'bytes32[]' },
  ],
  Root: [
    { name: 'network', type: 'bytes32' },
    { name: 'epoch', type: 'uint64' },
    { name: 'block', type: 'uint64' },
    { name: 'root', type: 'bytes32' },
  ],
  Epoch: [
    { name: 'network', type: 'bytes32' },
    { name: 'epoch', type: 'uint64' },
    { name: 'quorum', type: 'uint64' },
    { name: 'signers', type: 'address[]' },
  ],
} as const;

const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
const privateKeys = fc.bigInt({ min: 1n, max: 2n ** 255n }).map((number) => number.toString(16).padStart(64, '0'));
const hash = digests.map((bytes): Hash => `sha256:${bytesToHex(bytes)}`);
const certificate = fc.record({
  network: hash,
  settlement: hash,
  kind: fc.constantFrom(...CERTIFICATE_KINDS),
  scenario: hash,
  head: hash,
  count: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  epoch: fc.integer({ min: 1, max: 1000 }),
  operations: fc.array(hash, { maxLength: 5 }),
});
const block = fc.array(certificate, { minLength: 1, maxLength: 9 }).map((all) => {
  const [first] = all;
  return all.map((one): Certificate => ({
    ...one,
    network: first?.network ?? one.network,
    epoch: first?.epoch ?? one.epoch,
  }));
});

test('the struct hash of a certificate is that of EIP-712, as viem computes it', () => {
  fc.assert(
    fc.property(certificate, (one) => {
      assert.equal(
        `0x${bytesToHex(certificateStructHash(one))}`,
        hashStruct({ types, primaryType: 'Certificate', data: typedData(one) }),
      );
    }),
  );
});

test('what is signed for an epoch is the typed data of EIP-712, with the signers in ascending order, as viem computes it', async () => {
  const epochs = fc.record({
    epoch: fc.integer({ min: 2, max: 1000 }),
    quorum: fc.integer({ min: 2, max: 32 }),
    keys: fc.array(fc.uint8Array({ minLength: 20, maxLength: 20 }), { minLength: 2, maxLength: 9 }),
  });
  fc.assert(
    fc.property(hash, epochs, (network, { epoch, quorum, keys }) => {
      const members = keys.map((bytes, i) => {
        return { organisation: `o-${i}`, certificateKey: certificateKeySchema.parse(`secp256k1:${bytesToHex(bytes)}`) };
      });
      const next = { epoch, quorum, members };
      const { signers: sorted } = epochForSystems(network, next, [], quorum);
      assert.deepEqual(sorted, sorted.toSorted());
      const digest = hashTypedData({
        domain: { name: 'Linkspan', version: '1' },
        types,
        primaryType: 'Epoch',
        message: { network: hashToHex(network), epoch: BigInt(epoch), quorum: BigInt(quorum), signers: sorted },
      });
      assert.equal(digest, `0x${bytesToHex(epochDigest(network, next))}`);
    }),
  );
});

test('viem recovers every signer of a block from the typed data of its root', async () => {
  await fc.assert(
    fc.asyncProperty(block, fc.nat(), async (certificates, number) => {
      for (const signer of signers) {
        for (const share of signCertificates(signer, number, certificates)) {
          assert.ok(verifyShare(verify, share));
          const leaf = leafHash(keccak256, certificateStructHash(share.certificate));
          const root = rootFromPath(keccak256, leaf, share.path);
          assert.ok(root);
          const message = {
            network: hashToHex(share.certificate.network),
            epoch: BigInt(share.certificate.epoch),
            block: BigInt(number),
          };
          const digest = hashTypedData({
            domain: { name: 'Linkspan', version: '1' },
            types,
            primaryType: 'Root',
            message: { ...message, root: `0x${bytesToHex(root)}` },
          });
          assert.equal(
            digest,
            `0x${bytesToHex(rootDigest(share.certificate.network, share.certificate.epoch, number, root))}`,
          );
          const recovered = await recoverAddress({ hash: digest, signature: `0x${share.signature}` });
          assert.equal(recovered.toLowerCase(), addressOf(signer.key));
        }
      }
    }),
    { numRuns: 10 },
  );
});

test('the key is the address and the signature recovers to it, as viem has them', async () => {
  await fc.assert(
    fc.asyncProperty(privateKeys, digests, async (privateKey, digest) => {
      const signer = secp256k1Signer(privateKey);
      assert.equal(addressOf(signer.key), privateKeyToAddress(`0x${privateKey}`).toLowerCase());
      const signature = signer.sign(digest);
      assert.equal(signature, signer.sign(digest), 'deterministic');
      assert.ok(verify(signer.key, digest, signature));
      const recovered = await recoverAddress({ hash: digest, signature: `0x${signature}` });
      assert.equal(recovered.toLowerCase(), addressOf(signer.key));
    }),
    { numRuns: 30 },
  );
});

test('a share verifies for nothing but what was signed', () => {
  const [signer] = signers;
  assert.ok(signer);
  fc.assert(
    fc.property(block, fc.nat(1000), hash, (certificates, number, other) => {
      const [share] = signCertificates(signer, number, certificates);
      assert.ok(share);
      assert.ok(verifyShare(verify, share));
      const one = share.certificate;
      const forgeries: Certificate[] = [
        { ...one, network: other },
        { ...one, settlement: other },
        { ...one, kind: one.kind === 'commit' ? 'abort' : 'commit' },
        { ...one, scenario: other },
        { ...one, head: other },
        { ...one, count: one.count === 1 ? 2 : one.count - 1 },
        { ...one, epoch: one.epoch + 1 },
        { ...one, operations: [...one.operations, other] },
      ];
      for (const forged of forgeries) assert.equal(verifyShare(verify, { ...share, certificate: forged }), false);
      assert.equal(verifyShare(verify, { ...share, block: number + 1 }), false);
      assert.equal(verifyShare(verify, { ...share, key: `secp256k1:${'ab'.repeat(20)}` }), false);
    }),
    { numRuns: 20 },
  );
});

test('shares of a quorum join, sorted by signer', () => {
  fc.assert(
    fc.property(block, fc.shuffledSubarray(signers, { minLength: 2 }), (certificates, some) => {
      const shares = some.flatMap((signer) => signCertificates(signer, 5, certificates).slice(0, 1));
      const joined = joinShares(shares, 2);
      assert.ok(joined);
      const keys = joined.signatures.map(({ key }) => key);
      assert.deepEqual(keys, keys.toSorted());
      assert.equal(new Set(keys).size, 2);
      assert.equal(joinShares(shares.slice(0, 1), 2), undefined);
    }),
    { numRuns: 20 },
  );
});

test('the numbers of the kinds are those of the published type', () => {
  assert.deepEqual(CERTIFICATE_KINDS.map(certificateKindNumber), [1, 2, 3, 4]);
});

function typedData(one: Certificate) {
  return {
    network: hashToHex(one.network),
    settlement: hashToHex(one.settlement),
    kind: certificateKindNumber(one.kind),
    scenario: hashToHex(one.scenario),
    head: hashToHex(one.head),
    count: BigInt(one.count),
    epoch: BigInt(one.epoch),
    operations: one.operations.map(hashToHex),
  };
}
