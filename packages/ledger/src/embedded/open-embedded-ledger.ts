import { mkdirSync } from 'node:fs';
import type { Queries, QueryType, Reader, Stored, World } from '@linkspan/contract';
import {
  Fault,
  type JsonObject,
  type RecentMap,
  recentMap,
  type Result,
  type SettlementEvent,
  type SignedCall,
  type Verify,
} from '@linkspan/protocol';
import type { Archive } from '../archive.ts';
import type { Checkpoint, Ledger, LedgerEvent } from '../ledger.ts';
import { type Block, type ChainEnd, sealBlock, transactionId } from './block.ts';
import { blockArchive, indexCalls } from './block-archive.ts';
import { type BlockEvents, BlockStore } from './block-store.ts';
import { checkRecent } from './check-ledger.ts';
import { lockDirectory } from './directory-lock.ts';
import { type HeadFile, openHeadFile, readHead } from './head-file.ts';
import { deepFreeze, HostWorld } from './host-world.ts';
import { storageFault } from './storage-fault.ts';

/** The contract that a host runs. `@linkspan/contract` exports both functions. */
export type ContractCode = {
  applyCalls(world: World, calls: readonly SignedCall[]): readonly Result<JsonObject>[];
  runQuery<T extends QueryType>(reader: Reader, type: T, args: Queries[T]['args']): Result<Queries[T]['answer']>;
};

export type EmbeddedLedgerOptions = {
  /** Made where it does not exist. Belongs to this ledger alone: a backup copies all of it. */
  readonly directory: string;
  readonly contract: ContractCode;
  readonly verify: Verify;
  /** The clock, in UTC milliseconds. */
  readonly now: () => number;
  /** How far a block's time may lie ahead of the clock after the clock was set back; 2000 unless given. */
  readonly toleranceMs?: number;
  /** Closes the ledger. */
  readonly signal?: AbortSignal;
  /** How many parsed values of the state are kept at hand; 20 000 unless given. */
  readonly cacheEntries?: number;
  /** The file grows no larger than this; further submits then throw `storage-unavailable`. Unlimited unless given. */
  readonly maximumBytes?: number;
  /** Freezes every value and proves that it is plain JSON. For tests and development: it costs time. */
  readonly strict?: boolean;
};

/** A ledger of one process, with its blocks for those who prove its history. */
export interface EmbeddedLedger extends Ledger {
  /** Up to `limit` blocks after a number, as they are stored. */
  blocks(after: Checkpoint, limit: number): Promise<readonly Block[]>;
  /** Accepted calls, by what they are about. */
  readonly archive: Archive;
}

/**
 * Opens the embedded host on a directory: an SQLite file, one writer. What was queued while the last block was written becomes the next block,
 * which is one ledger transaction and one durable SQL transaction. Blocks are chained by SHA-256; the last ones are checked on opening. A block
 * that would change nothing is not written.
 *
 * Throws a Fault: `storage-unavailable` (also where the directory is open already), `storage-corrupt` where the stored ledger does not hold
 * together, `configuration-invalid` where another version of this program wrote it.
 */
export async function openEmbeddedLedger(options: EmbeddedLedgerOptions): Promise<EmbeddedLedger> {
  const { directory, signal } = options;
  using opened = new DisposableStack();
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageFault(error, `making ${directory}`);
  }
  opened.use(lockDirectory(directory));
  const store = opened.use(
    BlockStore.open(directory, options.maximumBytes === undefined ? {} : { maximumBytes: options.maximumBytes }),
  );
  checkRecent(store, readHead(directory));
  const head = opened.use(openHeadFile(directory));
  const ledger = new Host(options, store, head, opened.move());
  signal?.addEventListener('abort', () => void ledger[Symbol.asyncDispose](), { once: true });
  if (signal?.aborted) await ledger[Symbol.asyncDispose]();
  return ledger;
}

type Submission = {
  readonly calls: readonly SignedCall[];
  readonly resolve: (results: readonly Result<JsonObject>[]) => void;
  readonly reject: (fault: Fault) => void;
};

/** Calls in one block, and calls that wait for theirs. */
const BLOCK_CALLS = 512;
const QUEUED_CALLS = 65_536;
/** Blocks that a reader of events has in memory at once. */
const EVENT_PAGE = 32;
/** Blocks whose events are kept at hand for those who follow. */
const RECENT_BLOCKS = 64;

