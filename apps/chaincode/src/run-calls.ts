import { keysOfCall, NotFetched, type Stored, type World } from '@linkspan/contract';
import type { ContractCode } from '@linkspan/ledger';
import {
  canonicalJson,
  type JsonObject,
  type Result,
  type SettlementEvent,
  type SignedCall,
  type Verify,
} from '@linkspan/protocol';

export type CallsRun = {
  readonly results: readonly Result<JsonObject>[];
  /** Canonical JSON by key; undefined marks a deletion. */
  readonly writes: ReadonlyMap<string, string | undefined>;
  readonly events: readonly SettlementEvent[];
};

export type CallsToRun = {
  readonly contract: ContractCode;
  readonly verify: Verify;
  readonly tx: World['tx'];
  readonly calls: readonly SignedCall[];
  /** The stored texts of keys, in their order. */
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | undefined)[]>;
};

/**
 * Runs the calls of one transaction with the synchronous contract over an asynchronous state. A call that meets a key which is not at hand is
 * left, and the others go on, so that one question to the peer fetches what all of them lack. Then those run again that lacked something, and those that
 * read what they change. What is read follows from the calls and the state alone, as every endorsing organisation must read the same.
 */
export async function runCalls({ contract, verify, tx, calls, getMany }: CallsToRun): Promise<CallsRun> {
  const known = new Map<string, Stored | undefined>();
  let before: readonly (RanCall | undefined)[] = [];
  for (;;) {
    const missing = new Set<string>();
    const written = new Map<string, Stored | undefined>();
    const changed = new Set<string>();
    before = calls.map((call, i) => {
      const last = before[i];
      const ran = last && !meets(last.reads, changed) ? last : runCall(call);
      if (ran !== last) for (const each of [last, ran]) for (const key of each?.writes.keys() ?? []) changed.add(key);
      for (const [key, value] of ran?.writes ?? []) written.set(key, value);
      return ran;

      function runCall(one: SignedCall): RanCall | undefined {
        const world = new CallWorld(tx, verify, known, written);
        try {
          const results = contract.applyCalls(world, [one]);
          return { reads: world.reads, writes: world.writes, events: world.events, results };
        } catch (error) {
          if (!(error instanceof NotFetched)) throw error;
          missing.add(error.key);
          // It has been checked by then, and says itself what else it will ask for.
          if (known.size === 0) for (const key of keysOfCall(one.call)) missing.add(key);
          return undefined;
        }
      }
    });
    if (missing.size === 0) return together(before, written);
    const keys = [...missing];
    const texts = await getMany(keys);
    keys.forEach((key, i) => known.set(key, parseStored(texts[i])));
  }
}

function meets(reads: ReadonlySet<string>, changed: ReadonlySet<string>): boolean {
  return changed.size > 0 && [...reads].some((key) => changed.has(key));
}

/** A call that lacked nothing: what it said and did. */
type RanCall = Pick<CallWorld, 'reads' | 'writes' | 'events'> & Pick<CallsRun, 'results'>;

function together(ran: readonly (RanCall | undefined)[], written: ReadonlyMap<string, Stored | undefined>): CallsRun {
  const all = ran.flatMap((each) => each ?? []);
  return {
    results: all.flatMap(({ results }) => results),
    writes: new Map([...written].map(([key, value]) => [key, value === undefined ? undefined : canonicalJson(value)])),
    events: all.flatMap(({ events }) => events),
  };
}

/** What was written here is read here: only values that the contract stored are ever under the chaincode's keys. */
export function parseStored(text: string | undefined): Stored | undefined {
  return text === undefined ? undefined : JSON.parse(text);
}

/** Committed state as far as it has been fetched, under the writes of the calls before this one, with what this one reads and does. */
class CallWorld implements World {
  readonly tx: World['tx'];
  readonly verify: Verify;
  readonly reads = new Set<string>();
  readonly writes = new Map<string, Stored | undefined>();
  readonly events: SettlementEvent[] = [];
  readonly #known: ReadonlyMap<string, Stored | undefined>;
  readonly #before: ReadonlyMap<string, Stored | undefined>;

  constructor(
    tx: World['tx'],
    verify: Verify,
    known: ReadonlyMap<string, Stored | undefined>,
    before: ReadonlyMap<string, Stored | undefined>,
  ) {
    this.tx = tx;
    this.verify = verify;
    this.#known = known;
    this.#before = before;
  }

  get(key: string): Stored | undefined {
    this.reads.add(key);
    for (const written of [this.writes, this.#before]) if (written.has(key)) return written.get(key);
    if (!this.#known.has(key)) throw new NotFetched(key);
    return this.#known.get(key);
  }

  put(key: string, value: Stored): void {
    this.writes.set(key, value);
  }

  delete(key: string): void {
    this.writes.set(key, undefined);
  }

  emit(event: SettlementEvent): void {
    this.events.push(event);
  }
}
