/** Lets readers of the feed wait for the next commit. */
export class Feed {
  #waiting = new Set<() => void>();
  #isClosed = false;

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Wakes everyone: there may be something new. */
  announce(): void {
    const woken = this.#waiting;
    this.#waiting = new Set();
    for (const wake of woken) wake();
  }

  /** Wakes everyone, and lets nobody wait any more. */
  close(): void {
    this.#isClosed = true;
    this.announce();
  }

  /** Resolves at the next announcement, or when the signal fires. */
  changed(signal: AbortSignal): Promise<void> {
    if (this.#isClosed || signal.aborted || this.#waiting.size >= MOST_WAITING) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

const MOST_WAITING = 1000;
