import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, type Terms } from '@linkspan/protocol';
import { type FamilyChoices, familyDocument, SettlementRun } from '@linkspan/testkit';

/** One test for each row of the phase table in the settlement protocol, named after it. */
const LEDGER: FamilyChoices = { pivot: 'ledger', held: 'two', first: 2, awaited: 'no', minted: false, apart: false };
const TRANSFER: FamilyChoices = { ...LEDGER, pivot: 'transfer', held: 'one' };

function proposed(choices: Partial<FamilyChoices> = {}): SettlementRun {
  return new SettlementRun(familyDocument({ ...LEDGER, ...choices }));
}

function preparing(choices: Partial<FamilyChoices> = {}): SettlementRun {
  return proposed(choices).match();
}

function deciding(choices: Partial<FamilyChoices> = {}): SettlementRun {
  const run = preparing({ ...TRANSFER, ...choices });
  while (run.phase === 'preparing') run.answerAll();
  assert.equal(run.phase, 'deciding');
  return run;
}

function committed(choices: Partial<FamilyChoices> = {}): SettlementRun {
  return preparing(choices).answerAll();
}

test('proposed, all instructions match before the deadline: preparing, and the first prepare operations are asked', () => {
  const run = proposed().lodge('bank-a');
  assert.equal(run.phase, 'proposed');
  run.lodge('bank-b');
  assert.equal(run.phase, 'preparing');
  assert.deepEqual(run.open(), ['prepare-1/bond', 'prepare-1/lcy']);
  assert.deepEqual(run.operation('prepare-1/lcy').terms, {
    from: 'lcy:buyer',
    to: 'lcy:seller',
    amount: '1000000',
    currency: 'JPY',
  });
  assert.deepEqual(run.operation('prepare-1/bond').terms, {
    from: 'csd:seller',
    to: 'csd:buyer',
    isin: 'XS0000000009',
    quantity: '1000000',
  });
});

test('proposed, the instructions differ: each differing field is shown with both values', () => {
  const run = proposed().lodge('bank-a', 'one').lodge('bank-b', 'other');
  assert.equal(run.phase, 'proposed');
  const differences = [{ path: '/uetr', values: { 'bank-a': 'one', 'bank-b': 'other' } }];
  assert.deepEqual(run.settlement.differences, differences);
  assert.deepEqual(run.changes.at(-1), { what: 'differs', differences });
  run.lodge('bank-b', 'one');
  assert.equal(run.phase, 'preparing');
  assert.deepEqual(run.settlement.differences, []);
});

test('proposed, lodged at or after the earliest deadline: refused', () => {
  const run = proposed().lodge('bank-a', 'one', 1_800_000_010_000);
  run.time = 1_800_000_010_000;
  const copy = { organisation: 'bank-b', hash: hashOf('x'), deadline: run.deadline, fields: [] };
  assert.equal(run.refusal({ type: 'lodge', copy, participants: [] }), 'deadline-passed');
});

test('proposed, retracted by one that lodged: rejected', () => {
  const run = proposed().lodge('bank-a');
  assert.equal(run.refusal({ type: 'retract', organisation: 'bank-b' }), 'not-entitled');
  run.event({ type: 'retract', organisation: 'bank-a' });
  assert.equal(run.phase, 'rejected');
});

test('proposed, expired: rejected at the earliest deadline that was lodged, refused before', () => {
  const run = proposed().lodge('bank-a').lodge('bank-b', 'early', 1_800_000_010_000);
  run.time = 1_800_000_009_999;
  assert.equal(run.refusal({ type: 'expire' }), 'deadline-not-passed');
  run.time = 1_800_000_010_000;
  assert.equal(run.expire().phase, 'rejected');
});

test('preparing, one operation effective: preparing', () => {
  const run = preparing().answer('prepare-1/bond', 'effective');
  assert.equal(run.phase, 'preparing');
  assert.deepEqual(run.open(), ['prepare-1/lcy']);
});

test('preparing, a stage effective and another to prepare: its operations are asked', () => {
  const run = preparing({ first: 1 });
  assert.deepEqual(run.open(), ['prepare-1/bond']);
  run.answer('prepare-1/bond', 'effective');
  assert.equal(run.phase, 'preparing');
  assert.deepEqual(run.open(), ['prepare-2/lcy']);
});

