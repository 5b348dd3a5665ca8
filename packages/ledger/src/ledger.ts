import type { Queries, QueryType } from '@linkspan/contract';
import type { JsonObject, Result, SettlementEvent, SignedCall } from '@linkspan/protocol';

/** A place in the ledger's order of blocks: the number of the last block that was seen; 0 before the first. */
export type Checkpoint = number;

/** One block with anything in it that concerns settlements. */
export type LedgerEvent = {
  readonly block: number;
  /** The host's ordered time of the block, in UTC milliseconds. */
  readonly time: number;
  readonly transaction: string;
  readonly events: readonly SettlementEvent[];
};

/**
 * The port to the consortium ledger. A host implements it; the conformance suite says what every host must do.
 *
 * - `submit` puts calls into one ledger transaction; each has its own result and its own rollback. The answer comes when the transaction is final
 *   and durable. It throws a Fault: `ledger-unavailable` (with `mayHaveHappened`) or `storage-unavailable`. An accepted call is idempotent: submitted
 *   again, it gives the same result and changes nothing. A refused call leaves no trace and may be accepted later.
 * - `evaluate` answers from committed state. What an answered `submit` did is seen by every later `evaluate`.
 * - `events` gives every block after a checkpoint that carries settlement events, in order, at least once, without gap, first the stored ones and then
 *   the live ones, until the signal fires.
 */
export interface Ledger extends AsyncDisposable {
  /** How many transactions an organisation does well to have under way at once; one unless it says so. */
  readonly transactionsAtOnce?: number;
  submit(calls: readonly SignedCall[]): Promise<readonly Result<JsonObject>[]>;
  evaluate<T extends QueryType>(type: T, args: Queries[T]['args']): Promise<Result<Queries[T]['answer']>>;
  events(from: Checkpoint, signal: AbortSignal): AsyncIterable<LedgerEvent>;
  /** The number of the last block of this node. */
  height(): Promise<Checkpoint>;
}
