import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerify, secp256k1Signer } from '@linkspan/keys';
import {
  type Certificate,
  type CertificateKey,
  type CertificateShare,
  hashOf,
  signCertificates,
  type Signer,
} from '@linkspan/protocol';
import { ShareBook } from './share-book.ts';

const SIGNERS = ['1', '2', '3'].map((digit) => secp256k1Signer(digit.padStart(64, '0')));
const [A, B, C] = SIGNERS;
const STRANGER = secp256k1Signer('4'.padStart(64, '0'));
/** All three sign in the first epoch; in the second one, C is gone. */
const EPOCH_SIGNERS = {
  counts: (epoch: number, key: CertificateKey) =>
    (epoch === 1 ? SIGNERS : epoch === 2 ? SIGNERS.slice(0, 2) : []).some((signer) => signer.key === key),
  quorumOf: () => 2,
};
const PROPOSAL = hashOf('proposal');
const SETTLEMENT = hashOf('settlement');
const CALLED = certificate(3);
const verify = createVerify({ memoize: 1_000 });

test('a certificate is there with a quorum of distinct signers over one block, and not before', () => {
  const book = open();
  assert.equal(book.add(PROPOSAL, [share(A, CALLED)]), 1);
  assert.equal(book.add(PROPOSAL, [share(A, CALLED)]), 0, 'the same again is nothing new');
  assert.equal(book.add(PROPOSAL, [share(A, CALLED, 8)]), 1, 'over another block it is another one');
  assert.equal(book.add(PROPOSAL, [share(B, certificate(4))]), 1, 'another certificate may be kept');
  assert.equal(book.join(PROPOSAL, CALLED), undefined);
  book.add(PROPOSAL, [share(C, CALLED)]);
  const signed = book.join(PROPOSAL, CALLED);
  assert.deepEqual(signed?.certificate, CALLED);
  assert.deepEqual(signed?.signatures.map(({ key }) => key).toSorted(), [keyOf(A), keyOf(C)].toSorted());
});

test('a share counts in the epochs of its key, and shares of two epochs make no certificate together', () => {
  const book = open();
  const again = { ...CALLED, epoch: 2 };
  assert.equal(book.add(PROPOSAL, [share(C, again), share(A, { ...CALLED, epoch: 3 })]), 0);
  assert.equal(book.add(PROPOSAL, [share(A, again), share(B, CALLED)]), 2);
  assert.equal(book.join(PROPOSAL, CALLED), undefined);
  assert.equal(book.join(PROPOSAL, again), undefined);
  book.add(PROPOSAL, [share(B, again)]);
  assert.deepEqual(book.join(PROPOSAL, again)?.certificate, again);
});

test('what does not prove itself is not kept', () => {
  const book = open();
  const honest = share(A, CALLED);
  const forged = [
    share(STRANGER, CALLED),
    { ...honest, key: keyOf(B) },
    { ...honest, block: 8 },
    { ...honest, certificate: certificate(4) },
    { ...honest, path: { index: 1, size: 2, hashes: ['0'.repeat(64)] } },
  ];
  assert.equal(book.add(PROPOSAL, forged), 0);
  assert.deepEqual(book.of(PROPOSAL), []);
});

test('one signer cannot take the room of the others, nor its own for ever', () => {
  const book = open();
  const flood = Array.from({ length: 100 }, (_, count) => share(A, certificate(count + 10)));
  book.add(PROPOSAL, flood);
  assert.equal(book.add(PROPOSAL, [share(B, CALLED), share(C, CALLED)]), 2);
  assert.deepEqual(keysOf(book.fitting(PROPOSAL, [CALLED])), [keyOf(B), keyOf(C)]);
  assert.equal(book.add(PROPOSAL, [share(A, CALLED)]), 1);
  assert.deepEqual(keysOf(book.fitting(PROPOSAL, [CALLED])), [keyOf(B), keyOf(C), keyOf(A)]);
  assert.ok(book.of(PROPOSAL).length < flood.length, 'there is an end to what is kept');
});

test('true signatures of another settlement are not kept', () => {
  const book = open();
  assert.equal(book.add(PROPOSAL, [share(A, { ...CALLED, settlement: hashOf('another') })]), 0);
});

test('what comes for settlements that are not open makes way for newer ones; what is open stays', () => {
  const book = new ShareBook(
    () => true,
    EPOCH_SIGNERS,
    (proposal) => (proposal === PROPOSAL ? SETTLEMENT : undefined),
  );
  const shared = share(A, CALLED);
  const others = Array.from({ length: 10_001 }, (_, i) => hashOf({ ended: i }));
  book.add(PROPOSAL, [shared]);
  for (const other of others) book.add(other, [shared]);
  assert.deepEqual(
    others.slice(0, 2).map((other) => book.of(other).length),
    [0, 1],
  );
  assert.equal(book.of(PROPOSAL).length, 1);
});

test('whoever waits learns of a further share, of the end, and of its own signal', async () => {
  const book = open();
  const never = new AbortController();
  const change = book.change(PROPOSAL, never.signal);
  book.add(PROPOSAL, [share(A, CALLED)]);
  await change;
  const forgotten = book.change(PROPOSAL, never.signal);
  book.forget(PROPOSAL);
  await forgotten;
  assert.deepEqual(book.of(PROPOSAL), []);
  const stopped = book.change(PROPOSAL, never.signal);
  never.abort();
  await stopped;
  await book.change(PROPOSAL, never.signal);
});

function open(): ShareBook {
  return new ShareBook(verify, EPOCH_SIGNERS, () => SETTLEMENT);
}

function keysOf(shares: readonly CertificateShare[]): CertificateKey[] {
  return shares.map(({ key }) => key);
}

function certificate(count: number): Certificate {
  const network = hashOf('network');
  return {
    network,
    settlement: SETTLEMENT,
    kind: 'commit',
    scenario: hashOf('c'),
    head: hashOf('h'),
    count,
    epoch: 1,
    operations: [],
  };
}

function share(signer: Signer<CertificateKey> | undefined, of: Certificate, block = 7): CertificateShare {
  assert.ok(signer);
  const [first] = signCertificates(signer, block, [of]);
  assert.ok(first);
  return first;
}

function keyOf(signer: Signer<CertificateKey> | undefined): CertificateKey {
  assert.ok(signer);
  return signer.key;
}