test('preparing, the last stage effective and the ledger the pivot: committed, and the complete operations are asked', () => {
  const run = preparing().answerAll();
  assert.equal(run.phase, 'committed');
  assert.deepEqual(run.open(), ['complete-1/bond', 'complete-1/lcy']);
  assert.deepEqual(run.settlement.decision, {
    kind: 'commit',
    because: 'every leg is certain',
    sequence: 4,
    inDoubt: [],
    holds: run.settlement.operations.filter(({ verb }) => verb === 'hold').map(({ id }) => id),
  });
  const hold = run.operation('prepare-1/bond');
  assert.deepEqual(run.operation('complete-1/bond').terms, { ...hold.terms, hold: hold.id });
});

test('preparing, the last stage effective and an operation the pivot: deciding, proceed names the holds', () => {
  const run = preparing(TRANSFER).answerAll();
  assert.equal(run.phase, 'deciding');
  assert.deepEqual(run.open(), ['decide/decide']);
  assert.deepEqual(run.settlement.proceed, { sequence: 3, holds: [run.operation('prepare-1/fcy').id] });
});

test('preparing, an operation dead: aborting, what is in doubt is fenced, what is certain is released at once', () => {
  const run = preparing({ held: 'three', first: 3 })
    .answer('prepare-1/bond', 'effective')
    .answer('prepare-1/fcy', 'dead');
  assert.equal(run.phase, 'aborting');
  assert.deepEqual(run.open(), ['!prepare-1/lcy', 'prepare-1/bond release']);
  assert.deepEqual(run.settlement.decision?.inDoubt, [run.operation('prepare-1/lcy').id]);
  assert.equal(run.settlement.decision.because, 'prepare-1/fcy was refused: MONY');
});

test('preparing, an operation irregular: aborting, and it is undone with the terms that were read back', () => {
  const run = preparing().answer('prepare-1/bond', 'irregular');
  assert.equal(run.phase, 'aborting');
  assert.deepEqual(run.open(), ['!prepare-1/lcy', 'prepare-1/bond release']);
  const { id, readBack } = run.operation('prepare-1/bond');
  assert.equal(readBack['from'], 'something else');
  assert.deepEqual(run.operation('prepare-1/bond release').terms, { ...readBack, hold: id });
});

test('preparing, expired: aborting; before the deadline refused', () => {
  const run = preparing().answer('prepare-1/bond', 'effective');
  assert.equal(run.refusal({ type: 'expire' }), 'deadline-not-passed');
  run.time = run.deadline;
  assert.equal(run.expire().phase, 'aborting');
  assert.equal(run.settlement.decision?.because, 'the deadline passed');
});

test('preparing, an outcome recorded at or after the deadline: aborting, however good it is', () => {
  const run = preparing();
  run.answer('prepare-1/bond', 'effective').time = run.deadline;
  run.answer('prepare-1/lcy', 'effective');
  assert.equal(run.phase, 'aborting');
  assert.deepEqual(run.open(), ['prepare-1/bond release', 'prepare-1/lcy release']);
});

test('F19 preparing, cancelled by some of the parties: preparing, the request is shown; by all of them: aborting', () => {
  const run = preparing().cancel('bank-b');
  assert.equal(run.phase, 'preparing');
  assert.deepEqual(run.settlement.cancels, ['bank-b']);
  assert.equal(run.refusal({ type: 'cancel', organisation: 'bank-b' }), 'already-recorded');
  assert.equal(run.cancel('bank-a').phase, 'aborting');
  assert.equal(run.settlement.decision?.because, 'all parties cancelled');
});

test('deciding, the pivot effective and regular, however late: committed, and the complete operations are asked', () => {
  const run = deciding();
  run.time = run.deadline + 3_600_000;
  run.expire().answer('decide/decide', 'effective');
  assert.equal(run.phase, 'committed');
  assert.deepEqual(run.open(), ['complete-1/fcy']);
});

test('deciding, the pivot dead: aborting, every hold is released', () => {
  const run = deciding().answer('decide/decide', 'dead');
  assert.equal(run.phase, 'aborting');
  assert.deepEqual(run.open(), ['prepare-1/fcy release']);
});

test('deciding, the pivot irregular: deciding with attention, until people decide', () => {
  const run = deciding().answer('decide/decide', 'irregular');
  assert.equal(run.phase, 'deciding');
  assert.deepEqual(run.attention(), ['irregular about decide/decide']);
  assert.deepEqual(run.open(), []);
  run.answer('decide/decide', 'effective', { byPeople: true });
  assert.equal(run.phase, 'committed');
  assert.deepEqual(run.attention(), []);
});

