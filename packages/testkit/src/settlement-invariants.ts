import assert from 'node:assert/strict';
import type { Change, Phase, ScenarioDocument, Verb } from '@linkspan/protocol';
import { commands, operationName, type OperationState, type Settlement } from '@linkspan/scenario';

/** Where each phase may lead, by the phase table of the settlement protocol. */
const NEXT: Readonly<Record<Phase, readonly Phase[]>> = {
  proposed: ['preparing', 'rejected'],
  preparing: ['deciding', 'committed', 'aborting'],
  deciding: ['committed', 'aborting'],
  committed: ['settled'],
  aborting: ['cancelled'],
  settled: [],
  cancelled: [],
  rejected: [],
};
const UNDOES: Partial<Record<Verb, Verb>> = { hold: 'release', mint: 'burn', burn: 'mint' };

/** What must hold after every accepted event, whatever happened before. Throws an assertion error that names what does not. */
export function checkStep(before: Settlement, after: Settlement, changes: readonly Change[]): void {
  let phase = before.phase;
  for (const change of changes) {
    if (change.what !== 'phase') continue;
    assert.equal(change.from, phase, 'phases follow each other');
    assert.ok(NEXT[phase].includes(change.to), `${phase} never leads to ${change.to}`);
    phase = change.to;
  }
  assert.equal(after.phase, phase, 'a phase changes with a change that says so');
  assert.equal(after.sequence, before.sequence + 1, 'each accepted event is one entry');
  assert.ok(after.time >= before.time, 'time never goes back');
  if (before.decision) assert.deepEqual(after.decision, before.decision, 'a decision stands for ever');
  if (before.proceed) assert.deepEqual(after.proceed, before.proceed, 'what the pivot may use is fixed once');
  if (before.settlement !== null) assert.equal(after.settlement, before.settlement, 'a settlement keeps its id');
  for (const operation of before.operations) checkKept(operation, after);
}

/** What must hold in every state that anyone can observe. */
export function checkState(document: ScenarioDocument, settlement: Settlement): void {
  checkDecision(settlement);
  checkOperations(settlement);
  checkHolds(settlement);
  checkCommands(settlement);
  if (settlement.phase === 'settled') checkSettled(document, settlement);
  if (settlement.phase === 'cancelled') checkCancelled(settlement);
  if (settlement.phase === 'rejected') assert.deepEqual(settlement.operations, [], 'a rejected proposal asked nothing');
}

function checkKept(operation: OperationState, after: Settlement): void {
  const kept = after.operations.find((other) => other.id === operation.id);
  const name = operationName(operation);
  assert.ok(kept, `${name} is never forgotten`);
  assert.deepEqual(
    [kept.terms, kept.expected, kept.system, kept.verb],
    [operation.terms, operation.expected, operation.system, operation.verb],
  );
  assert.ok(kept.fenced || !operation.fenced, `${name} stays fenced`);
  const byPeople = operation.status === 'irregular' && kept.byPeople;
  if (operation.status !== 'requested' && !byPeople)
    assert.equal(kept.status, operation.status, `the outcome of ${name} is final`);
}

function checkDecision({ phase, decision, proceed }: Settlement): void {
  if (phase === 'committed' || phase === 'settled') assert.equal(decision?.kind, 'commit', `${phase} is decided`);
  else if (phase === 'aborting' || phase === 'cancelled') assert.equal(decision?.kind, 'abort', `${phase} is decided`);
  else assert.equal(decision, null, `${phase} is undecided`);
  if (phase === 'deciding') assert.ok(proceed, 'a settlement is deciding under a proceed');
}

