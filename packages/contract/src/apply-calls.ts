import {
  accept,
  type Call,
  callId,
  type CallBody,
  type CallType,
  type JsonObject,
  parseInPlace,
  refuse,
  type Result,
  type SignedCall,
  signedCallSchema,
  type Verify,
  verifyBatchSignature,
} from '@linkspan/protocol';
import { BufferedWorld } from './buffered-world.ts';
import { certify } from './certify.ts';
import { approveChange, confirmEpoch, proposeChange } from './changes.ts';
import { genesis, registerAccount, registerInstrument, registerParty, registerSystem } from './environment.ts';
import { lodge, retract } from './instructions.ts';
import { approveScenario, proposeScenario } from './scenarios.ts';
import { cancel, expire, record, report, resolve } from './settlements.ts';
import { CALL, NETWORK, ORGANISATION, REQUEST } from './store.ts';
import { NotFetched, type World } from './world.ts';

/** A call that may write, whatever it asks. */
export type Writer = { readonly world: World; readonly call: Call };

/** One call while it runs: what it asks and for which organisation. */
export type Context<T extends CallType> = Writer & {
  readonly body: Extract<CallBody, { readonly type: T }>;
  readonly organisation: string;
};

type Handler<T extends CallType> = (context: Context<T>) => Result<JsonObject>;

const HANDLERS: { readonly [T in CallType]: Handler<T> } = {
  genesis,
  'register-system': registerSystem,
  'register-party': registerParty,
  'register-account': registerAccount,
  'register-instrument': registerInstrument,
  'propose-scenario': proposeScenario,
  'approve-scenario': approveScenario,
  'propose-change': proposeChange,
  'approve-change': approveChange,
  'confirm-epoch': confirmEpoch,
  lodge,
  retract,
  record,
  certify,
  report,
  expire,
  cancel,
  resolve,
};

/**
 * Runs the calls of one ledger transaction in order. Each has its own result and its own rollback: a refused call leaves nothing, and later
 * calls read what accepted ones wrote. An accepted call is idempotent under its id.
 */
export function applyCalls(world: World, calls: readonly SignedCall[]): Result<JsonObject>[] {
  // Signatures come first: a host that must run a call again because a key was not at hand does not check them again.
  const checked = calls.map((call) => checkSignature(world, call));
  const batch = new BufferedWorld(world);
  const results = checked.map((signed) => (signed.ok ? applyCall(batch, signed.value) : signed));
  batch.merge();
  return results;
}

/** A host that lacks a key runs the same calls again, and a call that never changes has the same form and signature then. */
const CHECKED = new WeakMap<Verify, WeakMap<object, Result<SignedCall>>>();

function checkSignature(world: World, call: unknown): Result<SignedCall> {
  if (typeof call !== 'object' || call === null) return checkForm(world, call);
  const known = CHECKED.get(world.verify) ?? new WeakMap<object, Result<SignedCall>>();
  CHECKED.set(world.verify, known);
  const before = known.get(call);
  if (before) return before;
  const checked = checkForm(world, call);
  known.set(call, checked);
  return checked;
}

function checkForm(world: World, input: unknown): Result<SignedCall> {
  const parsed = parseInPlace(signedCallSchema, input, 'call-invalid');
  if (!parsed.ok) return parsed;
  const { call, signature } = parsed.value;
  try {
    if (verifyBatchSignature(world.verify, call, signature)) return parsed;
  } catch (error) {
    if (error instanceof RangeError) return refuse('call-invalid', `The call has no canonical form: ${error.message}.`);
    throw error;
  }
  return refuse('signature-invalid', `The signature by ${signature.key} does not fit the call.`);
}

function applyCall(batch: BufferedWorld, signed: SignedCall): Result<JsonObject> {
  const world = new BufferedWorld(batch);
  const result = runCall(world, signed);
  if (result.ok) world.merge();
  return result;
}

function runCall(world: World, { call, signature }: SignedCall): Result<JsonObject> {
  try {
    const entitled = checkCaller(world, call, signature.key);
    if (!entitled.ok) return entitled;
    const id = callId(call);
    const before = CALL.get(world, id);
    if (before) return accept(before.value);
    const asked = checkRequest(world, call);
    if (!asked.ok) return asked;
    const result = dispatch(world, call);
    if (!result.ok) return result;
    CALL.put(world, { value: result.value }, id);
    keepRequest(world, call);
    return result;
  } catch (error) {
    if (error instanceof NotFetched) throw error;
    // No input may stop a node: what breaks an assertion is refused and rolled back.
    return refuse(
      'call-broken',
      `The call broke a rule of the contract: ${error instanceof Error ? error.message : 'unknown'}`,
    );
  }
}

function checkCaller(world: World, call: Call, key: string): Result<null> {
  const network = NETWORK.get(world, 'genesis');
  if (!network) {
    if (call.body.type !== 'genesis') return refuse('not-registered', 'The network has no genesis yet.');
    // No organisation is registered yet, so the genesis itself says whose key it is brought under.
    const named = call.body.genesis.organisations.find((each) => each.id === call.organisation);
    return !named || named.callKey === key
      ? accept(null)
      : refuse('key-unknown', `${key} is not the call key of ${call.organisation}.`);
  }
  if (call.network !== network.id)
    return refuse('network-mismatch', `The call is for the network ${call.network}; this is ${network.id}.`);
  const organisation = ORGANISATION.get(world, call.organisation);
  if (!organisation) return refuse('key-unknown', `There is no organisation ${call.organisation}.`);
  if (network.removed?.includes(call.organisation))
    return refuse('organisation-removed', `${call.organisation} is no longer a member of the network.`);
  if (organisation.callKey !== key) return refuse('key-unknown', `${key} is not the call key of ${call.organisation}.`);
  if (organisation.revoked === true) return refuse('key-revoked', `The call key of ${call.organisation} was revoked.`);
  return accept(null);
}

/** The same key with another body is another request under a used name. The same body is the same call and never comes this far. */
function checkRequest(world: World, { organisation, request }: Call): Result<null> {
  const known = request && REQUEST.get(world, organisation, request.client, request.key);
  return known && known.body !== request.body
    ? refuse('idempotency-key-reused', 'The Idempotency-Key was used with another body.')
    : accept(null);
}

/** What was refused leaves its key free. */
function keepRequest(world: World, { organisation, request }: Call): void {
  if (request) REQUEST.put(world, { body: request.body }, organisation, request.client, request.key);
}

function dispatch(world: World, call: Call): Result<JsonObject> {
  const { body } = call;
  return run(HANDLERS, body.type, world, call);
}

/** Looks up the handler of the body's own type; the generic ties both together. */
function run<T extends CallType>(
  handlers: { readonly [K in T]: Handler<K> },
  type: T,
  world: World,
  call: Call,
): Result<JsonObject> {
  const { body } = call;
  if (!isBody(body, type)) return refuse('call-invalid', 'The call has no such type.');
  return handlers[type]({ world, call, body, organisation: call.organisation });
}

function isBody<T extends CallType>(body: CallBody, type: T): body is Extract<CallBody, { readonly type: T }> {
  return body.type === type;
}
