import assert from 'node:assert/strict';
import type { Evidence } from '@linkspan/audit';
import {
  type CallBody,
  type Hash,
  hashSchema,
  signBatch,
  signCalls,
  type SignedCall,
  type SignedStatement,
} from '@linkspan/protocol';
import { lodgeBody } from '@linkspan/testkit';
import { acrossEpochs, membershipChanged } from './epoch-scenes.ts';
import { EvidenceScene, smallNetwork } from './evidence-scene.ts';

/** A file that holds, and what the verifier must say of it. */
export type ValidFile = {
  readonly what: string;
  readonly verdict: 'complete' | 'incomplete';
  readonly evidence: Evidence;
};

/** Everything that evidence can look like while nothing is wrong with it. */
export function validFiles(): Record<string, ValidFile> {
  return {
    settled: { what: 'a settlement that went the whole way', verdict: 'complete', evidence: settled() },
    cancelled: {
      what: 'an operation is refused by its system, and what was held is released',
      verdict: 'complete',
      evidence: cancelled(),
    },
    rejected: { what: 'a proposal whose other side took it back', verdict: 'complete', evidence: rejected() },
    'second-round': {
      what: 'a trade that was lodged again after a first round was taken back, which is in the file as context',
      verdict: 'complete',
      evidence: secondRound(),
    },
    equivocation: {
      what: 'a validator key that contradicts itself is suspended, in a settlement that another one depends on',
      verdict: 'complete',
      evidence: equivocation(),
    },
    batched: {
      what: 'calls and statements of two settlements under one signature each, certificates under one root',
      verdict: 'complete',
      evidence: batched(),
    },
    'across-epochs': {
      what: 'an organisation gets new keys while a settlement is committed; another one follows in the new epoch',
      verdict: 'complete',
      evidence: acrossEpochs(),
    },
    'membership-changed': {
      what: 'an organisation joins and another one leaves while a settlement is under way; a key is revoked',
      verdict: 'complete',
      evidence: membershipChanged(),
    },
    period: { what: 'three settlements of a period', verdict: 'complete', evidence: period() },
    'not-ended': { what: 'holds are asked for and not answered', verdict: 'incomplete', evidence: notEnded() },
    'one-signature': {
      what: 'the commit certificate that was acted on has one signature of two',
      verdict: 'incomplete',
      evidence: oneSignature(),
    },
    'wrong-block': {
      what: 'two signatures agree, but on a block in which nothing was decided',
      verdict: 'incomplete',
      evidence: wrongBlock(),
    },
    'other-block': {
      what: 'two signatures, but one is over the root of another block',
      verdict: 'incomplete',
      evidence: otherBlock(),
    },
  };
}

function wrongBlock(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const proposal = scene.begin('T-1');
  scene.answerAll(proposal);
  scene.certify(proposal, ['central-bank-a', 'central-bank-b'], scene.block + 1);
  scene.answerAll(proposal);
  return scene.evidence([proposal]);
}

export function settled(tradeId = 'T-1', scene = new EvidenceScene(smallNetwork())): Evidence {
  return scene.evidence([scene.settle(tradeId)]);
}

function cancelled(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const proposal = scene.begin('T-1');
  scene.wait();
  scene.accepted(
    'central-bank-b',
    scene.recording(proposal, ['earmark/fcy', 'effective'], ['earmark/bond', 'effective'], ['earmark/lcy', 'dead']),
  );
  scene.certify(proposal, ['central-bank-a', 'csd-b']);
  assert.equal(scene.answerAll(proposal), 'cancelled');
  return scene.evidence([proposal]);
}

function rejected(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const proposal = scene.lodge('csd-b', scene.instruction('T-1'));
  scene.accepted('csd-b', { type: 'retract', proposal });
  return scene.evidence([proposal]);
}

function secondRound(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const first = scene.lodge('csd-b', scene.instruction('T-1'));
  scene.accepted('csd-b', { type: 'retract', proposal: first });
  return scene.evidence([scene.settle('T-1')], [first]);
}

function equivocation(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const other = scene.begin('T-0');
  const said = scene.statement(other, 'earmark/fcy');
  const statements = [scene.signed(said, [0]), scene.signed({ ...said, transaction: 'another' }, [0])];
  scene.accepted('central-bank-b', { type: 'report', proposal: other, statements });
  const proposal = scene.begin('T-1');
  const signed = ['earmark/fcy', 'earmark/bond', 'earmark/lcy'].map((name): SignedStatement => {
    const statement = scene.statement(proposal, name);
    return scene.signed(statement, statement.system === 'fcy-evm' ? [1, 2] : [0]);
  });
  // The first is signed by the suspended key as well, and so refused; the second one stands in for it.
  const [fcy] = signed;
  assert.ok(fcy);
  scene.accepted('csd-b', { type: 'record', proposal, statements: [scene.signed(fcy.statement), ...signed.slice(1)] });
  scene.accepted('csd-b', { type: 'record', proposal, statements: [fcy] });
  scene.certify(proposal, ['central-bank-a', 'central-bank-b']);
  const executed = ['deliver/fcy', 'deliver/bond', 'deliver/lcy'].map((name) => {
    const statement = scene.statement(proposal, name);
    return scene.signed(statement, statement.system === 'fcy-evm' ? [1, 2] : [0]);
  });
  scene.accepted('csd-b', { type: 'record', proposal, statements: executed });
  return scene.evidence([proposal], [other]);
}

