import type { Reader, Stored, World } from '@linkspan/contract';
import type { SettlementEvent, Verify } from '@linkspan/protocol';

/** A world in memory for tests of the contract: what a transaction wrote is committed at once. */
export class MemoryWorld implements World, Reader {
  readonly tx: { id: string; time: number };
  readonly verify: Verify;
  readonly state = new Map<string, Stored>();
  readonly events: SettlementEvent[] = [];

  constructor(verify: Verify, time: number) {
    this.verify = verify;
    this.tx = { id: '1', time };
  }

  get time(): number {
    return this.tx.time;
  }

  get(key: string): Stored | undefined {
    return this.state.get(key);
  }

  put(key: string, value: Stored): void {
    this.state.set(key, value);
  }

  delete(key: string): void {
    this.state.delete(key);
  }

  emit(event: SettlementEvent): void {
    this.events.push(event);
  }

  range(
    prefix: string,
    options: { readonly limit: number; readonly after?: string; readonly reverse?: boolean },
  ): Iterable<readonly [string, Stored]> {
    const { after, reverse } = options;
    const keys = [...this.state.keys()].filter((key) => key.startsWith(prefix)).toSorted();
    if (reverse) keys.reverse();
    const rest = after === undefined ? keys : keys.filter((key) => (reverse ? key < after : key > after));
    return rest.slice(0, options.limit).flatMap((key) => {
      const value = this.state.get(key);
      return value ? [[key, value] as const] : [];
    });
  }
}
