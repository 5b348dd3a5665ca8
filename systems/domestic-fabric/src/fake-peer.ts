import type { CashChaincode } from './cash-chaincode.ts';
import type { Creator } from './identity.ts';
import type { ShimStub } from './shim-stub.ts';

/** What a peer's simulation of one transaction gave. */
export type Simulation = {
  readonly status: number;
  readonly message: string;
  readonly payload: string;
  readonly reads: ReadonlyMap<string, number>;
  readonly writes: ReadonlyMap<string, string | undefined>;
  readonly event: string | undefined;
};

/**
 * A peer for tests, as strict as a real one: a transaction sees committed state only and nothing that it wrote itself, has one event (the last), and does
 * not count where something that it read has changed since.
 */
export class FakePeer {
  readonly state = new Map<string, string>();
  readonly events: string[] = [];
  readonly #versions = new Map<string, number>();
  #height = 0;

  async simulate(
    chaincode: CashChaincode,
    creator: Creator,
    args: readonly string[],
    transaction = `tx-${this.#height + 1}`,
  ): Promise<Simulation> {
    const reads = new Map<string, number>();
    const writes = new Map<string, string | undefined>();
    let event: string | undefined;
    const stub: ShimStub = {
      getStringArgs: () => [...args],
      getTxID: () => transaction,
      getCreator: () => creator,
      getState: async (key) => {
        reads.set(key, this.#versions.get(key) ?? 0);
        return Buffer.from(this.state.get(key) ?? '');
      },
      putState: async (key, value) => void writes.set(key, Buffer.from(value).toString()),
      deleteState: async (key) => void writes.set(key, undefined),
      getStateByRange: async (from, to) => {
        const keys = [...this.state.keys()].filter((key) => from <= key && key < to).toSorted();
        const entries = keys.map((key) => ({ key, value: Buffer.from(this.state.get(key) ?? '') })).values();
        return {
          next: async () => {
            const { done, value } = entries.next();
            return { done: done ?? false, value: value ?? { key: '', value: new Uint8Array() } };
          },
          close: async () => undefined,
        };
      },
      setEvent: (_name, payload) => void (event = Buffer.from(payload).toString()),
    };
    const { status, message, payload } = await chaincode.Invoke(stub);
    const text = Buffer.from(payload ?? '').toString();
    return { status, message: message ?? '', payload: text, reads, writes, event };
  }

  /** Commits what was simulated; false where a read has changed since. */
  commit({ reads, writes, event }: Simulation): boolean {
    for (const [key, version] of reads) if ((this.#versions.get(key) ?? 0) !== version) return false;
    this.#height += 1;
    for (const [key, value] of writes) {
      this.#versions.set(key, this.#height);
      if (value === undefined) this.state.delete(key);
      else this.state.set(key, value);
    }
    if (event !== undefined) this.events.push(event);
    return true;
  }
}
