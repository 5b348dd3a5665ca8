import {
  Fault,
  type Hash,
  hashOf,
  isCanonicalisable,
  type Operation,
  refuse,
  type Refused,
  type Result,
  type SignedCertificate,
  type Signer,
  type SigningKey,
  type Statement,
  statementSchema,
  type Verb,
} from '@linkspan/protocol';
import type { Connector, Observation, ObservationFilter } from '../connector.ts';
import { backOffMs, pause } from '../pause.ts';
import { createWakeUp } from '../wake-up.ts';
import type {
  Answer,
  AttestRequest,
  FenceRequest,
  ReadRequest,
  SignedObservation,
  SignedReading,
  SubmitRequest,
} from '../wire.ts';
import { createBatchSigner } from './batch-signer.ts';
import { createRuns } from './runs.ts';

/**
 * Executes operations on one system, reads back what became of them and signs it. It remembers nothing: every statement is made from what the system
 * shows at that moment. Methods refuse what is not for this system or network, and throw a Fault `system-unavailable` when the system gives no answer.
 */
export type Validator = AsyncDisposable & {
  /** Asks the system for the effect and answers with the statement about it, or `pending` after `waitMs`. */
  submit(request: SubmitRequest): Promise<Result<Answer>>;
  /** Waits for somebody else's effect or death. */
  attest(request: AttestRequest): Promise<Result<Answer>>;
  /** Makes the system kill the id, unless it took effect. */
  fence(request: FenceRequest): Promise<Result<Answer>>;
  read(request: ReadRequest): Promise<Result<SignedReading>>;
  /** Final events after a cursor, each signed, until the signal fires. */
  observations(after: string, filter: ObservationFilter, signal: AbortSignal): AsyncIterable<SignedObservation>;
};

export type ValidatorOptions = {
  readonly network: Hash;
  readonly system: string;
  /** Closed with the validator. */
  readonly connector: Connector;
  readonly signer: Signer<SigningKey>;
  /** How many operations may be under way at once. */
  readonly mostOperations?: number;
  /** Learns of a certificate or request that the system did not accept, and why an operation was fenced. For the log. */
  readonly onRefusal?: (operation: Operation, reason: string, message: string) => void;
  /** Learns that the system broke a promise, so that people must look. For the log. */
  readonly onAttention?: (message: string) => void;
};

/** How long to trust the event stream before looking again all the same. */
const LOOK_AGAIN_MS = 1_000;

type Ended = { readonly found: Observation } | Refused;

