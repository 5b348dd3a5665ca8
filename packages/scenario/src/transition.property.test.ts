import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalJson,
  ENDS,
  type Hash,
  hashOf,
  type Phase,
  type ScenarioDocument,
  scenarioHash,
  settlementId,
  type Terms,
} from '@linkspan/protocol';
import {
  checkState,
  checkStep,
  FAMILY_UNANSWERED_AFTER_SECONDS,
  familyChoices,
  familyDocument,
  familyFields,
  hashOfFamilyFields,
  type ModelEvent,
  type ModelOutcome,
  SettlementModel,
} from '@linkspan/testkit';
import fc from 'fast-check';
import { commands } from './commands.ts';
import type { OperationState, Settlement } from './settlement.ts';
import { TABLE } from './table.ts';
import { type MachineEvent, start, transition } from './transition.ts';
import { validate } from './validate.ts';

const NETWORK = hashOf('network');
const LODGERS = ['bank-a', 'bank-b'];
const BEGIN = 1_800_000_000_000;
const DEADLINE = BEGIN + 60_000;

/** Which rows of the table decided something, noted by the rows themselves: `then` is read of the one row that fits. */
const fired = new Set<number>();
TABLE.forEach((row, index) => {
  const actions = row.then;
  Object.defineProperty(row, 'then', { get: () => (fired.add(index), actions) });
});

/** What a run draws before it knows the state that it will meet. `pick` chooses among what is there. */
type Drawn =
  | { readonly type: 'lodge'; readonly by: number; readonly copy: 'one' | 'other' | 'early' }
  | { readonly type: 'retract' | 'cancel'; readonly by: number }
  | { readonly type: 'expire' | 'stray' }
  | { readonly type: 'disagree'; readonly pick: number }
  | {
      readonly type: 'answer' | 'again';
      readonly pick: number;
      readonly outcome: ModelOutcome;
      readonly byPeople: boolean;
    };

type Step = { readonly event: Drawn; readonly afterMs: number };

const pick = fc.nat({ max: 7 });
const by = fc.nat({ max: 1 });
const outcome = fc.constantFrom<ModelOutcome>('effective', 'effective', 'effective', 'effective', 'irregular', 'dead');
const drawn: fc.Arbitrary<Drawn> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ type: fc.constant('answer'), pick, outcome, byPeople: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('again'), pick, outcome, byPeople: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('retract', 'cancel'), by }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('expire', 'expire', 'stray') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('disagree'), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('lodge'), by, copy: fc.constantFrom('one', 'other', 'early') }),
  },
);
const step: fc.Arbitrary<Step> = fc.record({
  event: drawn,
  // Mostly small steps; sometimes past what is unanswered too long, past the deadline, or back, as a host's clock may show it.
  afterMs: fc.constantFrom(0, 1, 100, 100, 100, 100, 100, 6000, -500, 61_000),
});
/** Most runs begin with equal copies of both sides, so that they get somewhere. */
const opening: fc.Arbitrary<readonly Step[]> = fc.oneof(
  { weight: 12, arbitrary: fc.constant([lodging(0, 'one'), lodging(1, 'one')]) },
  { weight: 1, arbitrary: fc.constant([lodging(0, 'one'), lodging(1, 'other'), lodging(1, 'one')]) },
  { weight: 1, arbitrary: fc.constant([lodging(0, 'one'), lodging(1, 'one'), cancelling(1), cancelling(0)]) },
  { weight: 1, arbitrary: fc.constant([]) },
);
const run = fc
  .record({ choices: familyChoices, opening, steps: fc.array(step, { maxLength: 40 }) })
  .map(({ choices, opening: first, steps }) => ({ document: familyDocument(choices), steps: [...first, ...steps] }));

function lodging(organisation: number, copy: 'one' | 'other'): Step {
  return { event: { type: 'lodge', by: organisation, copy }, afterMs: 100 };
}

function cancelling(organisation: number): Step {
  return { event: { type: 'cancel', by: organisation }, afterMs: 100 };
}

test('every document of the family keeps the rules of the language', () => {
  fc.assert(fc.property(familyChoices, (choices) => assert.deepEqual(validate(familyDocument(choices)), [])));
});

