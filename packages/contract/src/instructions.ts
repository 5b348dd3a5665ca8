import {
  accept,
  checkInstruction,
  fieldAt,
  type Field,
  type Hash,
  instructionHash,
  invariant,
  type JsonObject,
  parseInstant,
  type Problem,
  proposalId,
  refuse,
  type Result,
  type ScenarioDocument,
  unflatten,
} from '@linkspan/protocol';
import { bindRoles, type Participant, start, transition } from '@linkspan/scenario';
import type { Context } from './apply-calls.ts';
import { append } from './history.ts';
import { registerOf, slotKey } from './register.ts';
import { BY_OPENING, BY_TRADE, NETWORK, PARTY, SCENARIO, SETTLEMENT, SLOT, type StoredSettlement } from './store.ts';
import type { World } from './world.ts';

/** Lodges an organisation's copy of an instruction. When all debited sides have lodged the same one, the settlement begins. */
export function lodge(context: Context<'lodge'>): Result<JsonObject> {
  const { world, body, organisation } = context;
  const checked = checkLodged(world, body.fields, body.tradeId, body.scenario);
  if (!checked.ok) return checked;
  const { scenario, participants, lodgers, deadline } = checked.value;
  if (!lodgers.includes(organisation)) {
    return refuse(
      'not-entitled',
      `The instruction is lodged by ${lodgers.join(' and ')}, who speak for its debited sides.`,
    );
  }
  const before = openProposal(world, body.tradeId, lodgers);
  const state = before?.state ?? begin(world, body.tradeId, body.scenario, scenario.hash, lodgers);
  const copy = { organisation, hash: instructionHash(body.fields), deadline, fields: body.fields };
  if (state.scenario.hash !== scenario.hash) {
    return refuse(
      'instruction-invalid',
      `The other side lodged this trade for the scenario ${state.scenario.reference}.`,
    );
  }
  const next = transition(scenario.document, state, { type: 'lodge', copy, participants }, world.tx.time);
  if (!next.ok) return next;
  const answer = append(context, before, next.value);
  const { proposal } = state;
  if (!before) {
    BY_TRADE.put(world, { proposal }, body.tradeId, proposal);
    BY_OPENING.put(world, { proposal }, world.tx.time, proposal);
  }
  return accept(answer);
}

/** Takes an organisation's own copy back while nothing has begun; the proposal ends. */
export function retract(context: Context<'retract'>): Result<JsonObject> {
  const { world, body, organisation } = context;
  const before = SETTLEMENT.get(world, body.proposal);
  if (!before) return refuse('not-registered', `There is no proposal ${body.proposal}.`);
  const next = transition(documentOf(world, before), before.state, { type: 'retract', organisation }, world.tx.time);
  return next.ok ? accept(append(context, before, next.value)) : next;
}

/** The document that a settlement began with. Its reference stands for one document for ever. */
export function documentOf(world: Pick<World, 'get'>, { state }: StoredSettlement): ScenarioDocument {
  const scenario = SCENARIO.get(world, state.scenario.reference);
  invariant(scenario?.hash === state.scenario.hash, 'a settlement keeps the scenario that it began with');
  return scenario.document;
}

type Lodged = {
  readonly scenario: { readonly document: ScenarioDocument; readonly hash: Hash };
  readonly participants: readonly Participant[];
  readonly lodgers: readonly string[];
  readonly deadline: number;
};

function checkLodged(world: World, fields: readonly Field[], tradeId: string, reference: string): Result<Lodged> {
  const instruction = unflatten(fields);
  if (!instruction)
    return refuse('call-invalid', 'The fields are not sorted by path, repeat one, or lead through a value.');
  const { problems, participants } = checkAll(world, instruction, fields, world.tx.time);
  if (problems.length > 0)
    return refuse('instruction-invalid', `The instruction has ${problems.length} problems.`, { problems });
  if (instruction['tradeId'] !== tradeId || instruction['scenario'] !== reference) {
    return refuse('call-invalid', 'The call names another trade id or scenario than its fields.');
  }
  const scenario = SCENARIO.get(world, reference);
  const deadline = parseInstant(fieldAt(fields, '/deadline') ?? '');
  invariant(scenario && deadline.ok, 'the instruction was checked');
  return accept({
    scenario,
    participants,
    lodgers: lodgersOf(world, scenario.document, fields),
    deadline: deadline.value,
  });
}

/** Every problem of an instruction, and the systems that play its roles. Also answers the query that CoreAPI asks before it lodges. */
export function checkAll(
  world: Pick<World, 'get'>,
  instruction: unknown,
  fields: readonly Field[] | undefined,
  time: number,
): { readonly problems: readonly Problem[]; readonly participants: readonly Participant[] } {
  const register = registerOf(world);
  const problems = checkInstruction(instruction, register, time);
  const document = fields ? register.scenario(fieldAt(fields, '/scenario') ?? '')?.document : undefined;
  if (!document || !fields) return { problems, participants: [] };
  const bound = bindRoles(document, fields, register);
  const known = new Set(problems.map((each) => each.pointer));
  return {
    problems: [...problems, ...bound.problems.filter((each) => !known.has(each.pointer))],
    participants: bound.participants,
  };
}

/** The organisations that speak for the parties which give something, in order. */
function lodgersOf(world: World, document: ScenarioDocument, fields: readonly Field[]): string[] {
  const organisations = document.exchange.map(({ party }) => {
    const record = PARTY.get(world, fieldAt(fields, `${party}/lei`) ?? '');
    invariant(record, 'the parties were checked');
    return record.organisation;
  });
  return [...new Set(organisations)].toSorted();
}

function openProposal(world: World, tradeId: string, lodgers: readonly string[]): StoredSettlement | undefined {
  const open = SLOT.get(world, slotKey(tradeId, lodgers))?.open;
  return typeof open === 'string' ? SETTLEMENT.get(world, open) : undefined;
}

function begin(world: World, tradeId: string, reference: string, hash: Hash, lodgers: readonly string[]) {
  const network = NETWORK.get(world, 'genesis');
  invariant(network, 'the caller was checked against the network');
  const round = (SLOT.get(world, slotKey(tradeId, lodgers))?.round ?? 0) + 1;
  const proposal = proposalId({ network: network.id, tradeId, lodgers, round });
  return start({
    network: network.id,
    epoch: network.epoch,
    proposal,
    round,
    tradeId,
    scenario: { reference, hash },
    lodgers,
  });
}
