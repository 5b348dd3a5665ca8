import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Certificate, joinShares, type NetworkChange, systemCertificate } from '@linkspan/protocol';
import { ChangingScene, lodgeBody, sampleNetwork, testKeys } from '@linkspan/testkit';
import { runQuery } from './queries.ts';

const net = sampleNetwork();
const [A, B, CSD] = ['central-bank-a', 'central-bank-b', 'csd-b'] as const;
const NEXT = testKeys('next');
const D = testKeys('central-bank-d');
const ADMIT_D: NetworkChange = {
  what: 'admit',
  organisation: {
    id: 'central-bank-d',
    name: 'Central Bank of D',
    economy: 'D',
    callKey: D.call.key,
    certificateKey: D.certificate.key,
  },
};
const ROTATE_A: NetworkChange = { what: 'rotate', organisation: A, certificateKey: NEXT.certificate.key };

function changing(): ChangingScene {
  const scene = new ChangingScene(net);
  scene.keys['central-bank-d'] = D;
  return scene;
}

test('a change that makes an epoch is announced by the quorum and begins when a quorum confirms it', () => {
  const scene = changing();
  const proposed = scene.accepted(A, scene.propose(A, ROTATE_A));
  assert.equal(proposed['standing'], 'proposed');
  assert.equal(scene.network.announced, null);
  assert.equal(scene.refused(A, { type: 'confirm-epoch', epoch: 2 }).code, 'epoch-not-announced');
  const approved = scene.accepted(B, scene.approve(B, ROTATE_A));
  assert.deepEqual(approved, { ...proposed, standing: 'announced', approvals: [A, B] });
  assert.equal(scene.network.epoch, 1);
  assert.deepEqual(scene.accepted(A, { type: 'confirm-epoch', epoch: 2 }), { epoch: 2, confirmed: [A], begun: false });
  assert.equal(scene.network.epoch, 1, 'one organisation begins no epoch');
  assert.deepEqual(
    scene.accepted(A, { type: 'confirm-epoch', epoch: 2 })['begun'],
    false,
    'saying it twice counts once',
  );
  assert.equal(scene.accepted(CSD, { type: 'confirm-epoch', epoch: 2 })['begun'], true);
  const { current, announced, epoch, changes, id } = scene.network;
  assert.deepEqual({ epoch, announced, changes, id }, { epoch: 2, announced: null, changes: 1, id: net.id });
  assert.equal(current.members.find(({ organisation }) => organisation === A)?.certificateKey, NEXT.certificate.key);
  assert.equal(scene.refused(B, { type: 'confirm-epoch', epoch: 2 }).code, 'epoch-not-announced');
});

test('an approval of an epoch is a signature over exactly that epoch by the key that counts', () => {
  const scene = changing();
  const right = scene.propose(A, ROTATE_A);
  assert.ok(right.type === 'propose-change');
  const { seal: _, ...bare } = right;
  assert.equal(scene.refused(A, bare).code, 'epoch-seal-invalid');
  const other = scene.propose(A, ADMIT_D);
  assert.ok(other.type === 'propose-change' && other.seal !== undefined);
  assert.equal(scene.refused(A, { ...right, seal: other.seal }).code, 'epoch-seal-invalid');
  assert.equal(scene.refused(B, right).code, 'epoch-seal-invalid', 'another one’s signature');
  const rotation: NetworkChange = { what: 'rotate', organisation: A, callKey: NEXT.call.key };
  const needless = { type: 'propose-change', change: rotation, epoch: 1, seal: other.seal } as const;
  assert.equal(scene.refused(A, needless).code, 'epoch-seal-invalid');
  assert.equal(scene.refused(A, { ...right, epoch: 2 }).code, 'change-outdated');
});

test('what systems install is signed by the quorum of the epoch before, ascending by signer', () => {
  const scene = changing();
  scene.agree(ADMIT_D, CSD, A);
  const answer = runQuery(scene.world, 'epochs', {});
  assert.ok(answer.ok);
  const [epoch] = answer.value;
  assert.ok(epoch);
  assert.deepEqual([epoch.epoch, epoch.quorum, epoch.begunAt, epoch.seals.length], [2, 3, null, 2]);
  assert.deepEqual(epoch.forSystems.signers, epoch.forSystems.signers.toSorted());
  assert.equal(epoch.forSystems.signers.length, 4);
  assert.equal(epoch.forSystems.signatures.length, 2);
});

