import type { SettlementEvent, Verify } from '@linkspan/protocol';

/** What the contract stores: JSON objects, never changed once they have been handed over or read. */
export type Stored = object;

/**
 * All that the contract may see or do while it runs calls. Synchronous, and written for the strictest host: there is no reading of ranges
 * here, because a host that checks reads for conflicts would lose whole batches over one.
 */
export interface World {
  /** The ledger transaction: its id, and the host's ordered time in UTC milliseconds. Every node sees the same. */
  readonly tx: { readonly id: string; readonly time: number };
  get(key: string): Stored | undefined;
  put(key: string, value: Stored): void;
  delete(key: string): void;
  emit(event: SettlementEvent): void;
  /** A pure function that the host supplies. */
  readonly verify: Verify;
}

/** What a query may see: committed state only, as of one block. */
export interface Reader {
  /** The host's time, in UTC milliseconds. */
  readonly time: number;
  get(key: string): Stored | undefined;
  /** Keys with a prefix in ascending order of their UTF-8 bytes, after `after` where it is given, at most `limit`; `reverse` for descending. */
  range(
    prefix: string,
    options: { readonly limit: number; readonly after?: string; readonly reverse?: boolean },
  ): Iterable<readonly [string, Stored]>;
}

/** Thrown by a world that does not have a key at hand: the host fetches it and runs the call again. */
export class NotFetched extends Error {
  override readonly name = 'NotFetched';
  readonly key: string;

  constructor(key: string) {
    super(`${key} is not at hand`);
    this.key = key;
  }
}
