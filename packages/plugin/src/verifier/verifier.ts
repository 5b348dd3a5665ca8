import {
  Fault,
  type Hash,
  hashBytes,
  type Operation,
  type Refusal,
  type SignedCertificate,
  type SigningKey,
  type Verify,
  verifyBatchSignature,
} from '@linkspan/protocol';
import type { ObservationFilter, Position, ReadingQuery } from '../connector.ts';
import { backOffMs, pause } from '../pause.ts';
import { traceOfSettlement, withinTrace } from '../trace-context.ts';
import {
  type Answer,
  parseAnswer,
  parseSignedReading,
  PATHS,
  type SignedObservation,
  type SignedReading,
} from '../wire.ts';
import { followObservations } from './follow-observations.ts';
import { createStatementMemory, createTally, type Outcome } from './tally.ts';
import { createValidatorClient, type ValidatorClient, type ValidatorEndpoint } from './validator-client.ts';

export type { ValidatorClient } from './validator-client.ts';

/** One system as its users reach it: through its validators, believing only what enough of them signed. */
export type Verifier = AsyncDisposable & {
  readonly system: string;
  /** From now on nobody asks these validators: the ledger takes nothing any more that they sign. */
  suspend(keys: readonly SigningKey[]): void;
  /** Whom the ledger listens to by now, and how many of them must say the same. Validators with other keys are no longer asked, or not yet. */
  trust(validators: { readonly keys: readonly SigningKey[]; readonly threshold: number }): void;
  /**
   * Has the operation executed by one validator, the next one on silence, and collects what all of them read back. Never gives up before the signal
   * fires; then it throws a Fault `validator-unavailable`, and the operation may have happened.
   */
  perform(operation: Operation, certificate: SignedCertificate | undefined, signal: AbortSignal): Promise<Outcome>;
  /** The same for killing the id: the outcome says whether it is dead or had taken effect. */
  fence(
    operation: Operation,
    reason: string,
    certificate: SignedCertificate | undefined,
    signal: AbortSignal,
  ): Promise<Outcome>;
  /** Waits for what becomes of an operation without asking for it. */
  attest(operation: Operation, signal: AbortSignal): Promise<Outcome>;
  /** One validator's signed reading: positions in minor units. The first that answers is believed, since two moments give two readings. */
  read(query: ReadingQuery, signal: AbortSignal): Promise<VerifiedReading>;
  /** Events as one validator signs them, without gap from a cursor, carried on by the next validator when one is silent. A hint, never an outcome. */
  observe(cursor: string, filter: ObservationFilter, signal: AbortSignal): AsyncIterable<SignedObservation>;
};

export type VerifiedReading = {
  readonly key: SigningKey;
  readonly cursor: string;
  readonly positions: readonly Position[];
  readonly signed: SignedReading;
};

export type VerifierOptions = {
  readonly network: Hash;
  readonly system: string;
  readonly validators: readonly ValidatorEndpoint[];
  /** How many equal statements by distinct keys make an outcome; more than half of the validators. */
  readonly threshold: number;
  readonly suspended?: readonly SigningKey[];
  readonly verify: Verify;
  /** How a validator is reached; over HTTP unless given. */
  readonly connect?: (endpoint: ValidatorEndpoint) => ValidatorClient;
  /** The order in which validators are asked to execute. Everybody who asks should use the same; by default it follows from the operation's id. */
  readonly order?: (operation: Operation, count: number) => readonly number[];
  /** How long one request may wait at a validator. */
  readonly waitMs?: number;
  /** Learns of answers that were not accepted: a refusal by a validator, or of what it signed. */
  readonly onRefusal?: (key: SigningKey, operation: Operation, refusal: Refusal) => void;
  /** Learns of validators that were silent. */
  readonly onSilence?: (key: SigningKey, operation: Operation, fault: Fault) => void;
};

/** What the executor is asked for. Everybody else is only asked what they see. */
type Errand = { readonly path: string; readonly body: object };

/** Others may finish their answers this long after an outcome, so that a connection is not thrown away for a millisecond. */
const LATE_ANSWERS_MS = 1_000;

