import { setTimeout as delay } from 'node:timers/promises';
import { ENDS } from '@linkspan/protocol';
import { type Api, type ChangeLine, isNoAnswer } from './api.ts';

/** Follows one organisation's stream of changes, through any number of its restarts, and lets others wait for what it brings. */
export class Changes {
  readonly #api: Api;
  readonly #show: (change: ChangeLine) => void;
  readonly #seen: ChangeLine[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;
  readonly #connecting = Promise.withResolvers<void>();
  #fault: Error | undefined;

  constructor(api: Api, show: (change: ChangeLine) => void) {
    this.#api = api;
    this.#show = show;
    this.#connecting.promise.catch(() => undefined);
    this.#loop = this.#follow();
  }

  /** Resolves when changes are being followed. */
  get connected(): Promise<void> {
    return this.#connecting.promise;
  }

  /** Resolves when a trade has reached one of the phases; with undefined when the signal fires before. */
  async reaches(tradeId: string, phases: readonly string[], signal: AbortSignal): Promise<ChangeLine | undefined> {
    for (;;) {
      const found = this.#seen.find((change) => change.tradeId === tradeId && phases.includes(change.phase));
      if (found || signal.aborted) return found;
      await this.#next(signal);
    }
  }

  /** Resolves with true when an operation of a trade has taken effect, with false when the trade ends or the signal fires before. */
  async takesEffect(tradeId: string, operation: string, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const seen = this.#seen.filter((change) => change.tradeId === tradeId);
      if (seen.some(({ changes }) => changes.some((each) => each.what === 'effective' && each.operation === operation)))
        return true;
      if (seen.some(({ phase }) => ENDS.some((end) => end === phase))) return false;
      await this.#next(signal);
    }
    return false;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  /** Resolves at the next change, or when the signal fires. Throws where a change was no change. */
  async #next(signal: AbortSignal): Promise<void> {
    if (this.#fault) throw this.#fault;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#listeners.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#listeners.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopped;
    let last: number | string | undefined;
    while (!signal.aborted) {
      try {
        last ??= await this.#api.height(signal);
        for await (const { id, change } of this.#api.changes(last, signal, () => this.#connecting.resolve())) {
          last = id;
          this.#seen.push(change);
          this.#show(change);
          for (const wake of this.#listeners) wake();
        }
      } catch (error) {
        // Without an answer the CoreAPI is away, perhaps because a sample took it down; the stream goes on from the last id when it is back.
        if (!signal.aborted && !isNoAnswer(error)) return this.#break(error);
      }
      await delay(AGAIN_MS);
    }
  }

  #break(error: unknown): void {
    this.#fault = error instanceof Error ? error : new Error(String(error));
    this.#connecting.reject(this.#fault);
    for (const wake of this.#listeners) wake();
  }
}

const AGAIN_MS = 50;