test('no certificate of an ended epoch is taken, and none of an epoch before the settlement began', () => {
  const scene = changing();
  const proposal = scene.begin('T-1');
  assert.equal(scene.answerAll(proposal), 'committed');
  const [first] = scene.view(proposal).certificates;
  assert.ok(first);
  const again: Certificate = { ...first, epoch: 2 };
  const bring = (organisation: string, certificate: Certificate) =>
    scene.do(CSD, { type: 'certify', proposal, shares: [scene.share(organisation, certificate)] });
  const codeOf = (result: ReturnType<typeof bring>) => (result.ok ? 'accepted' : result.refusal.code);
  assert.equal(codeOf(bring(B, again)), 'certificate-epoch-ended', 'it is not announced yet');
  scene.agree(ROTATE_A, A, B);
  const old = scene.keys[A];
  assert.ok(old);
  assert.deepEqual(
    scene.view(proposal).certificates.map(({ epoch }) => epoch),
    [1, 2],
  );
  // While the epoch is announced both count, each with its own keys.
  assert.equal(codeOf(bring(A, first)), 'accepted');
  assert.equal(codeOf(bring(A, again)), 'certificate-key-unknown');
  assert.equal(codeOf(bring(B, again)), 'accepted');
  scene.keys[A] = { call: old.call, certificate: NEXT.certificate };
  assert.equal(codeOf(bring(A, first)), 'certificate-key-unknown');
  scene.beginEpoch(B, CSD);
  assert.equal(codeOf(bring(CSD, first)), 'certificate-epoch-ended');
  assert.equal(codeOf(bring(A, again)), 'accepted');
  const joined = joinShares(
    scene.view(proposal).shares.filter(({ certificate }) => certificate.epoch === 2),
    2,
  );
  assert.equal(joined && systemCertificate(joined).certificate.epoch, 2);
  const later = scene.begin('T-2');
  assert.equal(scene.answerAll(later), 'committed');
  const [second] = scene.view(later).certificates;
  assert.equal(second?.epoch, 2);
  const stale = scene.share(B, { ...second, epoch: 1 });
  assert.equal(
    scene.refused(CSD, { type: 'certify', proposal: later, shares: [stale] }).code,
    'certificate-epoch-ended',
  );
});

test('a settlement that ended keeps the certificates that it has, whatever epochs follow', () => {
  const scene = changing();
  const proposal = scene.begin('T-1');
  scene.answerAll(proposal);
  const [certificate] = scene.view(proposal).certificates;
  assert.ok(certificate);
  scene.accepted(A, { type: 'certify', proposal, shares: [scene.share(A, certificate), scene.share(B, certificate)] });
  assert.equal(scene.answerAll(proposal), 'settled');
  const before = scene.view(proposal);
  scene.agree(ROTATE_A, A, B);
  scene.beginEpoch(A, B);
  assert.deepEqual(scene.view(proposal), before);
});

test('a call key is replaced at once; the old one speaks no more, and an accepted call stays', () => {
  const scene = changing();
  const change: NetworkChange = { what: 'rotate', organisation: A, callKey: NEXT.call.key };
  const body = scene.propose(A, change);
  const before = scene.call(A, body);
  assert.ok(scene.submit([before])[0]?.ok);
  assert.equal(scene.network.changes, 0, 'others must agree');
  scene.accepted(B, scene.approve(B, change));
  assert.deepEqual([scene.network.epoch, scene.network.changes], [1, 1]);
  assert.equal(scene.refused(A, lodgeBody(scene.instruction('T-1'))).code, 'key-unknown');
  assert.deepEqual(scene.submit([before])[0]?.ok, false, 'not even an accepted one under the old key');
  const keys = scene.keys[A];
  assert.ok(keys);
  scene.keys[A] = { ...keys, call: NEXT.call };
  scene.lodge(A, scene.instruction('T-1'));
});

test('an organisation’s own key is not replaced without it, unless its key was revoked', () => {
  const scene = changing();
  const change: NetworkChange = { what: 'rotate', organisation: A, callKey: NEXT.call.key };
  const key = scene.keys[A]?.call.key;
  assert.ok(key);
  scene.agree(change, B, CSD);
  assert.equal(scene.network.changes, 0);
  scene.agree({ what: 'revoke', organisation: A, key }, B);
  assert.equal(scene.network.changes, 0, 'one other organisation is no quorum');
  scene.accepted(CSD, scene.approve(CSD, { what: 'revoke', organisation: A, key }));
  assert.equal(scene.network.changes, 1);
  assert.deepEqual(scene.network.revoked, [key]);
  assert.equal(scene.refused(A, lodgeBody(scene.instruction('T-1'))).code, 'key-revoked');
  const again: NetworkChange = { ...change, callKey: testKeys('another').call.key };
  scene.agree(again, B, CSD);
  assert.equal(scene.network.changes, 2);
  assert.deepEqual(scene.network.revoked, []);
});

test('F33 whoever owns a key revokes it alone and at once; its shares count no more', () => {
  const scene = changing();
  const proposal = scene.begin('T-1');
  scene.answerAll(proposal);
  const [certificate] = scene.view(proposal).certificates;
  const key = scene.keys[A]?.certificate.key;
  assert.ok(certificate && key);
  scene.agree({ what: 'revoke', organisation: A, key }, A);
  const shares = [scene.share(A, certificate)];
  assert.equal(scene.refused(B, { type: 'certify', proposal, shares }).code, 'certificate-key-unknown');
  // Only two of three are left, and they are what makes a quorum.
  const other = scene.keys[B]?.certificate.key;
  assert.ok(other);
  const second: NetworkChange = { what: 'revoke', organisation: B, key: other };
  assert.equal(scene.refused(B, scene.propose(B, second)).code, 'quorum-lost');
  // Its owner approves without a signature that no longer counts; the two others give theirs.
  scene.accepted(A, { type: 'propose-change', change: ROTATE_A, epoch: 1 });
  scene.accepted(B, scene.approve(B, ROTATE_A));
  assert.equal(scene.network.announced, null);
  scene.accepted(CSD, scene.approve(CSD, ROTATE_A));
  scene.beginEpoch(A, B);
});

