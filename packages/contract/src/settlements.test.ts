import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CallBody,
  type ErrorCode,
  type Hash,
  hashOf,
  type SignedStatement,
  signOne,
  type Statement,
} from '@linkspan/protocol';
import { ContractScene, sampleNetwork } from '@linkspan/testkit';

const net = sampleNetwork();

function preparing(tradeId = 'T-1') {
  const scene = new ContractScene(net);
  return { scene, proposal: scene.begin(tradeId) };
}

function aborting() {
  const { scene, proposal } = preparing();
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/bond', 'effective'], ['earmark/fcy', 'dead']));
  return { scene, proposal };
}

function record(proposal: Hash, ...statements: readonly SignedStatement[]): CallBody {
  return { type: 'record', proposal, statements };
}

test('any organisation records accepted statements; a settlement is settled in four entries', () => {
  const { scene, proposal } = preparing();
  assert.equal(scene.answerAll(proposal), 'committed');
  assert.equal(scene.answerAll(proposal), 'settled');
  const { state } = scene.view(proposal);
  assert.equal(state.sequence, 4);
  assert.deepEqual(state.attention, []);
  assert.equal(scene.world.state.has(`open/${proposal}`), false);
});

test('a statement that cannot be accepted is refused with its code, and leaves nothing', () => {
  const { scene, proposal } = preparing();
  const other = scene.begin('T-2');
  const fcy = scene.statement(proposal, 'earmark/fcy');
  const both = scene.signed(fcy, [0, 1]);
  const [first] = both.signatures;
  const validator = net.validators['rtgs']?.[0];
  assert.ok(first && validator);
  const cases: [string, SignedStatement, ErrorCode][] = [
    ['another network', scene.signed({ ...fcy, network: hashOf('other') }), 'statement-other-network'],
    ['another settlement', scene.signed(scene.statement(other, 'earmark/fcy')), 'statement-other-settlement'],
    ['never asked', scene.signed({ ...fcy, operation: hashOf('other') }), 'statement-other-operation'],
    ['another system', scene.signed({ ...fcy, system: 'rtgs' }), 'statement-other-system'],
    ['signed by another system', { statement: fcy, signatures: [signOne(validator, fcy)] }, 'statement-key-unknown'],
    ['one of two signatures', scene.signed(fcy, [0]), 'statement-too-few'],
    ['one key twice', scene.signed(fcy, [0, 0]), 'statement-too-few'],
    [
      'changed after it was signed',
      { ...both, statement: { ...fcy, transaction: 'other' } },
      'statement-signature-invalid',
    ],
    [
      'one right, one forged',
      { ...both, signatures: [first, { ...first, key: both.signatures[1]?.key ?? first.key }] },
      'statement-signature-invalid',
    ],
    ['enough right ones and a forged one', forgedThird(scene.signed(fcy)), 'statement-signature-invalid'],
  ];
  for (const [what, statement, code] of cases)
    assert.equal(scene.refused('csd-b', record(proposal, statement)).code, code, what);
  assert.equal(scene.refused('csd-b', record(hashOf('none'), both)).code, 'not-registered');
  scene.accepted('csd-b', record(proposal, both));
});

test('a bad statement among good ones is named and holds up none of them', () => {
  const { scene, proposal } = preparing();
  const bad = scene.signed(scene.statement(proposal, 'earmark/fcy'), [0]);
  const good = [
    scene.signed(scene.statement(proposal, 'earmark/bond')),
    scene.signed(scene.statement(proposal, 'earmark/lcy')),
  ];
  const answer = scene.accepted('csd-b', record(proposal, bad, ...good, ...good));
  const refused = answer['refused'];
  assert.ok(Array.isArray(refused));
  assert.deepEqual(
    refused.map(({ code }) => code),
    ['statement-too-few', 'already-recorded', 'already-recorded'],
  );
  assert.equal(scene.view(proposal).state.sequence, 3);
  assert.deepEqual(
    scene.view(proposal).state.operations.map(({ name, status }) => `${name} ${status}`),
    ['bond effective', 'fcy requested', 'lcy effective'],
  );
});

test('what was recorded before is refused as that; another word on it is kept as evidence and changes nothing', () => {
  const { scene, proposal } = preparing();
  const body = scene.recording(proposal, ['earmark/bond', 'effective']);
  scene.accepted('csd-b', body);
  assert.equal(scene.refused('csd-b', body).code, 'already-recorded');
  scene.accepted('csd-b', scene.recording(proposal, ['earmark/bond', 'dead']));
  const { state } = scene.view(proposal);
  assert.equal(state.phase, 'preparing');
  assert.equal(scene.operation(proposal, 'earmark/bond').status, 'effective');
  assert.deepEqual(
    state.attention.map(({ reason }) => reason),
    ['contradiction'],
  );
});

test('a record at the deadline aborts, however good it is; a moment before it commits', () => {
  const early = preparing();
  early.scene.world.tx.time += 59_999;
  assert.equal(early.scene.answerAll(early.proposal), 'committed');
  const late = preparing();
  late.scene.world.tx.time += 60_000;
  assert.equal(late.scene.answerAll(late.proposal), 'aborting');
});

