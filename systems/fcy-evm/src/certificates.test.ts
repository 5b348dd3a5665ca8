import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Hex } from 'viem';
import { concat, sliceHex, toHex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';

import type { Certificate, Proof, SignedCertificate } from './test-support/certificate-signing.ts';
import { organisations, signAlone, signBlock, signEpoch } from './test-support/certificate-signing.ts';
import type { TokenFixture } from './test-support/token-fixture.ts';
import {
  bytes32,
  certificate,
  executor,
  network,
  noOperation,
  openTokenFixture,
  payee,
  quorum,
  signers,
  stranger,
} from './test-support/token-fixture.ts';

const reason = '0x4e415252';
const curveOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const hold = bytes32('hold');
const settlement = bytes32('settlement');
const commit = certificate(settlement, 'commit', [hold]);

let fixture: TokenFixture;
before(async () => {
  fixture = await openTokenFixture();
  const { address } = fixture.freshPayer();
  assert.equal(await fixture.act(executor, 'hold', [hold, settlement, address, payee.address, 10n]), 'done');
});
after(() => fixture.close());

test('a certificate needs the quorum, and all three organisations are as good as two', async () => {
  assert.equal(await executing(commit, []), 'NotEnoughSignatures');
  assert.equal(await executing(commit, quorum.slice(0, 1)), 'NotEnoughSignatures');
  assert.equal(await executing(commit, quorum), undefined);
  assert.equal(await executing(commit, signers), undefined);
});

test('signatures count once, in order, and only from the signers of the epoch', async () => {
  const [first, second] = signers;
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(await executing(commit, [first, first]), 'SignersNotSorted');
  assert.equal(await executing(commit, [second, first]), 'SignersNotSorted');
  assert.equal(await executing(commit, [first, second, second]), 'SignersNotSorted');
  assert.equal(await executing(commit, organisations(['outsider 1', 'outsider 2'])), 'NotASigner');
  assert.equal(await executing(commit, [...quorum, ...organisations(['outsider 1'])]), 'NotASigner');
});

test('F39 a certificate of another network, settlement, kind or epoch is refused', async () => {
  assert.equal(await executing({ ...commit, network: bytes32('other network') }), 'WrongNetwork');
  assert.equal(await executing({ ...commit, settlement: bytes32('other settlement') }), 'WrongSettlement');
  for (const kind of [0, 1, 3, 4, 255]) assert.equal(await executing({ ...commit, kind }), 'WrongKind');
  assert.equal(await executing({ ...commit, epoch: 2n }), 'UnknownEpoch');
  assert.equal(await executing({ ...commit, epoch: 0n }), 'EpochTooOld');
});

test('what was signed cannot be changed afterwards', async () => {
  const [signed, proof] = await signAlone(quorum, commit);
  const changes: Partial<Certificate>[] = [
    { scenario: bytes32('x') },
    { head: bytes32('x') },
    { count: 8n },
    { operations: [hold, bytes32('x')] },
  ];
  for (const change of changes) assert.equal(await refusal([{ ...signed, ...change }, proof]), 'NotASigner');
  const proofs: Partial<Proof>[] = [{ block: 2n }, { index: 0n, size: 2n, hashes: [bytes32('x')] }];
  for (const change of proofs) assert.equal(await refusal([signed, { ...proof, ...change }]), 'NotASigner');
  const lengths: Partial<Proof>[] = [{ index: 1n }, { size: 0n }, { size: 2n }, { hashes: [bytes32('x')] }];
  for (const change of lengths) assert.equal(await refusal([signed, { ...proof, ...change }]), 'BadPath');
});

test('a signature has one form: 65 bytes, low s, v 27 or 28', async () => {
  const [signed, proof] = await signAlone(quorum, commit);
  const forms: ((signature: Hex) => Hex)[] = [
    highS,
    (signature) => concat([sliceHex(signature, 0, 64), toHex(Number(sliceHex(signature, 64)) - 27, { size: 1 })]),
    (signature) => sliceHex(signature, 0, 64),
    (signature) => concat([signature, '0x00']),
    () => toHex(0, { size: 65 }),
    () => concat([toHex(0, { size: 64 }), '0x1b']),
  ];
  for (const form of forms) {
    const signatures = proof.signatures.map((signature, index) => (index === 1 ? form(signature) : signature));
    assert.equal(await refusal([signed, { ...proof, signatures }]), 'BadSignature');
  }
});

test('every leaf of a tree of any size is proven by its own path and by no other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.nat(), async (size, one, two) => {
      const [index, other] = [one % size, two % size];
      const certificates = Array.from({ length: size }, (_, leaf) =>
        certificate(bytes32(`settlement ${leaf}`), 'fence', [bytes32(`operation ${leaf}`)]),
      );
      const signed = await signBlock(quorum, certificates);
      const [own, foreign] = [signed[index], signed[other]];
      assert.ok(own !== undefined && foreign !== undefined);
      assert.equal(await fencing(index, own), undefined);
      if (index !== other) assert.ok(await fencing(index, [own[0], foreign[1]]));
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('an epoch is installed once, in sequence, under the quorum of the one before it', async () => {
  const next = organisations(['organisation A', 'organisation D', 'organisation E', 'organisation F']);
  const addresses = next.map((signer) => signer.address);
  const epoch = { network, epoch: 2n, quorum: 3n, signers: addresses };
  const install = async (by: PrivateKeyAccount[], message = epoch) =>
    fixture.act(stranger, 'installEpoch', [
      message.epoch,
      message.quorum,
      message.signers,
      await signEpoch(by, message),
    ]);
  assert.equal(await install(quorum.slice(0, 1)), 'NotEnoughSignatures');
  assert.equal(await install(next.slice(0, 3)), 'NotASigner');
  assert.equal(await install(quorum, { ...epoch, epoch: 3n }), 'NotTheNextEpoch');
  assert.equal(await install(quorum, { ...epoch, quorum: 0n }), 'BadQuorum');
  assert.equal(await install(quorum, { ...epoch, quorum: 5n }), 'BadQuorum');
  assert.equal(await install(quorum, { ...epoch, signers: addresses.toReversed() }), 'SignersNotSorted');
  assert.equal(await install(quorum), 'done');
  assert.equal(await install(quorum), 'NotTheNextEpoch');

  assert.equal(await executing(commit, quorum), undefined, 'an old hold still accepts certificates of its own epoch');
  const inSecond = { ...commit, epoch: 2n };
  assert.equal(await executing(inSecond, quorum), 'NotEnoughSignatures');
  assert.equal(await executing(inSecond, next.slice(0, 3)), undefined, 'and of a later one');

  const [later, payer] = [bytes32('held later'), fixture.freshPayer().address];
  assert.equal(await fixture.act(executor, 'hold', [later, settlement, payer, payee.address, 10n]), 'done');
  const old = await signAlone(quorum, { ...commit, operations: [later] });
  assert.equal(await fixture.act(stranger, 'execute', [noOperation, later, ...old]), 'EpochTooOld');
  const fresh = await signAlone(next, { ...inSecond, operations: [later] });
  assert.equal(await fixture.act(stranger, 'execute', [noOperation, later, ...fresh]), 'done');
});

/** How the token would refuse to execute the hold under this certificate. */
async function executing(by: Certificate, signing: readonly PrivateKeyAccount[] = quorum): Promise<string | undefined> {
  return refusal(await signAlone(signing, by));
}

function refusal(signed: SignedCertificate): Promise<string | undefined> {
  return fixture.refusal(stranger.address, 'execute', [noOperation, hold, ...signed]);
}

function fencing(leaf: number, signed: SignedCertificate): Promise<string | undefined> {
  return fixture.refusal(stranger.address, 'fenceCertified', [bytes32(`operation ${leaf}`), reason, ...signed]);
}

/** The other signature that recovers the same address: (r, n - s) with the other v. */
function highS(signature: Hex): Hex {
  const s = curveOrder - BigInt(sliceHex(signature, 32, 64));
  const v = 55 - Number(sliceHex(signature, 64));
  return concat([sliceHex(signature, 0, 32), toHex(s, { size: 32 }), toHex(v, { size: 1 })]);
}