test('F55 membership changes with its quorum; who has left says nothing more, and its systems begin nothing new', () => {
  const scene = changing();
  scene.agree(ADMIT_D, A, B);
  assert.equal(scene.refused('central-bank-d', lodgeBody(scene.instruction('T-1'))).code, 'key-unknown');
  scene.beginEpoch(A, B);
  assert.deepEqual([scene.network.current.quorum, scene.network.organisations.length], [3, 4]);
  const proposal = scene.begin('T-1');
  const remove: NetworkChange = { what: 'remove', organisation: CSD };
  assert.equal(scene.refused(A, scene.propose(A, ADMIT_D)).code, 'key-used');
  scene.agree(remove, A, B);
  assert.equal(scene.network.announced, null, 'three of four are needed now');
  scene.accepted('central-bank-d', scene.approve('central-bank-d', remove));
  scene.beginEpoch(A, B, 'central-bank-d');
  assert.deepEqual([scene.network.current.quorum, scene.network.removed], [2, [CSD]]);
  assert.equal(scene.refused(CSD, lodgeBody(scene.instruction('T-2'))).code, 'organisation-removed');
  const refused = scene.refused(A, lodgeBody(scene.instruction('T-2')));
  assert.deepEqual(
    refused.problems?.map(({ code }) => code),
    ['scenario-not-approved'],
  );
  // What was under way goes on: anybody may bring what its validators say.
  assert.equal(scene.answerAll(proposal), 'committed');
  assert.equal(scene.answerAll(proposal), 'settled');
});

test('one epoch at a time, and a change is of the epoch in which it was proposed', () => {
  const scene = changing();
  scene.accepted(A, scene.propose(A, ADMIT_D));
  scene.agree(ROTATE_A, A, B);
  assert.equal(scene.refused(B, scene.approve(B, ADMIT_D)).code, 'epoch-announced');
  const late = scene.approve(B, ADMIT_D);
  scene.beginEpoch(B, CSD);
  assert.equal(scene.refused(B, late).code, 'change-outdated');
  assert.equal(scene.refused(A, { ...late, type: 'approve-change', change: net.id } as const).code, 'not-registered');
});

test('validators get other keys; what was accepted stays, and a statement of before must be made again', () => {
  const scene = changing();
  const proposal = scene.begin('T-1');
  scene.accepted(B, scene.recording(proposal, ['earmark/fcy', 'effective']));
  const signed = scene.recording(proposal, ['earmark/bond', 'effective']);
  const validators = { keys: [testKeys('v1').call.key, testKeys('v2').call.key], threshold: 2 };
  const change: NetworkChange = { what: 'rotate-validators', system: 'csd', validators };
  assert.equal(
    scene.refused(B, scene.propose(B, { ...change, validators: { ...validators, threshold: 1 } })).code,
    'record-invalid',
  );
  scene.agree(change, A, B);
  assert.equal(scene.network.changes, 0, 'not without the owner of the system');
  scene.accepted(CSD, scene.approve(CSD, change));
  assert.equal(scene.network.changes, 1);
  assert.equal(scene.refused(B, signed).code, 'statement-key-unknown');
  assert.equal(scene.operation(proposal, 'earmark/fcy').status, 'effective');
  const lost: NetworkChange = { what: 'revoke-validator', system: 'csd', key: validators.keys[0] ?? NEXT.call.key };
  scene.agree(lost, CSD);
  const suspended = runQuery(scene.world, 'suspended', { id: 'csd' });
  assert.deepEqual(suspended.ok && suspended.value, validators.keys.slice(0, 1));
  assert.equal(scene.accepted(CSD, scene.approve(CSD, change))['standing'], 'effective', 'said again, it is done');
  assert.equal(scene.refused(CSD, scene.propose(CSD, change)).code, 'key-revoked');
});

test('F47 a retired scenario takes no new instructions, and what began under it goes on', () => {
  const scene = changing();
  const proposal = scene.begin('T-1');
  const { scenario } = scene.view(proposal).state;
  const change: NetworkChange = { what: 'retire-scenario', scenario: scenario.reference, hash: scenario.hash };
  assert.equal(scene.refused(A, scene.propose(A, { ...change, hash: net.id })).code, 'not-registered');
  scene.agree(change, A, CSD);
  const refused = scene.refused(A, lodgeBody(scene.instruction('T-2')));
  assert.deepEqual(
    refused.problems?.map(({ code }) => code),
    ['scenario-retired'],
  );
  assert.equal(scene.answerAll(proposal), 'committed');
  assert.equal(scene.answerAll(proposal), 'settled');
});