test('terms that differ from what was asked abort, and the hold is released with the terms that were read back', () => {
  const { scene, proposal } = preparing();
  const { terms } = scene.operation(proposal, 'earmark/lcy');
  const statement = scene.statement(proposal, 'earmark/lcy', { terms: { ...terms, amount: '999999' } });
  scene.accepted('csd-b', record(proposal, scene.signed(statement)));
  assert.equal(scene.view(proposal).state.phase, 'aborting');
  const { id } = scene.operation(proposal, 'earmark/lcy');
  assert.deepEqual(scene.operation(proposal, 'earmark/lcy release').terms, { ...terms, amount: '999999', hold: id });
});

test('F41 expire: refused before the deadline, accepted at it, by any organisation', () => {
  const { scene, proposal } = preparing();
  scene.world.tx.time += 59_999;
  assert.equal(scene.refused('central-bank-b', { type: 'expire', proposal }).code, 'deadline-not-passed');
  scene.world.tx.time += 1;
  assert.equal(scene.accepted('central-bank-b', { type: 'expire', proposal })['phase'], 'aborting');
  assert.equal(scene.refused('central-bank-b', { type: 'expire', proposal }).code, 'nothing-overdue');
  assert.equal(scene.refused('central-bank-b', { type: 'expire', proposal: hashOf('none') }).code, 'not-registered');
});

test('F18 F19 cancel: by all who lodged, by nobody else, and never once it is decided', () => {
  const { scene, proposal } = preparing();
  assert.equal(scene.refused('central-bank-b', { type: 'cancel', proposal }).code, 'not-entitled');
  assert.equal(scene.accepted('csd-b', { type: 'cancel', proposal })['phase'], 'preparing');
  assert.equal(scene.refused('csd-b', { type: 'cancel', proposal }).code, 'already-recorded');
  assert.equal(scene.accepted('central-bank-a', { type: 'cancel', proposal })['phase'], 'aborting');
  const decided = preparing();
  decided.scene.answerAll(decided.proposal);
  assert.equal(decided.scene.refused('csd-b', { type: 'cancel', proposal: decided.proposal }).code, 'irrevocable');
});

test('F32 one key that says two things is suspended and both statements are kept; its word no longer counts', () => {
  const { scene, proposal } = preparing();
  const [one, two] = contradicting(scene, proposal);
  const evidence = [scene.signed(one, [0]), scene.signed(two, [0])];
  scene.accepted('central-bank-b', { type: 'report', proposal, statements: evidence });
  const { state } = scene.view(proposal);
  assert.equal(state.phase, 'preparing');
  assert.deepEqual(state.attention, [{ reason: 'equivocation', waitingFor: 'fcy-evm', operation: 'earmark/fcy' }]);
  assert.deepEqual(scene.world.state.get('suspended/fcy-evm'), { keys: [net.validators['fcy-evm']?.[0]?.key] });
  assert.deepEqual(scene.world.state.get(`evidence/${proposal}/${hashOf(evidence)}`), { statements: evidence });
  assert.equal(scene.refused('csd-b', record(proposal, scene.signed(one, [0, 1]))).code, 'statement-key-suspended');
  scene.accepted('csd-b', record(proposal, scene.signed(one, [1, 2])));
});

test('different keys that differ raise attention and suspend nobody', () => {
  const { scene, proposal } = preparing();
  const [one, two] = contradicting(scene, proposal);
  scene.accepted('csd-b', { type: 'report', proposal, statements: [scene.signed(one, [0]), scene.signed(two, [1])] });
  assert.deepEqual(
    scene.view(proposal).state.attention.map(({ reason }) => reason),
    ['disagreement'],
  );
  assert.equal(scene.world.state.has('suspended/fcy-evm'), false);
  scene.accepted('csd-b', record(proposal, scene.signed(one, [0, 2])));
});

test('what is no contradiction, or is forged, is no evidence and suspends nobody', () => {
  const { scene, proposal } = preparing();
  const [one, two] = contradicting(scene, proposal);
  const report = (...statements: SignedStatement[]) =>
    scene.refused('csd-b', { type: 'report', proposal, statements }).code;
  const elsewhere = scene.signed(scene.statement(proposal, 'earmark/lcy'));
  assert.equal(report(scene.signed(one, [0]), scene.signed(one, [1])), 'statements-agree');
  assert.equal(report(scene.signed(one, [0]), elsewhere), 'statements-agree');
  const forged = { ...scene.signed(one, [0]), statement: two };
  assert.equal(report(scene.signed(one, [0]), forged), 'statement-signature-invalid');
  assert.equal(report(scene.signed(one, [0]), { ...elsewhere, statement: two }), 'statement-key-unknown');
  const foreign = { ...two, network: hashOf('other') };
  assert.equal(report(scene.signed(one, [0]), scene.signed(foreign, [0])), 'statement-other-network');
});