class Host implements EmbeddedLedger {
  readonly archive: Archive;
  readonly #contract: ContractCode;
  readonly #verify: Verify;
  readonly #now: () => number;
  readonly #toleranceMs: number;
  readonly #strict: boolean;
  readonly #store: BlockStore;
  readonly #head: HeadFile;
  readonly #opened: DisposableStack;
  readonly #values: RecentMap<Stored>;
  readonly #events = recentMap<LedgerEvent>(RECENT_BLOCKS);
  readonly #recent = recentMap<BlockEvents>(RECENT_BLOCKS);
  readonly #waiting = new Set<() => void>();
  #last: ChainEnd;
  #queue: Submission[] = [];
  #queuedCalls = 0;
  #broken: Fault | undefined;

  constructor(options: EmbeddedLedgerOptions, store: BlockStore, head: HeadFile, opened: DisposableStack) {
    this.#contract = options.contract;
    this.#verify = options.verify;
    this.#now = options.now;
    this.#toleranceMs = options.toleranceMs ?? 2000;
    this.#strict = options.strict ?? false;
    this.#store = store;
    this.#head = head;
    this.#opened = opened;
    this.#values = recentMap(options.cacheEntries ?? 20_000);
    this.#last = store.last();
    this.archive = blockArchive(store, (read) => {
      this.#checkServing();
      return this.#guarded(read);
    });
  }

