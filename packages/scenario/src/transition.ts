import {
  accept,
  type Change,
  type Difference,
  type Field,
  type Hash,
  invariant,
  type Phase,
  refuse,
  type Result,
  type ScenarioDocument,
  settlementId,
  type Terms,
} from '@linkspan/protocol';
import { draftOf, type Draft } from './draft.ts';
import { ACTIONS } from './actions.ts';
import { GUARDS } from './guards.ts';
import { ENDINGS, type EventName, type Row, TABLE } from './table.ts';
import {
  type Copy,
  findOperation,
  MACHINE,
  type Opening,
  operationName,
  type OperationState,
  type Participant,
  type Settlement,
  waitsForPeople,
} from './settlement.ts';

/** What happens to a settlement. Outcomes are accepted statements, or people's word where `byPeople` says so. */
export type MachineEvent =
  | { readonly type: 'lodge'; readonly copy: Copy; readonly participants: readonly Participant[] }
  | { readonly type: 'retract'; readonly organisation: string }
  | { readonly type: 'expire' }
  | { readonly type: 'cancel'; readonly organisation: string }
  | ({ readonly type: 'outcome' } & Outcome)
  | { readonly type: 'disagree'; readonly operation: Hash; readonly kind: 'disagreement' | 'equivocation' };

export type Outcome = {
  readonly operation: Hash;
  readonly status: 'effective' | 'dead';
  readonly terms: Terms;
  readonly reason: string;
  readonly transaction: string;
  readonly byPeople: boolean;
};

export type Transition = { readonly settlement: Settlement; readonly changes: readonly Change[] };

/** A proposal without any copy yet. */
export function start(opening: Opening): Settlement {
  return {
    ...opening,
    machine: MACHINE,
    settlement: null,
    phase: 'proposed',
    stage: -1,
    deadline: Number.MAX_SAFE_INTEGER,
    time: 0,
    sequence: 0,
    copies: [],
    differences: [],
    instruction: null,
    fields: [],
    participants: [],
    operations: [],
    proceed: null,
    fence: null,
    decision: null,
    cancels: [],
    opinions: [],
    residuals: [],
    attention: [],
  };
}

/**
 * The next state of a settlement, or a refusal that says in which state it was. Pure: it performs nothing; what must be done next is
 * read from the new state by `commands`. `time` is the ledger's, in UTC milliseconds; within a settlement it never goes back.
 *
 * The facts of the event are noted first (a copy, an outcome), then the first row of the table that fits decides.
 */
export function transition(
  document: ScenarioDocument,
  settlement: Settlement,
  event: MachineEvent,
  time: number,
): Result<Transition> {
  const draft = draftOf(document, settlement, Math.max(time, settlement.time));
  const named = note(draft, event);
  if (!named.ok) return named;
  const row = TABLE.find((candidate) => fits(candidate, draft, named.value));
  if (!row) return noEdge(draft, named.value);
  for (const action of row.then) ACTIONS[action](draft, row.because ?? '');
  if (row.next !== 'same') enter(draft, row.next);
  const ending = ENDINGS.find(
    (each) => each.phase === draft.settlement.phase && each.when.every((guard) => GUARDS[guard](draft)),
  );
  if (ending) enter(draft, ending.next);
  return accept({
    settlement: { ...draft.settlement, time: draft.time, sequence: draft.sequence },
    changes: draft.changes,
  });
}

function enter(draft: Draft, to: Phase): void {
  draft.changes.push({ what: 'phase', from: draft.settlement.phase, to });
  draft.settlement = { ...draft.settlement, phase: to };
}

function fits(row: Row, draft: Draft, event: EventName): boolean {
  return (
    row.phase.includes(draft.settlement.phase) &&
    row.event.includes(event) &&
    row.when.every((guard) => GUARDS[guard](draft))
  );
}

/** Writes down what the event says and gives it the name by which the table knows it. */
function note(draft: Draft, event: MachineEvent): Result<EventName> {
  switch (event.type) {
    case 'lodge':
      return noteCopy(draft, event.copy, event.participants);
    case 'retract':
      return noteRetraction(draft, event.organisation);
    case 'expire':
      return accept('expire');
    case 'cancel':
      return noteCancel(draft, event.organisation);
    case 'disagree':
      return noteDisagreement(draft, event.operation, event.kind);
    case 'outcome':
      return noteOutcome(draft, event);
  }
}

function noteCopy(draft: Draft, copy: Copy, participants: readonly Participant[]): Result<EventName> {
  const { settlement } = draft;
  if (settlement.phase !== 'proposed') return accept('lodge');
  const others = settlement.copies.filter((other) => other.organisation !== copy.organisation);
  const copies = [...others, copy].toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1));
  const deadline = Math.min(...copies.map((each) => each.deadline));
  if (draft.time >= deadline) return refuse('deadline-passed', 'The deadline that was lodged has passed.');
  const first = copies[0];
  const matched =
    first && copies.length === settlement.lodgers.length && copies.every((each) => each.hash === first.hash);
  draft.changes.push({ what: 'lodged', organisation: copy.organisation });
  draft.settlement = { ...settlement, copies, deadline, differences: matched ? [] : differencesOf(copies) };
  if (matched) match(draft, first, participants);
  return accept('lodge');
}

function match(draft: Draft, copy: Copy, participants: readonly Participant[]): void {
  const { network, tradeId, scenario } = draft.settlement;
  const id = settlementId({ network, tradeId, scenario: scenario.hash, instruction: copy.hash });
  draft.changes.push({ what: 'matched' });
  draft.settlement = {
    ...draft.settlement,
    settlement: id,
    instruction: copy.hash,
    fields: copy.fields,
    copies: [],
    differences: [],
    participants,
  };
}

