import type { Hash, Operation, SignedCertificate, Terms } from '@linkspan/protocol';

/** What became of a request at the moment of asking. Neither says anything final: only a final effect or a fence does. */
export type Submission =
  /** The system took it; its effect may still be under way. */
  | { readonly status: 'sent' }
  /**
   * The system refused it, with a reason code it gave (ISO 20022). Fence it before saying `dead`. `about: 'certificate'` marks a refusal of what
   * the caller brought, not of the operation: the operation is as open as before, and the right certificate may still come.
   */
  | { readonly status: 'refused'; readonly reason: string; readonly message: string; readonly about?: 'certificate' };

/** Something final on the system: an operation took effect with these terms, or it never can. */
export type Observation = {
  readonly operation: Hash;
  readonly status: 'effective' | 'dead';
  /** As the system reads them back; empty for `dead`. */
  readonly terms: Terms;
  /** The code that the system stored with a refusal or fence; empty for `effective`. */
  readonly reason: string;
  /** The system's own name of the transaction or booking; equal for every honest reader. */
  readonly transaction: string;
};

/** The operation of a change that nobody keyed, such as a hold that a stranger executed: its terms name the hold. */
export const NO_OPERATION: Hash = `sha256:${'0'.repeat(64)}`;

/** An observation in a stream, with the cursor after it. */
export type ObservedEvent = { readonly cursor: string; readonly observation: Observation };

/** Which events of a system a reader wants: of a settlement, or about certain operations or their holds. Without either, all. */
export type ObservationFilter = { readonly settlement?: Hash; readonly operations?: readonly Hash[] };

/** A fence belongs to no settlement, as systems see it, so only a filter that names its operation finds it. */
export function wants(filter: ObservationFilter, observation: Observation, settlement: Hash | undefined): boolean {
  if (!filter.settlement && !filter.operations) return true;
  if (filter.settlement && settlement === filter.settlement) return true;
  const { operation, terms } = observation;
  return filter.operations?.some((id) => id === operation || id === terms['hold']) ?? false;
}

export type ReadingQuery =
  | { readonly type: 'balances'; readonly accounts?: readonly string[] }
  | { readonly type: 'health' };

/** One position of an account, in minor units. `account` is the system's own name of it. */
export type Position = {
  readonly account: string;
  readonly asset: string;
  readonly balance: bigint;
  readonly held: bigint;
};
export type Reading = { readonly positions: readonly Position[]; readonly cursor: string };

/**
 * The port to one kind of connected system. Every method throws a Fault `system-unavailable` when the system gives no answer, with
 * `mayHaveHappened` true for a request that may have arrived.
 */
export interface Connector extends AsyncDisposable {
  /** Asks for the effect. The same id twice is one effect. Inverse, complete and pivot operations carry the certificate that allows them. */
  submit(operation: Operation, certificate?: SignedCertificate): Promise<Submission>;
  /** Final events from a cursor ('' = from the beginning), without gap, resumed by itself after any interruption until `signal` fires. */
  observe(cursor: string, filter: ObservationFilter, signal: AbortSignal): AsyncIterable<ObservedEvent>;
  /** What is final about this operation. `undefined` means not seen, which proves nothing. */
  lookup(operation: Operation): Promise<Observation | undefined>;
  /** After this the operation can never take effect; says whether it already had. Idempotent; safe at any time. */
  fence(operation: Operation, reason: string, certificate?: SignedCertificate): Promise<Observation>;
  read(query: ReadingQuery): Promise<Reading>;
}
