import type { Clock } from '@linkspan/coordinator';

/**
 * Time that stands still until it is told to go on. While it is installed, the timers of the whole process are its own, so that code which
 * takes no clock (the Verifier's back-off, the Validator's limits) waits by it too, and nothing in a run depends on how fast the machine is.
 * Work that reaches outside the process, such as a socket, has no place under it: it would not be waited for.
 */
export class VirtualTime implements Clock {
  #now: number;
  #order = 0;
  #timers: Timer[] = [];
  readonly #immediates = new Set<unknown>();

  constructor(startMs: number = Date.UTC(2026, 10, 24, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = this.#after(ms, done);
      const cancel = (): void => this.#cancel(timer);
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  /** Gives the process these timers until the answer is disposed of. */
  install(): Disposable {
    const startMs = this.#now;
    const now = Object.getOwnPropertyDescriptor(performance, 'now');
    Object.assign(globalThis, {
      setTimeout: (work: Work, ms?: number, ...args: unknown[]) => this.#after(ms ?? 0, () => work(...args)),
      clearTimeout: (timer: unknown) => {
        if (timer instanceof Timer) this.#cancel(timer);
        else Reflect.apply(REAL.clearTimeout, undefined, [timer]);
      },
      setImmediate: (work: Work, ...args: unknown[]) => {
        const immediate: unknown = REAL.setImmediate(() => {
          this.#immediates.delete(immediate);
          work(...args);
        });
        this.#immediates.add(immediate);
        return immediate;
      },
      clearImmediate: (immediate: unknown) => {
        this.#immediates.delete(immediate);
        Reflect.apply(REAL.clearImmediate, undefined, [immediate]);
      },
    });
    Object.defineProperty(performance, 'now', { value: () => this.#now - startMs, configurable: true, writable: true });
    return {
      [Symbol.dispose]: () => {
        Object.assign(globalThis, REAL);
        if (now) Object.defineProperty(performance, 'now', now);
        else Reflect.deleteProperty(performance, 'now');
        this.#timers = [];
      },
    };
  }

  /** Resolves once nothing is left that could run without time going on. */
  async idle(): Promise<void> {
    do await new Promise((resolve) => REAL.setImmediate(resolve));
    while (this.#immediates.size > 0);
  }

  /** Lets time go on, from timer to timer, until something is so. Throws once that takes longer than the limit. */
  async until(what: string, is: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    const end = this.#now + limitMs;
    for (;;) {
      await this.idle();
      if (await is()) return;
      if (!this.#fireNext(end)) throw new Error(`${what} did not come about within ${limitMs} ms of virtual time`);
    }
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    do await this.idle();
    while (this.#fireNext(end));
    this.#now = end;
  }

  /** One timer at a time: those that are due at the same moment run in the order in which they were set. */
  #fireNext(end: number): boolean {
    const [next] = this.#timers;
    if (!next || next.at > end) return false;
    this.#timers.shift();
    this.#now = Math.max(this.#now, next.at);
    next.work();
    return true;
  }

  #after(ms: number, work: () => void): Timer {
    // What node's own timers do with zero: at least a millisecond, so that no loop of them stops time.
    const timer = new Timer(this.#now + Math.max(1, Math.ceil(ms)), ++this.#order, work);
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#timers[middle];
      if (other && (other.at < timer.at || (other.at === timer.at && other.order < timer.order))) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return timer;
  }

  #cancel(timer: Timer): void {
    const at = this.#timers.indexOf(timer);
    if (at >= 0) this.#timers.splice(at, 1);
  }
}

/** The clock of the machine, for networks that run as fast as they can. */
export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
    }),
};

type Work = (...args: unknown[]) => void;

const REAL = { setTimeout, clearTimeout, setImmediate, clearImmediate };

/** What `setTimeout` gives back under virtual time. */
class Timer {
  readonly at: number;
  readonly order: number;
  readonly work: () => void;

  constructor(at: number, order: number, work: () => void) {
    this.at = at;
    this.order = order;
    this.work = work;
  }

  /** Nothing waits for the process to end here, so it makes no difference whether a timer would keep it alive. */
  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}
