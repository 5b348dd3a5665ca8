import type { SettlementEvent, Verify } from '@linkspan/protocol';
import type { Stored, World } from './world.ts';

/** A world whose writes stay in a buffer until they are merged into the one below, or dropped with it. */
export class BufferedWorld implements World {
  readonly tx: World['tx'];
  readonly verify: Verify;
  readonly #below: World;
  /** `undefined` marks a deletion. */
  readonly #writes = new Map<string, Stored | undefined>();
  readonly #events: SettlementEvent[] = [];

  constructor(below: World) {
    this.#below = below;
    this.tx = below.tx;
    this.verify = below.verify;
  }

  get(key: string): Stored | undefined {
    return this.#writes.has(key) ? this.#writes.get(key) : this.#below.get(key);
  }

  put(key: string, value: Stored): void {
    this.#writes.set(key, value);
  }

  delete(key: string): void {
    this.#writes.set(key, undefined);
  }

  emit(event: SettlementEvent): void {
    this.#events.push(event);
  }

  merge(): void {
    for (const [key, value] of this.#writes) {
      if (value === undefined) this.#below.delete(key);
      else this.#below.put(key, value);
    }
    for (const event of this.#events) this.#below.emit(event);
  }
}