  async submit(calls: readonly SignedCall[]): Promise<readonly Result<JsonObject>[]> {
    this.#checkServing();
    if (calls.length === 0) return [];
    if (this.#queuedCalls + calls.length > QUEUED_CALLS) {
      throw new Fault('ledger-unavailable', `More than ${QUEUED_CALLS} calls are waiting.`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly Result<JsonObject>[]>();
    // After everything that is ready to run in this turn, so that those who submit together share a block.
    if (this.#queue.length === 0) setImmediate(() => this.#writeNext());
    this.#queue.push({ calls: [...calls], resolve, reject });
    this.#queuedCalls += calls.length;
    return promise;
  }

  async evaluate<T extends QueryType>(type: T, args: Queries[T]['args']): Promise<Result<Queries[T]['answer']>> {
    this.#checkServing();
    const reader: Reader = {
      time: Math.max(this.#now(), this.#last.time),
      get: (key) => this.#get(key),
      range: (prefix, options) => this.#guarded(() => this.#store.range(prefix, options)),
    };
    return this.#contract.runQuery(reader, type, args);
  }

  async *events(from: Checkpoint, signal: AbortSignal): AsyncGenerator<LedgerEvent, void, void> {
    if (from > this.#last.number) {
      throw new Fault(
        'storage-corrupt',
        `Events after block ${from} were asked for, but the ledger ends at block ${this.#last.number}.`,
      );
    }
    let at = from;
    while (!signal.aborted) {
      this.#checkServing();
      const end = this.#last.number;
      if (at === end) {
        await this.#nextBlock(signal);
        continue;
      }
      // Who follows closely reads what is still at hand; the storage is for those who come late.
      const recent = this.#recent.get(String(at + 1));
      const page = recent ? [recent] : this.#guarded(() => this.#store.eventsAfter(at, EVENT_PAGE));
      for (const block of page) {
        if (signal.aborted) return;
        at = block.number;
        if (block.events !== '[]') yield this.#eventOf(block);
      }
    }
  }

  async height(): Promise<Checkpoint> {
    this.#checkServing();
    return this.#last.number;
  }

  async blocks(after: Checkpoint, limit: number): Promise<readonly Block[]> {
    this.#checkServing();
    return this.#guarded(() => this.#store.blocksAfter(after, limit));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#opened.disposed) return;
    while (this.#queue.length > 0) this.#writeNext();
    this.#opened.dispose();
    this.#wake();
  }

  #checkServing(): void {
    if (this.#broken) throw this.#broken;
    if (this.#opened.disposed) throw new Fault('ledger-unavailable', 'The ledger is closed.');
  }

  /** Takes what is queued, up to a block's size, and answers every submission of it. */
  #writeNext(): void {
    const taken = this.#take();
    if (taken.length === 0) return;
    if (this.#queue.length > 0) setImmediate(() => this.#writeNext());
    try {
      this.#write(taken);
    } catch (error) {
      if (error instanceof Fault || taken.length === 1) return rejectAll(taken, asFault(error));
      // The contract itself broke on one of them, and the others are not to suffer for it.
      for (const submission of taken) this.#writeAlone(submission);
    }
  }

  #writeAlone(submission: Submission): void {
    try {
      this.#write([submission]);
    } catch (error) {
      submission.reject(asFault(error));
    }
  }

  #take(): Submission[] {
    let [count, calls] = [0, 0];
    for (const submission of this.#queue) {
      if (count > 0 && calls + submission.calls.length > BLOCK_CALLS) break;
      count += 1;
      calls += submission.calls.length;
    }
    this.#queuedCalls -= calls;
    return this.#queue.splice(0, count);
  }

  #write(submissions: readonly Submission[]): void {
    if (this.#broken) throw this.#broken;
    const calls = submissions.flatMap((submission) => submission.calls);
    const results = this.#guarded(() => this.#commit(calls));
    let from = 0;
    for (const { calls: own, resolve } of submissions) {
      resolve(results.slice(from, from + own.length));
      from += own.length;
    }
  }

  /** Runs calls as the next block and makes it durable. Nothing of this object changes unless that succeeds. */
  #commit(calls: readonly SignedCall[]): readonly Result<JsonObject>[] {
    const number = this.#last.number + 1;
    const time = this.#nextTime();
    const previous = this.#last.hash;
    const tx = { id: transactionId(number, time, previous), time };
    const world = new HostWorld({ tx, verify: this.#verify, read: (key) => this.#get(key), strict: this.#strict });
    const results = this.#contract.applyCalls(world, calls);
    world.throwFailure();
    if (world.writes.size === 0 && world.events.length === 0) return results;
    const accepted = calls.flatMap((call, i) => {
      const result = results[i];
      return result?.ok ? [{ call, value: result.value }] : [];
    });
    const block = sealBlock({
      number,
      time,
      previous,
      calls: JSON.stringify(accepted.map(({ call }) => call)),
      results: JSON.stringify(accepted.map(({ value }) => value)),
      events: JSON.stringify(world.events),
      writes: JSON.stringify([...world.writes].map(([key, write]) => [key, write?.hash ?? null])),
    });
    this.#store.append(block, world.writes, indexCalls(accepted));
    this.#became(block, world);
    return results;
  }

  #became(block: Block, world: HostWorld): void {
    const { number, time, previous, hash, events } = block;
    this.#last = { number, time, hash };
    this.#recent.set(String(number), { number, time, previous, events });
    for (const [key, write] of world.writes) {
      if (write) this.#values.set(key, write.value);
      else this.#values.delete(key);
    }
    try {
      this.#head.write(block);
    } catch {
      // The block is durable; a witness that stays behind only sees less.
    }
    this.#wake();
  }

  /** The clock's time, but never before the last block's. A clock that was set back by more than the tolerance stops the ledger, not time. */
  #nextTime(): number {
    const now = Math.floor(this.#now());
    const aheadMs = this.#last.time - now;
    if (aheadMs > this.#toleranceMs) {
      throw new Fault(
        'ledger-unavailable',
        `The clock is ${aheadMs} ms behind the last block; the ledger waits until it has caught up.`,
      );
    }
    return Math.max(now, this.#last.time);
  }

  #get(key: string): Stored | undefined {
    const known = this.#values.get(key);
    if (known) return known;
    const value = this.#guarded(() => this.#store.get(key));
    if (!value) return undefined;
    if (this.#strict) deepFreeze(value);
    this.#values.set(key, value);
    return value;
  }

  #eventOf(block: BlockEvents): LedgerEvent {
    const { number, time, previous } = block;
    const known = this.#events.get(String(number));
    if (known) return known;
    const event = {
      block: number,
      time,
      transaction: transactionId(number, time, previous),
      events: parseEvents(block.events),
    };
    this.#events.set(String(number), event);
    return event;
  }

  /** Once stored data was found not to hold together, nothing is served any more. */
  #guarded<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (error instanceof Fault && error.code === 'storage-corrupt') this.#broken ??= error;
      throw error;
    }
  }

  #nextBlock(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }
}

/** What was written here is read here: the text is in the chain, and only the contract's events are ever put into it. */
function parseEvents(text: string): readonly SettlementEvent[] {
  return JSON.parse(text);
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('internal', 'The contract broke while it ran these calls; nothing of them was written.', {
    cause: error,
  });
}

function rejectAll(submissions: readonly Submission[], fault: Fault): void {
  for (const { reject } of submissions) reject(fault);
}