test('deciding, expired: the pivot is fenced and nothing is released', () => {
  const run = deciding();
  assert.equal(run.refusal({ type: 'expire' }), 'deadline-not-passed');
  run.time = run.deadline;
  run.expire();
  assert.equal(run.phase, 'deciding');
  assert.deepEqual(run.open(), ['!decide/decide']);
  assert.deepEqual(run.settlement.fence, { sequence: 4, pivot: run.operation('decide/decide').id });
  assert.equal(run.refusal({ type: 'expire' }), 'nothing-overdue');
});

test('F18 deciding, committed, settled; cancel: refused as irrevocable; elsewhere it is no edge', () => {
  const cancel = { type: 'cancel', organisation: 'bank-a' } as const;
  assert.equal(deciding().refusal(cancel), 'irrevocable');
  assert.equal(committed().refusal(cancel), 'irrevocable');
  assert.equal(committed().answerAll().refusal(cancel), 'irrevocable');
  assert.equal(proposed().lodge('bank-a').refusal(cancel), 'illegal-edge');
  assert.equal(preparing().answer('prepare-1/bond', 'dead').refusal(cancel), 'illegal-edge');
});

test('committed, one complete operation effective: committed; all of them: settled', () => {
  const run = committed().answer('complete-1/bond', 'effective');
  assert.equal(run.phase, 'committed');
  assert.equal(run.answer('complete-1/lcy', 'effective').phase, 'settled');
});

test('committed, a complete stage effective and another one left: its operations are asked', () => {
  const run = committed({ apart: true }).answer('complete-1/bond', 'effective');
  assert.deepEqual(run.open(), ['complete-2/lcy']);
  assert.equal(run.answerAll().phase, 'settled');
});

test('committed, a complete operation dead: attention, and a next attempt after a back-off that doubles', () => {
  const run = committed().answer('complete-1/bond', 'dead');
  assert.equal(run.phase, 'committed');
  assert.deepEqual(run.attention(), ['failed, will be tried again about complete-1/bond']);
  const waits = Array.from({ length: 9 }, () => {
    const { notBefore, attempt } = run.operation('complete-1/bond');
    run.answer('complete-1/bond', 'dead');
    return [attempt, notBefore - run.time];
  });
  const expected = [1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds, index) => [index + 2, seconds * 1000]);
  assert.deepEqual(waits, expected);
  run.answerAll();
  assert.equal(run.phase, 'settled');
  assert.deepEqual(run.attention(), []);
});

test('committed, a complete operation irregular: attention, until people decide', () => {
  const run = committed().answer('complete-1/bond', 'irregular').answer('complete-1/lcy', 'effective');
  assert.equal(run.phase, 'committed');
  assert.deepEqual(run.attention(), ['irregular about complete-1/bond']);
  assert.equal(run.answer('complete-1/bond', 'effective', { byPeople: true }).phase, 'settled');
});

test('aborting, a requested one found effective or irregular: its inverse is asked', () => {
  for (const found of ['effective', 'irregular'] as const) {
    const run = preparing().answer('prepare-1/lcy', 'dead').answer('prepare-1/bond', found);
    assert.equal(run.phase, 'aborting');
    assert.deepEqual(run.open(), ['prepare-1/bond release']);
    assert.equal(run.answerAll().phase, 'cancelled');
  }
});

test('aborting, what people say about an operation that is being undone does not undo it twice', () => {
  const run = preparing().answer('prepare-1/bond', 'irregular');
  const { id } = run.operation('prepare-1/bond');
  const word = {
    type: 'outcome',
    operation: id,
    status: 'effective',
    terms: {},
    reason: '',
    transaction: '',
    byPeople: true,
  } as const;
  assert.equal(run.refusal(word), 'already-recorded');
});

test('aborting, an awaited one found effective: it stays under its declared residual, with the amount as read back', () => {
  const run = preparing({ awaited: 'first' }).answer('prepare-1/bond', 'dead').answer('prepare-1/lcy', 'dead');
  const paid: Terms = { ...run.operation('prepare-1/paid').expected, memo: 'paid' };
  assert.equal(paid['amount'], '1000000');
  run.answer('prepare-1/paid', 'effective', { terms: paid });
  assert.equal(run.phase, 'cancelled');
  assert.deepEqual(run.settlement.residuals, [{ residual: 'lcy-with-buyer', terms: paid }]);
  assert.deepEqual(run.attention(), []);
});

test('aborting, a requested one found dead, or an inverse effective, with others open: aborting', () => {
  const run = preparing({ held: 'three', first: 3 })
    .answer('prepare-1/bond', 'effective')
    .answer('prepare-1/fcy', 'dead');
  run.answer('prepare-1/lcy', 'dead');
  assert.equal(run.phase, 'aborting');
  assert.equal(run.answer('prepare-1/bond release', 'effective').phase, 'cancelled');
});

