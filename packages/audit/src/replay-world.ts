import type { Reader, Stored, World } from '@linkspan/contract';
import type { SettlementEvent, Verify } from '@linkspan/protocol';

/** A ledger's state in memory while calls are run again. Each call's time is set before it runs. */
export class ReplayWorld implements World, Reader {
  readonly tx = { id: 'replay', time: 0 };
  readonly verify: Verify;
  /** How many values have ever been written: a call that writes none was run before. */
  writes = 0;
  readonly #values = new Map<string, Stored>();
  /** The keys below each folder, a folder being everything up to a key's last slash. */
  readonly #folders = new Map<string, Set<string>>();
  #events: SettlementEvent[] = [];

  constructor(verify: Verify) {
    this.verify = verify;
  }

  get time(): number {
    return this.tx.time;
  }

  /** What the last call told the world. */
  takeEvents(): readonly SettlementEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  get(key: string): Stored | undefined {
    return this.#values.get(key);
  }

  put(key: string, value: Stored): void {
    this.writes += 1;
    if (!this.#values.has(key)) this.#folder(key).add(key);
    this.#values.set(key, value);
  }

  delete(key: string): void {
    this.writes += 1;
    if (this.#values.delete(key)) this.#folder(key).delete(key);
  }

  emit(event: SettlementEvent): void {
    this.#events.push(event);
  }

  range(
    prefix: string,
    { limit, after, reverse }: Parameters<Reader['range']>[1],
  ): Iterable<readonly [string, Stored]> {
    const keys = [...this.#keysBelow(prefix)]
      .filter((key) => after === undefined || (reverse ? key < after : key > after))
      .toSorted();
    if (reverse) keys.reverse();
    return keys.slice(0, limit).flatMap((key) => {
      const value = this.#values.get(key);
      return value ? [[key, value] as const] : [];
    });
  }

  /** Questions about one settlement ask for a folder of its own, so that their cost does not grow with the file. */
  #keysBelow(prefix: string): Iterable<string> {
    const folder = this.#folders.get(prefix);
    return folder ?? [...this.#values.keys()].filter((key) => key.startsWith(prefix));
  }

  #folder(key: string): Set<string> {
    const name = key.slice(0, key.lastIndexOf('/') + 1);
    const known = this.#folders.get(name);
    if (known) return known;
    const folder = new Set<string>();
    this.#folders.set(name, folder);
    return folder;
  }
}
