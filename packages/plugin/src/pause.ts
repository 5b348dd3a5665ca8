/** Waits, but no longer than until one of the signals fires. Never throws: the caller looks at its signal. */
export function pause(milliseconds: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal?.aborted)) return resolve();
    const timer = setTimeout(done, milliseconds);
    for (const signal of signals) signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}

/** How long to wait before the next attempt after `failures` in a row: doubling from `firstMs` up to `mostMs`. */
export function backOffMs(failures: number, firstMs: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** Math.min(failures - 1, 20));
}