export function createValidator(options: ValidatorOptions): Validator {
  const { network, system, connector, onRefusal } = options;
  const signer = createBatchSigner(options.signer);
  const runs = createRuns<Ended>({ most: options.mostOperations ?? 5_000, system });
  const wakeUp = createWakeUp();
  const closed = new AbortController();
  const watching = watch();

  /** Wakes whoever waits for an event. It begins at the present: who waits has looked, or will look, at the past. */
  async function watch(): Promise<void> {
    const cursor = await presentCursor();
    if (cursor === undefined) return;
    wakeUp.callAll();
    try {
      for await (const { observation } of connector.observe(cursor, {}, closed.signal)) {
        wakeUp.call(observation.operation);
        const hold = observation.terms['hold'];
        if (hold !== undefined) wakeUp.call(hold);
      }
    } catch (error) {
      // A stream ends with a Fault only when the connector has lost its faith in the system; every lookup says the same.
      if (!(error instanceof Fault)) throw error;
      options.onAttention?.(error.message);
      wakeUp.callAll();
    }
  }

  async function presentCursor(): Promise<string | undefined> {
    for (let failures = 1; !closed.signal.aborted; failures++) {
      try {
        return (await connector.read({ type: 'health' })).cursor;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        await pause(backOffMs(failures, 100, 2_000), closed.signal);
      }
    }
    return undefined;
  }

  async function untilFinal(operation: Operation, signal: AbortSignal): Promise<Ended | undefined> {
    const hold = operation.terms['hold'];
    const ids = hold === undefined ? [operation.id] : [operation.id, hold];
    while (!signal.aborted && !closed.signal.aborted) {
      const next = wakeUp.next(ids);
      try {
        const found = await connector.lookup(operation);
        if (found) return { found };
        const again = new AbortController();
        void next.called.then(() => again.abort());
        await pause(LOOK_AGAIN_MS, again.signal, signal, closed.signal);
      } finally {
        next.cancel();
      }
    }
    return undefined;
  }

  async function perform(
    operation: Operation,
    certificate: SignedCertificate | undefined,
    signal: AbortSignal,
  ): Promise<Ended | undefined> {
    const submission = await connector.submit(operation, certificate);
    if (submission.status === 'sent') return untilFinal(operation, signal);
    const { reason, message, about } = submission;
    onRefusal?.(operation, reason, message);
    // A certificate that is not accepted says nothing about the operation. Killing it would let whoever brings a wrong one kill anything.
    if (about === 'certificate') return refuse('certificate-refused', message);
    return { found: await connector.fence(operation, reason, certificate) };
  }

  async function answer(ended: Ended | undefined, operation: Operation): Promise<Result<Answer>> {
    if (!ended) return { ok: true, value: { status: 'pending' } };
    if (!('found' in ended)) return ended;
    const { status, terms, reason, transaction } = ended.found;
    const { settlement, id } = operation;
    const statement: Statement = {
      schema: 'statement/1',
      network,
      settlement,
      operation: id,
      system,
      status,
      terms,
      reason,
      transaction,
    };
    if (!statementSchema.safeParse(statement).success || !isCanonicalisable(statement)) throw unsayable(system);
    return { ok: true, value: { status: 'final', statement, signature: await signer.sign(statement) } };
  }

  function misdirected(operation: Operation, certificate?: SignedCertificate): Refused | undefined {
    if (operation.network !== network) return refuse('network-mismatch', `This validator is for network ${network}.`);
    if (operation.system !== system)
      return refuse('statement-other-system', `This validator is for ${system}, not for ${operation.system}.`);
    if (certificate && certificate.certificate.settlement !== operation.settlement) {
      return refuse('certificate-refused', 'The certificate is of another settlement than the operation.');
    }
    return undefined;
  }

  return {
    async submit({ operation, certificate, waitMs }) {
      const wrong = misdirected(operation, certificate);
      if (wrong) return wrong;
      if (NEEDS_CERTIFICATE.has(operation.verb) && !certificate)
        return refuse('certificate-missing', `${operation.verb} needs a certificate.`);
      const key = `submit ${hashOf({ operation, certificate })}`;
      return answer(await runs.join(key, waitMs, (signal) => perform(operation, certificate, signal)), operation);
    },
    async attest({ operation, waitMs }) {
      const wrong = misdirected(operation);
      if (wrong) return wrong;
      return answer(
        await runs.join(`attest ${hashOf(operation)}`, waitMs, (signal) => untilFinal(operation, signal)),
        operation,
      );
    },
    async fence({ operation, reason, certificate, waitMs }) {
      const wrong = misdirected(operation, certificate);
      if (wrong) return wrong;
      const key = `fence ${hashOf({ operation, certificate })}`;
      return answer(
        await runs.join(key, waitMs, async () => ({ found: await connector.fence(operation, reason, certificate) })),
        operation,
      );
    },
    async read({ query, nonce }) {
      const { positions, cursor } = await connector.read(query);
      const rows = positions.map(({ account, asset, balance, held }) => ({
        account,
        asset,
        balance: String(balance),
        held: String(held),
      }));
      const reading = { schema: 'reading/1', network, system, nonce, query, cursor, positions: rows } as const;
      if (!isCanonicalisable(reading)) throw unsayable(system);
      return { ok: true, value: { reading, signature: await signer.sign(reading) } };
    },
    async *observations(after, filter, signal) {
      const until = AbortSignal.any([signal, closed.signal]);
      for await (const { cursor, observation } of connector.observe(after, filter, until)) {
        const document = { schema: 'observation/1', network, system, after: cursor, ...observation } as const;
        if (!isCanonicalisable(document)) throw unsayable(system);
        yield { observation: document, signature: await signer.sign(document) };
      }
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      runs.close();
      await watching.catch(() => undefined);
      await connector[Symbol.asyncDispose]();
    },
  };
}

/** What a system says about an operation is signed as it is, or not at all. */
function unsayable(system: string): Fault {
  return new Fault('system-unavailable', `${system} says something that no statement can hold.`, {
    mayHaveHappened: true,
  });
}

const NEEDS_CERTIFICATE: ReadonlySet<Verb> = new Set(['execute', 'deliver', 'release', 'settle-dvp']);
