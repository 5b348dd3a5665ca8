import { NotFetched, type Stored, type World } from '@linkspan/contract';
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
 * left, and the others go on, so that one question to the peer fetches what all of them lack; then all run again. What is read is only
 * what some run of these calls asked for.
 */
export async function runCalls({ contract, verify, tx, calls, getMany }: CallsToRun): Promise<CallsRun> {
  const known = new Map<string, Stored | undefined>();
  for (;;) {
    const world = new CachedWorld(tx, verify, known);
    const missing = new Set<string>();
    const results = calls.flatMap((call) => {
      try {
        return contract.applyCalls(world, [call]);
      } catch (error) {
        if (!(error instanceof NotFetched)) throw error;
        missing.add(error.key);
        return [];
      }
    });
    if (missing.size === 0) return { results, writes: world.texts(), events: world.events };
    const keys = [...missing];
    const texts = await getMany(keys);
    keys.forEach((key, i) => known.set(key, parseStored(texts[i])));
  }
}

/** What was written here is read here: only values that the contract stored are ever under the chaincode's keys. */
export function parseStored(text: string | undefined): Stored | undefined {
  return text === undefined ? undefined : JSON.parse(text);
}

/** Committed state as far as it has been fetched, under the writes of the calls that have run. */
class CachedWorld implements World {
  readonly tx: World['tx'];
  readonly verify: Verify;
  readonly events: SettlementEvent[] = [];
  readonly #known: ReadonlyMap<string, Stored | undefined>;
  readonly #writes = new Map<string, Stored | undefined>();

  constructor(tx: World['tx'], verify: Verify, known: ReadonlyMap<string, Stored | undefined>) {
    this.tx = tx;
    this.verify = verify;
    this.#known = known;
  }

  get(key: string): Stored | undefined {
    if (this.#writes.has(key)) return this.#writes.get(key);
    if (!this.#known.has(key)) throw new NotFetched(key);
    return this.#known.get(key);
  }

  put(key: string, value: Stored): void {
    this.#writes.set(key, value);
  }

  delete(key: string): void {
    this.#writes.set(key, undefined);
  }

  emit(event: SettlementEvent): void {
    this.events.push(event);
  }

  texts(): Map<string, string | undefined> {
    return new Map(
      [...this.#writes].map(([key, value]) => [key, value === undefined ? undefined : canonicalJson(value)]),
    );
  }
}
