import { isDeepStrictEqual } from 'node:util';
import type { Stored, World } from '@linkspan/contract';
import { Broken, type SettlementEvent, type Verify } from '@linkspan/protocol';
import { type ValueText } from './block-store.ts';
import { textHash } from './block.ts';

/** A write of a block: the value with its text, or undefined for a deletion. */
export type Write = (ValueText & { readonly value: Stored }) | undefined;

export type HostWorldOptions = {
  readonly tx: World['tx'];
  readonly verify: Verify;
  readonly read: (key: string) => Stored | undefined;
  /** Freezes what passes and proves that it is plain JSON. */
  readonly strict: boolean;
};

/** What the contract sees while the calls of one block run. Reads answer from committed state only, as on the strictest host. */
export class HostWorld implements World {
  readonly tx: World['tx'];
  readonly verify: Verify;
  readonly writes = new Map<string, Write>();
  readonly events: SettlementEvent[] = [];
  readonly #read: (key: string) => Stored | undefined;
  readonly #strict: boolean;
  #failure: Error | undefined;

  constructor({ tx, verify, read, strict }: HostWorldOptions) {
    this.tx = tx;
    this.verify = verify;
    this.#read = read;
    this.#strict = strict;
  }

  get(key: string): Stored | undefined {
    try {
      return this.#read(key);
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Broken('a read threw no error');
      throw error;
    }
  }

  put(key: string, value: Stored): void {
    if (this.#strict) checkPlain(key, value);
    const text = JSON.stringify(value);
    this.writes.set(key, { value, text, hash: textHash(text) });
  }

  delete(key: string): void {
    this.writes.set(key, undefined);
  }

  emit(event: SettlementEvent): void {
    this.events.push(event);
  }

  /** Throws what a read threw. The contract may have turned it into a refusal; but storage that fails is no answer to a call. */
  throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }
}

/** Freezes a value and all that it holds. */
export function deepFreeze<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) if (typeof member === 'object' && member !== null) deepFreeze(member);
  return value;
}

/** A value that changes on its way through JSON would be one thing before a restart and another after it. Members that are undefined may go. */
function checkPlain(key: string, value: Stored): void {
  deepFreeze(value);
  const plain: unknown = JSON.parse(JSON.stringify(value));
  if (!isDeepStrictEqual(plain, withoutUndefined(value))) throw new Broken(`the value under ${key} is not plain JSON`);
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, withoutUndefined(member)]),
  );
}
