import {
  accept,
  checkStatement,
  type Hash,
  hashOf,
  type JsonObject,
  refuse,
  type Refusal,
  type Result,
  type SignedStatement,
  type StatementExpectation,
  type SystemRecord,
} from '@linkspan/protocol';
import {
  findOperation,
  type MachineEvent,
  operationName,
  type OperationState,
  type Settlement,
  transition,
  type Transition,
  waitsForPeople,
} from '@linkspan/scenario';
import type { Context, Writer } from './apply-calls.ts';
import { append } from './history.ts';
import { documentOf } from './instructions.ts';
import { EVIDENCE, SETTLEMENT, type StoredSettlement, SUSPENDED, SYSTEM } from './store.ts';
import type { World } from './world.ts';

/**
 * Records accepted statements, by any organisation. All that apply make one entry; one that does not (a forged one, or one recorded
 * before) is named in the answer and holds up none of the others. If none applies the call is refused as the first one was.
 */
export function record(context: Context<'record'>): Result<JsonObject> {
  const { world, body } = context;
  return change(context, context.body.proposal, (stored, apply) => {
    const refused: Refusal[] = [];
    for (const signed of body.statements) {
      const outcome = outcomeOf(world, stored.state, signed);
      const next = outcome.ok ? apply(outcome.value) : outcome;
      if (!next.ok) refused.push(next.refusal);
    }
    return refused;
  });
}

/** The deadline, or the limit after which people are told, has passed on the ledger. Any organisation may say so. */
export function expire(context: Context<'expire'>): Result<JsonObject> {
  return change(context, context.body.proposal, (_, apply) => refusals(apply({ type: 'expire' })));
}

/** One party's wish to cancel. It takes effect when all have it. */
export function cancel(context: Context<'cancel'>): Result<JsonObject> {
  const { organisation } = context;
  return change(context, context.body.proposal, ({ state }, apply) => {
    if (!state.lodgers.includes(organisation))
      return [{ code: 'not-entitled', message: `${organisation} speaks for no party of the settlement.` }];
    return refusals(apply({ type: 'cancel', organisation }));
  });
}

/** Two statements that contradict each other are kept as evidence. One key that contradicts itself is suspended. */
export function report(context: Context<'report'>): Result<JsonObject> {
  const { world, body } = context;
  const [first, second] = body.statements;
  if (!first || !second) return refuse('call-invalid', 'Evidence is two statements.');
  return change(context, context.body.proposal, ({ state }, apply) => {
    const id = hashOf(body.statements);
    if (EVIDENCE.get(world, state.proposal, id))
      return [{ code: 'already-recorded', message: 'The evidence is recorded already.' }];
    const kind = contradiction(world, state, first, second);
    if (!kind.ok) return [kind.refusal];
    const next = apply({ type: 'disagree', operation: first.statement.operation, kind: kind.value });
    if (next.ok) EVIDENCE.put(world, { statements: body.statements }, state.proposal, id);
    return refusals(next);
  });
}

/** How many persons of an organisation must say the same before its word counts. */
const PERSONS = 2;

/** Whose word makes an outcome: so many persons of every organisation that owns a system of the settlement. */
export function peopleNeeded({
  participants,
}: Settlement): readonly { readonly organisation: string; readonly persons: number }[] {
  const owners = [...new Set(participants.map(({ owner }) => owner))];
  return owners.map((organisation) => ({ organisation, persons: PERSONS }));
}

/**
 * People's word where validators cannot give theirs: the system's owner and the owner of every role, two persons each, say the same about
 * one operation. Each call is one person's opinion; the last one that is needed makes the outcome.
 */
export function resolve(context: Context<'resolve'>): Result<JsonObject> {
  const { world, body, organisation, call } = context;
  const stored = SETTLEMENT.get(world, body.proposal);
  if (!stored) return refuse('not-registered', `There is no settlement ${body.proposal}.`);
  const { state } = stored;
  const operation = findOperation(state, body.operation);
  if (!operation) return refuse('statement-other-operation', `No operation ${body.operation} was requested.`);
  if (operation.status !== 'requested' && !waitsForPeople(state, operation))
    return refuse('already-recorded', 'The operation has its outcome.');
  // People speak only where the settlement has asked for them: otherwise their word could come before the validators'.
  const asked = state.attention.some((flag) => flag.operation === operationName(operation));
  if (!asked)
    return refuse('illegal-edge', `Nobody was asked to look at ${operationName(operation)}.`, {
      details: { phase: state.phase },
    });
  const needed = peopleNeeded(state).map((each) => each.organisation);
  if (!needed.includes(organisation)) return refuse('not-entitled', `${organisation} owns no role of the settlement.`);
  const opinion = { operation: operation.id, organisation, actor: call.actor, status: body.status };
  const isBefore = (each: Settlement['opinions'][number]): boolean =>
    each.operation === operation.id && each.organisation === organisation && each.actor === call.actor;
  if (state.opinions.some((each) => isBefore(each) && each.status === body.status))
    return refuse('already-recorded', `${call.actor} of ${organisation} has said so before.`);
  const others = state.opinions.filter((each) => !isBefore(each));
  const opinions = [...others, opinion];
  const time = Math.max(world.tx.time, state.time);
  const said: Settlement = { ...state, opinions, time, sequence: state.sequence + 1 };
  const agreed = needed.every((owner) => personsSaying(opinions, operation, owner, body.status) >= PERSONS);
  const heard = { what: 'opinion', ...opinion } as const;
  if (!agreed) return accept(append(context, stored, { settlement: said, changes: [heard] }));
  const event = {
    type: 'outcome',
    operation: operation.id,
    status: body.status,
    terms: {},
    reason: body.why,
    transaction: '',
    byPeople: true,
  } as const;
  const next = transition(documentOf(world, stored), { ...state, opinions }, event, world.tx.time);
  if (!next.ok) return next;
  return accept(
    append(context, stored, { settlement: next.value.settlement, changes: [heard, ...next.value.changes] }),
  );
}