export function batched(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  return scene.evidence(settleBatch(scene, ['T-1', 'T-2']));
}

export function period(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  return scene.evidence(['T-1', 'T-2', 'T-3'].map((tradeId) => scene.settle(tradeId)));
}

function notEnded(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  return scene.evidence([scene.begin('T-1')]);
}

function oneSignature(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const proposal = scene.begin('T-1');
  scene.answerAll(proposal);
  scene.certify(proposal, ['central-bank-a']);
  scene.answerAll(proposal);
  return scene.evidence([proposal]);
}

function otherBlock(): Evidence {
  const scene = new EvidenceScene(smallNetwork());
  const proposal = scene.begin('T-1');
  scene.answerAll(proposal);
  const { block } = scene;
  scene.certify(proposal, ['central-bank-a'], block);
  scene.certify(proposal, ['central-bank-b'], block + 1);
  scene.answerAll(proposal);
  return scene.evidence([proposal]);
}

/** Settles many trades at once, in three transactions: one signature by each organisation over all its calls, one by each validator over all its statements. */
export function settleBatch(scene: EvidenceScene, tradeIds: readonly string[]): Hash[] {
  const instructions = tradeIds.map((tradeId) => scene.instruction(tradeId));
  const lodges = (organisation: string): SignedCall[] =>
    signAll(scene, organisation, instructions.map(lodgeBody), 'lodge');
  const results = submitAll(scene, [...lodges('central-bank-a'), ...lodges('csd-b')]);
  const proposals = results.slice(tradeIds.length).map((value) => hashSchema.parse(value['proposal']));
  scene.wait();
  submitAll(scene, signAll(scene, 'central-bank-b', recordings(scene, proposals), 'holds'));
  const shares = sharesOfBlock(scene, proposals);
  scene.wait();
  const certifies = proposals.map((proposal, i): CallBody => ({ type: 'certify', proposal, shares: shares[i] ?? [] }));
  submitAll(scene, signAll(scene, 'central-bank-b', [...certifies, ...recordings(scene, proposals)], 'end'));
  return proposals;
}

function signAll(scene: EvidenceScene, organisation: string, bodies: readonly CallBody[], nonce: string): SignedCall[] {
  const signer = scene.net.organisations[organisation]?.call;
  assert.ok(signer);
  const calls = bodies.map(
    (body) => ({ schema: 'call/1', network: scene.net.id, organisation, actor: 'coordinator', nonce, body }) as const,
  );
  return signCalls(signer, calls);
}

function submitAll(scene: EvidenceScene, calls: readonly SignedCall[]) {
  return scene.submit(calls).map((result) => {
    assert.ok(result.ok, JSON.stringify(result));
    return result.value;
  });
}

/** Everything that is open in each of the settlements took effect; every validator signs once for all. */
function recordings(scene: EvidenceScene, proposals: readonly Hash[]): CallBody[] {
  const all = proposals.flatMap((proposal) => {
    const { state } = scene.view(proposal);
    const open = state.operations.filter(({ status }) => status === 'requested');
    return open.map(({ stage, name }) => ({ proposal, statement: scene.statement(proposal, `${stage}/${name}`) }));
  });
  const signed = Object.entries(scene.net.validators).flatMap(([system, signers]) => {
    const own = all.filter(({ statement }) => statement.system === system);
    const batches = signers.map((signer) =>
      signBatch(
        signer,
        own.map(({ statement }) => statement),
      ),
    );
    return own.map(({ proposal, statement }, i) => ({
      proposal,
      signed: { statement, signatures: batches.flatMap((batch) => batch[i] ?? []) },
    }));
  });
  return proposals.map((proposal) => ({
    type: 'record',
    proposal,
    statements: signed.filter((each) => each.proposal === proposal).map((each) => each.signed),
  }));
}

/** Two organisations' signatures over the root of all certificates that the last block called for, by settlement. */
function sharesOfBlock(scene: EvidenceScene, proposals: readonly Hash[]) {
  const certificates = proposals.flatMap((proposal) => scene.view(proposal).certificates.slice(-1));
  const batches = ['central-bank-a', 'central-bank-b'].map((id) => scene.shares(id, certificates));
  return proposals.map((_, i) => batches.flatMap((batch) => batch[i] ?? []));
}
