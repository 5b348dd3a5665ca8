import type { Api, ChangeLine } from './api.ts';

/** Follows one organisation's stream of changes, through any number of its restarts, and lets others wait for what it brings. */
export class Changes {
  readonly #api: Api;
  readonly #show: (change: ChangeLine) => void;
  readonly #seen: ChangeLine[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;
  #connected: (() => void) | undefined;
  readonly connected: Promise<void>;

  constructor(api: Api, show: (change: ChangeLine) => void) {
    this.#api = api;
    this.#show = show;
    this.connected = new Promise((resolve) => (this.#connected = resolve));
    this.#loop = this.#follow();
  }

  /** Resolves when a trade has reached one of the phases. */
  async reaches(tradeId: string, phases: readonly string[], signal: AbortSignal): Promise<ChangeLine> {
    for (;;) {
      const found = this.#seen.find((change) => change.tradeId === tradeId && phases.includes(change.phase));
      if (found) return found;
      signal.throwIfAborted();
      await this.#next(signal);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
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
    let last: string | undefined;
    while (!signal.aborted) {
      try {
        for await (const { id, change } of this.#api.changes(last, signal, () => this.#connected?.())) {
          last = id;
          this.#seen.push(change);
          this.#show(change);
          for (const wake of this.#listeners) wake();
        }
      } catch {
        // The CoreAPI is away, perhaps because a sample took it down; the stream goes on from the last id when it is back.
      }
      await new Promise((resolve) => setTimeout(resolve, 100).unref());
    }
  }
}