test('whatever happens, the machine does what the phase table says, keeps its invariants and ends', () => {
  fc.assert(
    fc.property(run, ({ document, steps }) => void runAll(document, steps)),
    { numRuns: 300 },
  );
});

test('the runs come to every end and use every row of the table', () => {
  const ends = new Set<Phase>();
  // A fixed seed, so that a row that is merely rare never fails this test.
  const drawnRuns = fc.property(run, ({ document, steps }) => void ends.add(runAll(document, steps)));
  fc.assert(drawnRuns, { numRuns: 600, seed: 20_261_124 });
  assert.deepEqual(
    ENDS.filter((end) => !ends.has(end)),
    [],
  );
  assert.deepEqual(
    TABLE.filter((_, index) => !fired.has(index)),
    [],
  );
});

function runAll(document: ScenarioDocument, steps: readonly Step[]): Phase {
  const bench = new Bench(document);
  for (const { event, afterMs } of steps) {
    bench.time += afterMs;
    const next = bench.eventOf(event);
    if (next) bench.apply(next);
  }
  return bench.finish();
}

/** The machine and the model side by side. */
class Bench {
  time = BEGIN;
  #settlement: Settlement;
  readonly #document: ScenarioDocument;
  readonly #model: SettlementModel;

  constructor(document: ScenarioDocument) {
    this.#document = deepFreeze(document);
    const scenario = { reference: 'family@1', hash: scenarioHash(document) };
    const proposal = hashOf('proposal');
    this.#settlement = start({
      network: NETWORK,
      epoch: 1,
      proposal,
      round: 1,
      tradeId: 'T',
      scenario,
      lodgers: LODGERS,
    });
    this.#model = new SettlementModel(document, {
      network: NETWORK,
      lodgers: LODGERS,
      unansweredAfterMs: FAMILY_UNANSWERED_AFTER_SECONDS * 1000,
      settlementOf: (copy) =>
        settlementId({
          network: NETWORK,
          tradeId: 'T',
          scenario: scenario.hash,
          instruction: hashOfFamilyFields(copyOf(copy).fields),
        }),
    });
  }

  eventOf(event: Drawn): ModelEvent | undefined {
    switch (event.type) {
      case 'lodge':
        return { type: 'lodge', by: LODGERS[event.by] ?? '', copy: event.copy, deadline: copyOf(event.copy).deadline };
      case 'retract':
      case 'cancel':
        return { type: event.type, by: LODGERS[event.by] ?? '' };
      case 'expire':
        return { type: 'expire' };
      case 'stray':
        return { type: 'outcome', operation: hashOf('never asked'), outcome: 'effective', byPeople: false };
      case 'disagree':
        return about(this.#settlement.operations, event.pick, (operation) => ({ type: 'disagree', operation }));
      case 'answer': {
        const open = this.#settlement.operations.filter(
          ({ status }) => status === 'requested' || status === 'irregular',
        );
        // People are asked about what is irregular; validators answer what was requested.
        return about(open, event.pick, (operation, { status }) => {
          const byPeople = status === 'irregular' && event.byPeople;
          const said = byPeople && event.outcome === 'irregular' ? 'effective' : event.outcome;
          return { type: 'outcome', operation, outcome: said, byPeople };
        });
      }
      case 'again':
        return about(this.#settlement.operations, event.pick, (operation) => {
          const said = event.byPeople && event.outcome === 'irregular' ? 'dead' : event.outcome;
          return { type: 'outcome', operation, outcome: said, byPeople: event.byPeople };
        });
    }
  }

  apply(event: ModelEvent): void {
    const before = deepFreeze(this.#settlement);
    const input = deepFreeze(this.#machineEvent(event));
    const result = transition(this.#document, before, input, this.time);
    assert.deepEqual(
      transition(this.#document, before, input, this.time),
      result,
      'the same input gives the same answer',
    );
    const accepted = this.#model.apply(event, this.time);
    const elsewhere = transition(turned(this.#document), turned(before), turned(input), this.time);
    assert.equal(canonicalJson(elsewhere), canonicalJson(result), 'a host that keeps members in another order agrees');
    assert.equal(
      result.ok,
      accepted,
      `${JSON.stringify(event)} while ${before.phase}: ${JSON.stringify(result.ok || result.refusal)}`,
    );
    if (!result.ok) return;
    this.#settlement = result.value.settlement;
    checkStep(before, this.#settlement, result.value.changes);
    checkState(this.#document, this.#settlement);
    assert.deepEqual(summary(this.#settlement), modelSummary(this.#model), JSON.stringify(event));
  }

  /** Faults stop: systems answer what is open, people look at what waits for them, and time passes. */
  finish(): Phase {
    for (let round = 0; round < 20 && !ENDS.includes(this.#settlement.phase); round++) {
      this.time = Math.max(this.time, this.#settlement.time) + 1000;
      if (this.#settlement.phase === 'proposed') this.time = Math.max(this.time, DEADLINE);
      this.apply({ type: 'expire' });
      for (const { operation, do: task } of commands(this.#settlement)) {
        this.apply({
          type: 'outcome',
          operation: operation.id,
          outcome: task === 'fence' ? 'dead' : 'effective',
          byPeople: false,
        });
      }
      for (const { id, status } of this.#settlement.operations) {
        if (status === 'irregular')
          this.apply({ type: 'outcome', operation: id, outcome: 'effective', byPeople: true });
      }
    }
    const started = this.#settlement.copies.length > 0 || this.#settlement.phase !== 'proposed';
    if (started) assert.ok(ENDS.includes(this.#settlement.phase), `it never ends: ${this.#settlement.phase}`);
    return this.#settlement.phase;
  }

  #machineEvent(event: ModelEvent): MachineEvent {
    switch (event.type) {
      case 'lodge': {
        const { fields, deadline } = copyOf(event.copy);
        const copy = { organisation: event.by, hash: hashOfFamilyFields(fields), deadline, fields };
        return { type: 'lodge', copy, participants: [] };
      }
      case 'retract':
      case 'cancel':
        return { type: event.type, organisation: event.by };
      case 'expire':
        return event;
      case 'disagree':
        return { type: 'disagree', operation: event.operation, kind: 'disagreement' };
      case 'outcome': {
        const { operation, outcome: said, byPeople } = event;
        const asked = this.#settlement.operations.find(({ id }) => id === operation);
        const terms = byPeople ? {} : termsOf(asked, said);
        const [status, reason] = said === 'dead' ? (['dead', 'NARR'] as const) : (['effective', ''] as const);
        return { type: 'outcome', operation, status, terms, reason, transaction: '', byPeople };
      }
    }
  }
}

function about<T>(
  operations: readonly OperationState[],
  index: number,
  make: (id: Hash, operation: OperationState) => T,
): T | undefined {
  const chosen = operations[index % Math.max(operations.length, 1)];
  return chosen && make(chosen.id, chosen);
}

function copyOf(copy: string) {
  const deadline = copy === 'early' ? BEGIN + 20_000 : DEADLINE;
  return { deadline, fields: familyFields(deadline, copy) };
}

function termsOf(operation: OperationState | undefined, said: ModelOutcome): Terms {
  if (!operation || said === 'dead') return {};
  const [name] = Object.keys(operation.expected);
  return said === 'irregular' && name !== undefined
    ? { ...operation.expected, [name]: `not ${operation.expected[name]}` }
    : operation.expected;
}

function summary({ phase, operations, residuals, decision, proceed }: Settlement) {
  const states = operations.map(({ id, status, fenced, purpose, byPeople }) => ({
    id,
    status,
    fenced,
    purpose,
    byPeople,
  }));
  return {
    phase,
    operations: byId(states),
    residuals: residuals.length,
    decision: decision?.kind ?? null,
    proceed: proceed !== null,
  };
}

function modelSummary({ phase, operations, residuals, decision, proceed }: SettlementModel) {
  const states = operations.map(({ id, status, fenced, purpose, byPeople }) => ({
    id,
    status,
    fenced,
    purpose,
    byPeople,
  }));
  return { phase, operations: byId(states), residuals: residuals.length, decision, proceed };
}

function byId<T extends { readonly id: string }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The same JSON with the members of every object in the opposite order. */
function turned<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toReversed())
      : member,
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