/** Every field that not all copies agree on, with each organisation's value; an absent one is shown as empty. */
function differencesOf(copies: readonly Copy[]): Difference[] {
  const paths = [...new Set(copies.flatMap((copy) => copy.fields.map((field) => field.path)))].toSorted();
  return paths.flatMap((path) => {
    const values = copies.map((copy) => [copy.organisation, valueIn(copy.fields, path)] as const);
    const [, first] = values[0] ?? ['', ''];
    return values.every(([, value]) => value === first) ? [] : [{ path, values: Object.fromEntries(values) }];
  });
}

function valueIn(fields: readonly Field[], path: string): string {
  return fields.find((field) => field.path === path)?.value ?? '';
}

function noteRetraction(draft: Draft, organisation: string): Result<EventName> {
  const { settlement } = draft;
  if (settlement.phase === 'proposed' && !settlement.copies.some((copy) => copy.organisation === organisation)) {
    return refuse('not-entitled', `${organisation} has lodged no copy that it could retract.`);
  }
  draft.changes.push({ what: 'retracted', organisation });
  return accept('retract');
}

function noteCancel(draft: Draft, organisation: string): Result<EventName> {
  const { settlement } = draft;
  if (settlement.cancels.includes(organisation))
    return refuse('already-recorded', `${organisation} has asked to cancel before.`);
  draft.settlement = { ...settlement, cancels: [...settlement.cancels, organisation].toSorted() };
  draft.changes.push({ what: 'cancel-requested', organisation });
  return accept('cancel');
}

function noteDisagreement(draft: Draft, id: Hash, kind: 'disagreement' | 'equivocation'): Result<EventName> {
  const operation = findOperation(draft.settlement, id);
  if (!operation) return unknownOperation(id);
  draft.subject = operation;
  draft.changes.push({ what: 'evidence', kind, operation: operationName(operation) });
  return accept('disagree');
}

function noteOutcome(draft: Draft, outcome: Outcome): Result<EventName> {
  const operation = findOperation(draft.settlement, outcome.operation);
  if (!operation) return unknownOperation(outcome.operation);
  const open = operation.status === 'requested' || (outcome.byPeople && waitsForPeople(draft.settlement, operation));
  if (!open) return noteAgain(draft, operation, outcome);
  const status = statusOf(operation, outcome);
  const { terms, reason, transaction, byPeople } = outcome;
  const answered: OperationState = {
    ...operation,
    status,
    readBack: byPeople ? operation.expected : terms,
    reason,
    transaction,
    byPeople,
  };
  draft.replace(answered);
  draft.subject = answered;
  const { verb, system } = operation;
  draft.changes.push({
    what: status,
    operation: operationName(operation),
    verb,
    system,
    terms: answered.readBack,
    reason,
    byPeople,
  });
  return accept<EventName>(`${operation.purpose} ${status}`);
}

/** A second outcome of one operation: the same is nothing new; another is kept as evidence and changes nothing. */
function noteAgain(draft: Draft, operation: OperationState, outcome: Outcome): Result<EventName> {
  const before = operation.status === 'dead' ? 'dead' : 'effective';
  const same =
    before === outcome.status &&
    (before === 'dead' || operation.byPeople || outcome.byPeople || sameTerms(operation.readBack, outcome.terms));
  if (same) return refuse('already-recorded', `The outcome of ${operationName(operation)} is recorded already.`);
  if (
    draft.settlement.attention.some(
      (flag) => flag.operation === operationName(operation) && flag.reason === 'contradiction',
    )
  ) {
    return refuse('already-recorded', `The contradiction about ${operationName(operation)} is recorded already.`);
  }
  draft.subject = operation;
  draft.changes.push({ what: 'evidence', kind: 'contradiction', operation: operationName(operation) });
  return accept('contradict');
}

function statusOf(operation: OperationState, outcome: Outcome): 'effective' | 'irregular' | 'dead' {
  if (outcome.status === 'dead') return 'dead';
  if (outcome.byPeople) return 'effective';
  // An awaited event may say more than was asked about it; what we asked for must be exactly what happened.
  const said = operation.verb === 'await' ? pick(outcome.terms, Object.keys(operation.expected)) : outcome.terms;
  const regular = sameTerms(operation.expected, said);
  return regular ? 'effective' : 'irregular';
}

function pick(terms: Terms, names: readonly string[]): Terms {
  return Object.fromEntries(Object.entries(terms).filter(([name]) => names.includes(name)));
}

function sameTerms(a: Terms, b: Terms): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

function unknownOperation(id: Hash): Result<never> {
  return refuse('statement-other-operation', `No operation ${id} was requested in this settlement.`);
}

/** No row fits: the refusal says why, in the words of the state it was in. */
function noEdge(draft: Draft, event: EventName): Result<never> {
  const { phase, deadline } = draft.settlement;
  if (event === 'cancel' && (phase === 'deciding' || phase === 'committed' || phase === 'settled')) {
    return refuse('irrevocable', `The settlement is ${phase}; it can no longer be cancelled.`, { details: { phase } });
  }
  if (
    event === 'expire' &&
    (phase === 'proposed' || phase === 'preparing' || (phase === 'deciding' && draft.time < deadline))
  ) {
    return refuse('deadline-not-passed', 'The deadline has not passed on the ledger.', {
      details: { phase, deadline, time: draft.time },
    });
  }
  if (event === 'expire' && (phase === 'deciding' || phase === 'committed' || phase === 'aborting')) {
    return refuse('nothing-overdue', 'Nothing is unanswered beyond its limit.', { details: { phase } });
  }
  invariant(event !== 'contradict' && event !== 'disagree', 'evidence is taken in every phase');
  return refuse('illegal-edge', `The settlement is ${phase}; "${event}" cannot happen there.`, {
    details: { phase, event },
  });
}
