import assert from 'node:assert/strict';
import type { Evidence } from '@linkspan/audit';
import type { NetworkChange } from '@linkspan/protocol';
import { testKeys } from '@linkspan/testkit';
import { EvidenceScene, smallNetwork } from './evidence-scene.ts';

const [A, B, CSD] = ['central-bank-a', 'central-bank-b', 'csd-b'] as const;
/** What is certified again under a later epoch stands for no block. */
const NO_BLOCK = 0;

/** The keys that an organisation signs with from the second epoch on. */
export const NEXT = testKeys('next');

/**
 * The first settlement is committed in the first epoch and executed in the second, under a certificate of the second; the other one is of the second
 * epoch altogether. The environment ends with the proposal of the change, its approval and two confirmations.
 */
export function acrossEpochs(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const first = scene.begin('T-1');
  assert.equal(scene.answerAll(first), 'committed');
  const { call, certificate } = NEXT;
  scene.agree({ what: 'rotate', organisation: A, callKey: call.key, certificateKey: certificate.key }, A, B);
  scene.beginEpoch(A, B);
  scene.keys[A] = NEXT;
  scene.certify(first, [A, B], NO_BLOCK);
  assert.equal(scene.answerAll(first), 'settled');
  return scene.evidence([first, scene.settle('T-2')]);
}

export function membershipChanged(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const proposal = scene.begin('T-1');
  const joins = testKeys('central-bank-d');
  const organisation = {
    id: 'central-bank-d',
    name: 'Central Bank of D',
    economy: 'D',
    callKey: joins.call.key,
    certificateKey: joins.certificate.key,
  };
  scene.agree({ what: 'admit', organisation }, A, CSD);
  scene.beginEpoch(A, B);
  scene.keys[organisation.id] = joins;
  const remove: NetworkChange = { what: 'remove', organisation: CSD };
  scene.agree(remove, A, B, organisation.id);
  scene.beginEpoch(A, B, organisation.id);
  const key = scene.keys[B]?.certificate.key;
  assert.ok(key);
  scene.agree({ what: 'revoke', organisation: B, key }, B);
  assert.equal(scene.answerAll(proposal), 'committed');
  scene.certify(proposal, [A, organisation.id], NO_BLOCK);
  assert.equal(scene.answerAll(proposal), 'settled');
  return scene.evidence([proposal]);
}