test('people resolve an operation when two persons of every owner of a role say the same', () => {
  const { scene, proposal } = unanswered();
  const { id } = scene.operation(proposal, 'earmark/lcy');
  const owners = ['central-bank-a', 'central-bank-b', 'csd-b'];
  const voices = owners.flatMap((owner) => ['ann', 'bob'].map((person) => [owner, person] as const));
  voices.forEach(([owner, person], index) => {
    assert.equal(scene.operation(proposal, 'earmark/lcy').status, 'requested');
    scene.world.tx.time += 1000;
    assert.ok(say(scene, proposal, id, owner, person, 'dead').ok);
    const { state } = scene.view(proposal);
    assert.equal(state.sequence, 5 + index, 'each opinion is an entry of its own');
    assert.equal(state.time, scene.world.tx.time, 'under the time at which it was said');
  });
  const resolved = scene.operation(proposal, 'earmark/lcy');
  assert.deepEqual([resolved.status, resolved.byPeople, resolved.reason], ['dead', true, 'seen in the books']);
  const changes = scene.world.events.at(-1)?.changes.map(({ what }) => what);
  assert.deepEqual(changes, ['opinion', 'dead']);
  assert.equal(scene.answerAll(proposal), 'cancelled');
});

test('one person counts once, the last word counts, and a word against it keeps the operation open', () => {
  const { scene, proposal } = unanswered();
  const { id } = scene.operation(proposal, 'earmark/lcy');
  for (const owner of ['central-bank-a', 'central-bank-b']) {
    for (const person of ['ann', 'bob']) say(scene, proposal, id, owner, person, 'dead');
  }
  assert.ok(say(scene, proposal, id, 'csd-b', 'ann', 'dead').ok);
  const { sequence } = scene.view(proposal).state;
  const again = say(scene, proposal, id, 'csd-b', 'ann', 'dead');
  assert.equal(again.ok ? 'accepted' : again.refusal.code, 'already-recorded');
  assert.equal(scene.view(proposal).state.sequence, sequence, 'the same word again is no entry');
  assert.ok(say(scene, proposal, id, 'csd-b', 'ann', 'effective').ok);
  say(scene, proposal, id, 'csd-b', 'bob', 'dead');
  assert.equal(scene.operation(proposal, 'earmark/lcy').status, 'requested');
  say(scene, proposal, id, 'csd-b', 'ann', 'dead');
  assert.equal(scene.operation(proposal, 'earmark/lcy').status, 'dead');
});

test('people are asked only by settlements whose role they own, and only about what is open', () => {
  const { scene, proposal } = aborting();
  const resolving = (operation: Hash, of = proposal): CallBody => ({
    type: 'resolve',
    proposal: of,
    operation,
    status: 'dead',
    why: 'so',
  });
  const dead = scene.operation(proposal, 'earmark/fcy').id;
  assert.equal(scene.refused('csd-b', resolving(dead)).code, 'already-recorded');
  assert.equal(scene.refused('csd-b', resolving(hashOf('none'))).code, 'statement-other-operation');
  assert.equal(scene.refused('csd-b', resolving(dead, hashOf('none'))).code, 'not-registered');
});

test('nobody is asked about a hold that took effect with other terms: it is being released', () => {
  const { scene, proposal } = preparing();
  const { terms, id } = scene.operation(proposal, 'earmark/lcy');
  const statement = scene.statement(proposal, 'earmark/lcy', { terms: { ...terms, amount: '999999' } });
  scene.accepted('csd-b', record(proposal, scene.signed(statement)));
  assert.equal(
    scene.refused('csd-b', { type: 'resolve', proposal, operation: id, status: 'effective', why: 'so' }).code,
    'already-recorded',
  );
});

test('people are not heard before the settlement asks for them', () => {
  const { scene, proposal } = aborting();
  const { id } = scene.operation(proposal, 'earmark/lcy');
  const body = { type: 'resolve', proposal, operation: id, status: 'dead', why: 'so' } as const;
  assert.equal(scene.refused('csd-b', body).code, 'illegal-edge');
});

/** Aborting, and silent for so long that people were told. */
function unanswered() {
  const scened = aborting();
  scened.scene.world.tx.time += 61_000;
  scened.scene.accepted('csd-b', { type: 'expire', proposal: scened.proposal });
  return scened;
}

function say(
  scene: ContractScene,
  proposal: Hash,
  operation: Hash,
  organisation: string,
  actor: string,
  status: 'effective' | 'dead',
) {
  const body = { type: 'resolve', proposal, operation, status, why: 'seen in the books' } as const;
  const result = scene.submit([scene.call(organisation, body, actor)])[0];
  assert.ok(result);
  return result;
}

function contradicting(scene: ContractScene, proposal: Hash): [Statement, Statement] {
  return [scene.statement(proposal, 'earmark/fcy'), scene.statement(proposal, 'earmark/fcy', { status: 'dead' })];
}

function forgedThird({ statement, signatures }: SignedStatement): SignedStatement {
  return {
    statement,
    signatures: signatures.map((each, index) => (index === 2 ? { ...each, signature: '00'.repeat(64) } : each)),
  };
}