function personsSaying(
  opinions: Settlement['opinions'],
  operation: OperationState,
  owner: string,
  status: string,
): number {
  return opinions.filter(
    (each) => each.operation === operation.id && each.organisation === owner && each.status === status,
  ).length;
}

type Apply = (event: MachineEvent) => Result<Transition>;

/** Applies any number of events to one settlement and appends what they changed as one entry. */
function change(
  writer: Writer,
  proposal: Hash,
  work: (stored: StoredSettlement, apply: Apply) => readonly Refusal[],
): Result<JsonObject> {
  const { world } = writer;
  const stored = SETTLEMENT.get(world, proposal);
  if (!stored) return refuse('not-registered', `There is no settlement ${proposal}.`);
  const document = documentOf(world, stored);
  let sum: Transition = { settlement: stored.state, changes: [] };
  const refused = work(stored, (event) => {
    // All events of one call share one entry, so each begins from the sequence before it.
    const next = transition(document, { ...sum.settlement, sequence: stored.state.sequence }, event, world.tx.time);
    if (next.ok) sum = { settlement: next.value.settlement, changes: [...sum.changes, ...next.value.changes] };
    return next;
  });
  const first = refused[0];
  if (sum.changes.length === 0)
    return first ? { ok: false, refusal: first } : refuse('already-recorded', 'Nothing changed.');
  return accept({ ...append(writer, stored, sum), refused: refused.map(({ code, message }) => ({ code, message })) });
}

function refusals(result: Result<unknown>): Refusal[] {
  return result.ok ? [] : [result.refusal];
}

function outcomeOf(world: World, state: Settlement, signed: SignedStatement): Result<MachineEvent> {
  const { statement } = signed;
  // The order of these questions gives each kind of stray statement its own code.
  const system = systemOf(world, state, statement.operation, statement.system);
  if (statement.network !== state.network)
    return refuse('statement-other-network', 'The statement is for another network.');
  if (statement.settlement !== state.settlement)
    return refuse('statement-other-settlement', 'The statement is for another settlement.');
  if (!system.ok) return system;
  const checked = checkStatement(world.verify, signed, expectation(world, state, system.value));
  if (!checked.ok) return checked;
  const { operation, status, terms, reason, transaction } = checked.value;
  return accept({ type: 'outcome', operation, status, terms, reason, transaction, byPeople: false });
}

/** The system of a requested operation: a validator speaks for its own system only. */
function systemOf(world: World, state: Settlement, id: Hash, named: string): Result<SystemRecord> {
  const operation = findOperation(state, id);
  if (!operation) return refuse('statement-other-operation', `No operation ${id} was requested in this settlement.`);
  const system = SYSTEM.get(world, operation.system);
  if (!system || operation.system !== named)
    return refuse('statement-other-system', `The operation is on ${operation.system}, not on ${named}.`);
  return accept(system);
}

function expectation(world: World, state: Settlement, system: SystemRecord): StatementExpectation {
  return {
    network: state.network,
    settlement: state.settlement ?? state.proposal,
    system: system.id,
    keys: system.validators.keys,
    suspended: SUSPENDED.get(world, system.id)?.keys ?? [],
    threshold: system.validators.threshold,
  };
}

/** How two statements contradict each other: by one key, which is then suspended, or by different keys. */
function contradiction(
  world: World,
  state: Settlement,
  a: SignedStatement,
  b: SignedStatement,
): Result<'equivocation' | 'disagreement'> {
  const system = systemOf(world, state, a.statement.operation, a.statement.system);
  if (!system.ok) return system;
  if (a.statement.operation !== b.statement.operation || hashOf(a.statement) === hashOf(b.statement)) {
    return refuse('statements-agree', 'The statements do not contradict each other about one operation.');
  }
  const expected = { ...expectation(world, state, system.value), suspended: [], threshold: 1 };
  for (const signed of [a, b]) {
    const checked = checkStatement(world.verify, signed, expected);
    if (!checked.ok) return checked;
  }
  const both = a.signatures.flatMap(({ key }) => (b.signatures.some((other) => other.key === key) ? [key] : []));
  if (both.length === 0) return accept('disagreement');
  const suspended = SUSPENDED.get(world, system.value.id)?.keys ?? [];
  SUSPENDED.put(world, { keys: [...new Set([...suspended, ...both])].toSorted() }, system.value.id);
  return accept('equivocation');
}