function checkOperations({ phase, decision, proceed, operations }: Settlement): void {
  const ids = operations.map((operation) => operation.id);
  assert.equal(new Set(ids).size, ids.length, 'ids are unique');
  for (const operation of operations) {
    const name = operationName(operation);
    if (operation.purpose === 'complete') assert.equal(decision?.kind, 'commit', `${name} completes a commit`);
    if (operation.purpose === 'inverse') {
      assert.equal(decision?.kind, 'abort', `${name} undoes under an abort`);
      const undone = operations.find(({ id }) => id === operation.terms['hold']);
      assert.deepEqual(operation.terms, { ...undone?.readBack, hold: undone?.id }, `${name} undoes what was read back`);
    }
    if (operation.purpose === 'pivot' && proceed === null) {
      assert.ok(
        decision?.kind === 'abort' && operation.fenced,
        `${name} was asked before proceed only to be withdrawn`,
      );
    }
    if (phase === 'aborting' && operation.purpose !== 'inverse' && operation.status === 'requested') {
      assert.ok(operation.fenced, `${name} is in doubt and must be fenced`);
    }
    if (operation.attempt > 1) {
      const earlier = operations.find(
        (other) => samePlace(other, operation) && other.attempt === operation.attempt - 1,
      );
      assert.equal(earlier?.status, 'dead', `${name} is tried again only after a death`);
      assert.ok(operation.purpose === 'complete' || operation.purpose === 'inverse', `${name} is tried once`);
    }
  }
  const open = operations.filter((operation) => operation.status === 'requested');
  if (['proposed', 'rejected', 'settled', 'cancelled'].includes(phase))
    assert.deepEqual(open, [], `${phase} has nothing open`);
  if (phase === 'preparing') assert.ok(open.length > 0, 'a settlement that prepares waits for something');
}

/** A hold is executed or released, never both; and while the pivot is open neither. */
function checkHolds({ phase, operations }: Settlement): void {
  for (const hold of operations.filter(({ verb }) => verb === 'hold')) {
    const uses = operations.filter(({ status, purpose, terms }) => {
      const used = terms['hold'] === hold.id || terms['security'] === hold.id || terms['cash'] === hold.id;
      return used && purpose !== 'inverse' && status !== 'dead';
    });
    const releases = operations.filter(({ purpose, terms }) => purpose === 'inverse' && terms['hold'] === hold.id);
    const name = operationName(hold);
    assert.ok(uses.length === 0 || releases.length === 0, `${name} is executed or released, never both`);
    assert.ok(uses.length <= 1, `${name} is used once at a time`);
    if (phase === 'deciding') assert.equal(releases.length, 0, `${name} is not released while the pivot is open`);
    assert.ok(releases.filter(({ status }) => status === 'effective').length <= 1, `${name} is released once`);
  }
}

function checkCommands(settlement: Settlement): void {
  const open = settlement.operations.filter((operation) => operation.status === 'requested');
  const todo = commands(settlement);
  assert.deepEqual(
    todo.map(({ operation }) => operation.id),
    open.map(({ id }) => id),
    'what is open is what must be done',
  );
  const under = settlement.decision ? 'abort' : 'fence';
  const certificates = { prepare: null, pivot: 'proceed', complete: 'commit', inverse: 'abort' } as const;
  todo.forEach((command, index) => {
    const operation = open[index];
    assert.ok(operation);
    assert.equal(command.do === 'fence', operation.fenced, 'what is fenced is never performed');
    assert.equal(command.certificate, operation.fenced ? under : certificates[operation.purpose]);
  });
}

function checkSettled(document: ScenarioDocument, { operations }: Settlement): void {
  for (const stage of document.stages) {
    for (const name of 'operations' in stage
      ? Object.keys(stage.operations)
      : 'operation' in stage
        ? [stage.name]
        : []) {
      const attempts = operations.filter((operation) => operation.stage === stage.name && operation.name === name);
      assert.equal(attempts.at(-1)?.status, 'effective', `${stage.name}/${name} is delivered`);
    }
  }
  for (const hold of operations.filter(({ verb }) => verb === 'hold')) {
    const used = operations.some(
      ({ terms, status }) => Object.values(terms).includes(hold.id) && status === 'effective',
    );
    assert.ok(used, `${operationName(hold)} is executed`);
  }
}

function checkCancelled({ operations, residuals }: Settlement): void {
  let left = 0;
  for (const operation of operations) {
    if (operation.purpose === 'inverse' || operation.status === 'dead') continue;
    const verb = UNDOES[operation.verb];
    if (verb === undefined) left += 1;
    else {
      const inverses = operations.filter(
        (other) => other.purpose === 'inverse' && other.verb === verb && other.terms['hold'] === operation.id,
      );
      const effective = inverses.filter((inverse) => inverse.status === 'effective');
      assert.equal(effective.length, 1, `${operationName(operation)} is undone exactly once`);
    }
  }
  assert.equal(residuals.length, left, 'what cannot be undone stays under a residual, once each');
}

function samePlace(a: OperationState, b: OperationState): boolean {
  return a.stage === b.stage && a.name === b.name && a.leg === b.leg && a.verb === b.verb && a.purpose === b.purpose;
}