export function createVerifier(options: VerifierOptions): Verifier {
  const { network, system, verify } = options;
  let { threshold } = options;
  const suspended = new Set(options.suspended);
  const waitMs = options.waitMs ?? 10_000;
  const clients = options.validators.map(options.connect ?? createValidatorClient);
  let keys: readonly SigningKey[] = options.validators.map(({ key }) => key);
  const said = createStatementMemory(20_000);
  const order = options.order ?? orderById;
  const closed = new AbortController();

  function trusted(): ValidatorClient[] {
    return clients.filter(({ key }) => keys.includes(key) && !suspended.has(key));
  }

  /** Whoever works for a settlement, in whichever organisation, does so within one trace. */
  function collect(operation: Operation, errand: Errand | undefined, signal: AbortSignal): Promise<Outcome> {
    return withinTrace(traceOfSettlement(operation.settlement), () => askAll(operation, errand, signal));
  }

  /** Asks all validators until enough have answered alike. */
  function askAll(operation: Operation, errand: Errand | undefined, signal: AbortSignal): Promise<Outcome> {
    // Whoever contradicted itself is not asked again: what it signs, no ledger takes.
    const asked = trusted();
    const expected = { network, system, threshold, suspended: [...suspended], keys };
    const tally = createTally({ verify, operation, expected, said });
    const line = order(operation, asked.length);
    const over = new AbortController();
    const given = AbortSignal.any([signal, closed.signal]);
    const ended = AbortSignal.any([given, over.signal]);
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const nudges = asked.map(() => new AbortController());
    let executors = errand ? 1 : 0;
    let decided = false;
    let appointedAtMs = performance.now();

    function nextExecutor(): void {
      if (!errand || executors >= asked.length) return;
      appointedAtMs = performance.now();
      nudges[line[executors++] ?? -1]?.abort();
    }

    /** Nobody is silent, and nothing becomes final: the executor may have no way to the system, or not have done what it says. */
    function stalled(): void {
      if (performance.now() - appointedAtMs > waitMs * 0.9) nextExecutor();
    }

    async function ask(client: ValidatorClient, index: number): Promise<void> {
      const rank = line.indexOf(index);
      for (let failures = 0; !ended.aborted;) {
        const executes = errand !== undefined && rank < executors;
        const { path, body } = executes ? errand : { path: PATHS.attest, body: { operation } };
        const nudge = nudges[index]?.signal ?? ended;
        const interrupted = executes ? ended : AbortSignal.any([ended, nudge]);
        try {
          const answer = await client.post(path, { ...body, waitMs }, parseAnswer, { waitMs, signal: interrupted });
          if (answer.ok && answer.value.status === 'pending') {
            stalled();
            failures = 0;
            continue;
          }
          const refusal = answer.ok ? count(client, answer.value) : answer.refusal;
          if (!refusal) return;
          options.onRefusal?.(client.key, operation, refusal);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          if (ended.aborted || (interrupted.aborted && !executes)) continue;
          options.onSilence?.(client.key, operation, error);
        }
        if (executes && rank === executors - 1) nextExecutor();
        await pause(backOffMs(++failures, 20, 1_000), ended, executes ? undefined : nudge);
      }
    }

    function count(client: ValidatorClient, answer: Answer): Refusal | undefined {
      if (answer.status === 'pending') return undefined;
      const added = tally.add(client.key, { statement: answer.statement, signatures: [answer.signature] });
      if (!added.ok) return added.refusal;
      if (added.value) settle(added.value);
      return undefined;
    }

    function settle(outcome: Outcome): void {
      // Only evidence that is handed out counts: what comes too late will be found again at the next asking.
      if (!decided && outcome.kind === 'equivocation') suspended.add(outcome.key);
      decided = true;
      resolve(outcome);
    }

    function giveUp(): void {
      reject(
        new Fault('validator-unavailable', `Too few validators of ${system} answered about ${operation.id}.`, {
          mayHaveHappened: true,
        }),
      );
    }

    if (given.aborted) giveUp();
    given.addEventListener('abort', giveUp, { once: true });
    for (const [index, client] of asked.entries()) ask(client, index).catch(reject);
    return promise.finally(() => {
      given.removeEventListener('abort', giveUp);
      setTimeout(() => over.abort(), LATE_ANSWERS_MS).unref();
    });
  }

  async function read(query: ReadingQuery, signal: AbortSignal): Promise<VerifiedReading> {
    const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');
    let last: unknown;
    for (const client of trusted()) {
      try {
        const answer = await client.post(PATHS.read, { query, nonce }, parseSignedReading, { waitMs, signal });
        if (!answer.ok) throw new Fault('validator-unavailable', answer.refusal.message);
        return verifiedReading(client.key, answer.value, query, nonce);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        last = error;
      }
    }
    throw new Fault('validator-unavailable', `No validator of ${system} gave a reading.`, { cause: last });
  }

  function verifiedReading(
    key: SigningKey,
    signed: SignedReading,
    query: ReadingQuery,
    nonce: string,
  ): VerifiedReading {
    const { reading, signature } = signed;
    const fits =
      reading.network === network &&
      reading.system === system &&
      reading.nonce === nonce &&
      reading.query.type === query.type;
    if (!fits || signature.key !== key || !verifyBatchSignature(verify, reading, signature)) {
      throw new Fault('validator-unavailable', `The reading by ${key} is not what was asked, or is not signed by it.`);
    }
    const positions = reading.positions.map(({ account, asset, balance, held }) => ({
      account,
      asset,
      balance: BigInt(balance),
      held: BigInt(held),
    }));
    return { key, cursor: reading.cursor, positions, signed };
  }

  return {
    system,
    suspend: (suspendedKeys) => {
      for (const key of suspendedKeys) suspended.add(key);
    },
    trust: (validators) => ({ keys, threshold } = validators),
    perform: (operation, certificate, signal) =>
      collect(operation, { path: PATHS.submit, body: { operation, ...(certificate ? { certificate } : {}) } }, signal),
    fence: (operation, reason, certificate, signal) =>
      collect(
        operation,
        { path: PATHS.fence, body: { operation, reason, ...(certificate ? { certificate } : {}) } },
        signal,
      ),
    attest: (operation, signal) => collect(operation, undefined, signal),
    read,
    observe(cursor, filter, signal) {
      const given = AbortSignal.any([signal, closed.signal]);
      return followObservations({ network, system, verify, clients: trusted(), cursor, filter, signal: given });
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** A fixed rotation by operation: everybody turns to the same validator first, and the load is spread. */
function orderById(operation: Operation, count: number): number[] {
  const bytes = hashBytes(operation.id);
  const first = count === 0 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) % count;
  return Array.from({ length: count }, (_, i) => (first + i) % count);
}
