import {
  Fault,
  hashSchema,
  type Operation,
  operationSchema,
  parse,
  refuse,
  type Result,
  signedCertificateSchema,
} from '@linkspan/protocol';
import type { ObservationFilter } from '../connector.ts';
import { isObject, readDocument } from '../document-reader.ts';
import type { ObservationDocument, SignedObservation } from '../wire.ts';
import type { Outcome } from './tally.ts';
import type { Verifier, VerifiedReading } from './verifier.ts';

/** An event as Hyperledger Cacti's listeners know it. `id` is the cursor after it, so that a monitor can be started again from there. */
export type LedgerEvent = { readonly id: string; readonly verifierId: string; readonly data: ObservationDocument };

export type VerifierEventListener = {
  onEvent(event: LedgerEvent): void;
  onError?(error: unknown): void;
};

/** `cursor` '' is the beginning. */
export type MonitorOptions = { readonly cursor?: string; readonly filter?: ObservationFilter };

/** `status` as in HTTP: 200 with verified data, or a refusal's status with what was wrong. Unlike there, `data` never comes unsigned. */
export type RequestResult =
  | { readonly status: 200; readonly data: Outcome | VerifiedReading }
  | { readonly status: 422; readonly errorDetail: string };

/**
 * The names that users of Hyperledger Cacti's Verifier know, over a {@link Verifier}. `method.command` is `perform`, `fence`, `attest` or `read`; `args`
 * are `{ operation, certificate?, reason? }`, or the query of a reading; `contract` may name the settlement that the operation must belong to.
 * The defects of the original are not kept: monitors can always be stopped, lose nothing between two polls, and answers cannot be replayed.
 */
export type LedgerVerifier = {
  readonly verifierID: string;
  sendSyncRequest(contract: object, method: object, args: object): Promise<RequestResult>;
  /** Resolves once the request has been taken up; what becomes of it is seen by a monitor. */
  sendAsyncRequest(contract: object, method: object, args: object): Promise<void>;
  startMonitor(id: string, options: MonitorOptions, listener: VerifierEventListener): void;
  /** Stops one monitor, or all of them. */
  stopMonitor(id?: string): void;
};

export type LedgerVerifierOptions = {
  readonly verifierID: string;
  readonly verifier: Verifier;
  /** How long one request may take before it counts as unanswered. */
  readonly requestTimeoutMs: number;
  /** Learns of asynchronous requests that came to nothing. */
  readonly onError: (error: unknown) => void;
};

export function createLedgerVerifier(options: LedgerVerifierOptions): LedgerVerifier {
  const { verifierID, verifier, requestTimeoutMs } = options;
  const monitors = new Map<string, AbortController>();

  async function run(request: Request): Promise<Outcome | VerifiedReading> {
    const signal = AbortSignal.timeout(requestTimeoutMs);
    switch (request.command) {
      case 'read':
        return verifier.read(request.query, signal);
      case 'attest':
        return verifier.attest(request.operation, signal);
      case 'perform':
        return verifier.perform(request.operation, request.certificate, signal);
      case 'fence':
        return verifier.fence(request.operation, request.reason, request.certificate, signal);
    }
  }

  async function follow(
    cursor: string,
    filter: ObservationFilter,
    listener: VerifierEventListener,
    signal: AbortSignal,
  ): Promise<void> {
    for await (const { observation } of verifier.observe(cursor, filter, signal)) {
      if (signal.aborted) return;
      listener.onEvent(ledgerEvent(verifierID, observation));
    }
  }

  return {
    verifierID,
    async sendSyncRequest(contract, method, args) {
      const request = readRequest(contract, method, args);
      if (!request.ok) return { status: 422, errorDetail: request.refusal.message };
      return { status: 200, data: await run(request.value) };
    },
    async sendAsyncRequest(contract, method, args) {
      const request = readRequest(contract, method, args);
      if (!request.ok) throw new Fault('request-invalid', request.refusal.message);
      run(request.value).catch(options.onError);
    },
    startMonitor(id, { cursor = '', filter = {} }, listener) {
      if (monitors.has(id)) throw new Fault('request-invalid', `The monitor ${id} is running.`);
      const stop = new AbortController();
      monitors.set(id, stop);
      follow(cursor, filter, listener, stop.signal)
        .catch((error: unknown) => listener.onError?.(error))
        .finally(() => {
          if (monitors.get(id) === stop) monitors.delete(id);
        });
    },
    stopMonitor(id) {
      for (const [name, stop] of monitors) {
        if (id !== undefined && name !== id) continue;
        monitors.delete(name);
        stop.abort();
      }
    },
  };
}

type Request =
  | { readonly command: 'read'; readonly query: Parameters<Verifier['read']>[0] }
  | { readonly command: 'attest'; readonly operation: Operation }
  | { readonly command: 'perform'; readonly operation: Operation; readonly certificate: Certificate | undefined }
  | {
      readonly command: 'fence';
      readonly operation: Operation;
      readonly certificate: Certificate | undefined;
      readonly reason: string;
    };

type Certificate = Exclude<Parameters<Verifier['perform']>[1], undefined>;

function readRequest(contract: object, method: object, args: object): Result<Request> {
  const called = isObject(method) ? method['command'] : undefined;
  const reader = readDocument(args);
  if (called === 'read') {
    const type = reader.choice('type', ['balances', 'health']);
    const accounts = type === 'balances' && reader.has('accounts') ? reader.texts('accounts') : undefined;
    const query = type === 'health' ? { type } : { type, ...(accounts ? { accounts } : {}) };
    return reader.finish('request-invalid', () => ({ command: called, query }));
  }
  if (called !== 'perform' && called !== 'fence' && called !== 'attest') {
    return refuse('request-invalid', 'The method has a "command": perform, fence, attest or read.');
  }
  const operation = reader.parsed('operation', (value) => parse(operationSchema, value, 'request-invalid'));
  const certificate = reader.optional('certificate', (value) =>
    parse(signedCertificateSchema, value, 'request-invalid'),
  );
  const reason = called === 'fence' ? reader.text('reason') : '';
  const read = reader.finish('request-invalid', () => undefined);
  if (!read.ok) return read;
  if (!operation || !belongsTo(contract, operation))
    return refuse('request-invalid', 'The operation is of another settlement than the contract names.');
  if (called === 'attest') return { ok: true, value: { command: called, operation } };
  if (called === 'perform') return { ok: true, value: { command: called, operation, certificate } };
  return { ok: true, value: { command: called, operation, certificate, reason } };
}

function belongsTo(contract: object, operation: Operation): boolean {
  const named = isObject(contract) ? contract['settlement'] : undefined;
  return named === undefined || (hashSchema.safeParse(named).success && named === operation.settlement);
}

function ledgerEvent(verifierId: string, data: SignedObservation['observation']): LedgerEvent {
  return { id: data.after, verifierId, data };
}