test('aborting, an inverse dead: attention, and a next attempt after a back-off', () => {
  const run = preparing().answer('prepare-1/bond', 'effective').answer('prepare-1/lcy', 'dead');
  const first = run.operation('prepare-1/bond release');
  run.answer('prepare-1/bond release', 'dead');
  assert.equal(run.phase, 'aborting');
  const next = run.operation('prepare-1/bond release');
  assert.deepEqual([next.attempt, next.terms, next.notBefore], [2, first.terms, run.time + 1000]);
  assert.deepEqual(run.attention(), ['failed, will be tried again about prepare-1/bond release']);
  assert.equal(run.answerAll().phase, 'cancelled');
});

test('aborting, an inverse irregular: attention, until people decide', () => {
  const run = preparing().answer('prepare-1/bond', 'effective').answer('prepare-1/lcy', 'dead');
  run.answer('prepare-1/bond release', 'irregular');
  assert.equal(run.phase, 'aborting');
  assert.deepEqual(run.attention(), ['irregular about prepare-1/bond release']);
  assert.equal(run.answer('prepare-1/bond release', 'effective', { byPeople: true }).phase, 'cancelled');
});

test('aborting with an awaited pivot that was never asked: it is withdrawn under the certificate before the settlement ends', () => {
  const run = preparing({ ...TRANSFER, pivot: 'await' }).answer('prepare-1/fcy', 'dead');
  assert.equal(run.phase, 'aborting');
  assert.deepEqual(run.open(), ['!decide/decide']);
  assert.deepEqual(run.settlement.decision?.inDoubt, [run.operation('decide/decide').id]);
  assert.equal(run.answer('decide/decide', 'dead').phase, 'cancelled');
});

test('preparing, deciding, committed, aborting; statements differ: unchanged, attention', () => {
  for (const run of [preparing(), deciding(), committed(), preparing().answer('prepare-1/bond', 'dead')]) {
    const { phase } = run;
    const [operation] = run.settlement.operations;
    assert.ok(operation);
    run.event({ type: 'disagree', operation: operation.id, kind: 'equivocation' });
    assert.equal(run.phase, phase);
    assert.match(run.attention().join(), /equivocation about prepare-1/);
    assert.equal(
      run.refusal({ type: 'disagree', operation: hashOf('other'), kind: 'disagreement' }),
      'statement-other-operation',
    );
  }
});

test('deciding, committed, aborting; expire with an operation, an inverse or a fence unanswered beyond the limit: attention that names it, once', () => {
  const inverse = preparing().answer('prepare-1/bond', 'effective').answer('prepare-1/lcy', 'dead');
  const fence = preparing().answer('prepare-1/lcy', 'dead');
  const runs: [SettlementRun, string][] = [
    [deciding(), 'decide/decide'],
    [committed(), 'complete-1/bond'],
    [inverse, 'prepare-1/bond release'],
    [fence, 'prepare-1/bond'],
  ];
  for (const [run, name] of runs) {
    run.time += 4999;
    assert.match(run.refusal({ type: 'expire' }), /^(nothing-overdue|deadline-not-passed)$/);
    run.time += 1;
    const { phase } = run;
    run.expire();
    assert.equal(run.phase, phase);
    assert.equal(run.attention()[0], `unanswered about ${name}`);
    assert.match(run.refusal({ type: 'expire' }), /^(nothing-overdue|deadline-not-passed)$/);
  }
});

test('people say dead for one named operation: as after a statement, marked as their word; what contradicts it later changes nothing', () => {
  const run = preparing().answer('prepare-1/bond', 'effective').answer('prepare-1/lcy', 'dead', { byPeople: true });
  assert.equal(run.phase, 'aborting');
  assert.ok(run.operation('prepare-1/lcy').byPeople);
  run.answer('prepare-1/lcy', 'effective');
  assert.equal(run.phase, 'aborting');
  assert.equal(run.operation('prepare-1/lcy').status, 'dead');
  assert.deepEqual(run.attention(), ['contradiction about prepare-1/lcy']);
});

test('F7 an outcome for what was never asked is refused, and may be brought again when it was', () => {
  const run = proposed().lodge('bank-a');
  const stray = {
    type: 'outcome',
    operation: hashOf('x'),
    status: 'dead',
    terms: {},
    reason: '',
    transaction: '',
    byPeople: false,
  } as const;
  assert.equal(run.refusal(stray), 'statement-other-operation');
});
