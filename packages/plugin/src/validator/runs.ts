import { Fault } from '@linkspan/protocol';

/**
 * Work that several callers may ask for at once and that goes on while any of them waits. A caller waits for a limited time and then gets
 * `undefined`; a little after the last one has left, the work is told to stop.
 */
export type Runs<T> = {
  join(key: string, waitMs: number, work: (signal: AbortSignal) => Promise<T | undefined>): Promise<T | undefined>;
  readonly size: number;
  close(): void;
};

type Run<T> = {
  readonly result: Promise<T | undefined>;
  readonly stop: AbortController;
  untilMs: number;
  timer: NodeJS.Timeout;
};

/** How long work goes on without a caller, so that one who asks again at once finds it still there. */
const GRACE_MS = 1_000;

export function createRuns<T>({ most, system }: { readonly most: number; readonly system: string }): Runs<T> {
  const runs = new Map<string, Run<T>>();

  function start(key: string, work: (signal: AbortSignal) => Promise<T | undefined>): Run<T> {
    if (runs.size >= most)
      throw new Fault(
        'system-unavailable',
        `The validator of ${system} is at its limit of ${most} operations at once.`,
      );
    const stop = new AbortController();
    const result = work(stop.signal);
    const run: Run<T> = { result, stop, untilMs: 0, timer: setTimeout(() => undefined, 0) };
    runs.set(key, run);
    const ended = (): void => {
      clearTimeout(run.timer);
      runs.delete(key);
    };
    result.then(ended, ended);
    return run;
  }

  function extend(run: Run<T>, untilMs: number): void {
    if (untilMs <= run.untilMs) return;
    run.untilMs = untilMs;
    clearTimeout(run.timer);
    run.timer = setTimeout(() => run.stop.abort(), untilMs - performance.now());
  }

  return {
    async join(key, waitMs, work) {
      const run = runs.get(key) ?? start(key, work);
      extend(run, performance.now() + waitMs + GRACE_MS);
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), waitMs);
      });
      try {
        return await Promise.race([run.result, over]);
      } finally {
        clearTimeout(timer);
      }
    },
    get size() {
      return runs.size;
    },
    close() {
      for (const run of runs.values()) run.stop.abort();
    },
  };
}
