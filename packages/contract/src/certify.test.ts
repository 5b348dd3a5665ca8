import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Certificate,
  certificateStructHash,
  hashOf,
  joinShares,
  keccak256,
  leafHash,
  rootFromPath,
  signCertificates,
} from '@linkspan/protocol';
import { ContractScene, sampleNetwork } from '@linkspan/testkit';

const net = sampleNetwork();

function committed() {
  const scene = new ContractScene(net);
  const proposal = scene.begin('T-1');
  assert.equal(scene.answerAll(proposal), 'committed');
  const [certificate] = scene.view(proposal).certificates;
  assert.ok(certificate);
  return { scene, proposal, certificate };
}

test('shares of any organisations, brought by any one, are added to the entry once each and join at the quorum', () => {
  const { scene, proposal, certificate } = committed();
  const [a, b, c] = ['central-bank-a', 'central-bank-b', 'csd-b'].map((id) => scene.share(id, certificate));
  assert.ok(a && b && c);
  const bring = (shares: readonly (typeof a)[]) => scene.accepted('csd-b', { type: 'certify', proposal, shares });
  assert.deepEqual(bring([a]), { proposal, added: 1 });
  const { quorum } = net.plan.genesis;
  assert.equal(joinShares(scene.view(proposal).shares, quorum), undefined);
  assert.deepEqual(bring([a, b, b]), { proposal, added: 1 });
  assert.equal(joinShares(scene.view(proposal).shares, quorum)?.signatures.length, quorum);
  assert.deepEqual(bring([c]), { proposal, added: 1 });
  assert.equal(scene.view(proposal).state.phase, 'committed');
  assert.equal(scene.view(proposal).state.sequence, 3);
});

test('no share is taken of a certificate that no entry calls for', () => {
  const { scene, proposal, certificate } = committed();
  const others: Certificate[] = [
    { ...certificate, kind: 'abort' },
    { ...certificate, kind: 'proceed' },
    { ...certificate, head: hashOf('other') },
    { ...certificate, count: certificate.count + 1 },
    { ...certificate, settlement: hashOf('other') },
    { ...certificate, network: hashOf('other') },
    { ...certificate, scenario: hashOf('other') },
    { ...certificate, operations: [hashOf('other')] },
  ];
  for (const other of others) {
    const shares = [scene.share('csd-b', other)];
    assert.equal(scene.refused('csd-b', { type: 'certify', proposal, shares }).code, 'certificate-unknown');
  }
  const later = [scene.share('csd-b', { ...certificate, epoch: 2 })];
  assert.equal(scene.refused('csd-b', { type: 'certify', proposal, shares: later }).code, 'certificate-epoch-ended');
  const shares = [scene.share('csd-b', certificate)];
  assert.equal(scene.refused('csd-b', { type: 'certify', proposal: hashOf('none'), shares }).code, 'not-registered');
  assert.equal(
    scene.refused('csd-b', { type: 'certify', proposal: scene.begin('T-2'), shares }).code,
    'certificate-unknown',
  );
});

test('a share by no organisation, or whose signature is another one’s, refuses the call with all that came along', () => {
  const { scene, proposal, certificate } = committed();
  const good = scene.share('central-bank-a', certificate);
  const other = scene.share('csd-b', certificate);
  const bring = (share: typeof good) =>
    scene.refused('csd-b', { type: 'certify', proposal, shares: [good, share] }).code;
  assert.equal(bring({ ...other, key: `secp256k1:${'ab'.repeat(20)}` }), 'certificate-key-unknown');
  assert.equal(bring({ ...other, key: good.key }), 'certificate-signature-invalid');
  assert.equal(bring({ ...other, block: 8 }), 'certificate-signature-invalid');
  assert.equal(bring({ ...other, signature: good.signature }), 'certificate-signature-invalid');
});

test('a path that was rewritten on the way, yet leads to the same root, keeps nobody from the quorum', () => {
  const { scene, proposal, certificate } = committed();
  const block: Certificate[] = [
    certificate,
    { ...certificate, settlement: hashOf('2') },
    { ...certificate, settlement: hashOf('3') },
  ];
  const [a, b] = ['central-bank-a', 'central-bank-b'].map((id) => {
    const signer = net.organisations[id]?.certificate;
    assert.ok(signer);
    const [share] = signCertificates(signer, 7, block);
    assert.ok(share);
    return share;
  });
  assert.ok(a && b);
  // In a tree of four this leaf would have the same path, and the size itself is not signed.
  const rewritten = { ...a, path: { ...a.path, size: 4 } };
  scene.accepted('csd-b', { type: 'certify', proposal, shares: [rewritten] });
  scene.accepted('csd-b', { type: 'certify', proposal, shares: [a, b] });
  const joined = joinShares(scene.view(proposal).shares, net.plan.genesis.quorum);
  assert.ok(joined);
  assert.deepEqual(joined.signatures.map(({ key }) => key).toSorted(), [a.key, b.key].toSorted());
  const leaf = leafHash(keccak256, certificateStructHash(certificate));
  assert.deepEqual(rootFromPath(keccak256, leaf, joined.path), rootFromPath(keccak256, leaf, b.path));
});

test('an abort calls for its certificate at once and names what is in doubt', () => {
  const scene = new ContractScene(net);
  const proposal = scene.begin('T-1');
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/bond', 'dead'], ['earmark/fcy', 'effective']));
  const { certificates, state } = scene.view(proposal);
  assert.equal(state.phase, 'aborting');
  assert.deepEqual(
    certificates.map(({ kind, count, operations }) => ({ kind, count, operations })),
    [
      {
        kind: 'abort',
        count: 3,
        operations: [scene.operation(proposal, 'earmark/fcy').id, scene.operation(proposal, 'earmark/lcy').id],
      },
    ],
  );
});
