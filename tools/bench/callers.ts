/**
 * Has so many callers do one piece of work after another until all are done or it is over; gives each piece's time in milliseconds and the
 * whole in seconds.
 */
export async function runCallers(
  callers: number,
  pieces: number,
  work: (index: number) => Promise<void>,
  isOver: () => boolean = () => false,
): Promise<{ readonly latenciesMs: readonly number[]; readonly seconds: number }> {
  const latenciesMs: number[] = [];
  let next = 0;
  const began = performance.now();
  const caller = async (): Promise<void> => {
    while (next < pieces && !isOver()) {
      const index = next++;
      const from = performance.now();
      await work(index);
      latenciesMs.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { latenciesMs, seconds: (performance.now() - began) / 1000 };
}

/** Lets callers wait until the stream of changes brings the end of what they began. */
export class Ends {
  readonly #ended = new Map<string, string>();
  readonly #waiting = new Map<string, (phase: string) => void>();

  took(id: string, phase: string): void {
    if (phase !== 'settled' && phase !== 'cancelled' && phase !== 'rejected') return;
    const wake = this.#waiting.get(id);
    if (wake) wake(phase);
    else this.#ended.set(id, phase);
  }

  async settled(id: string): Promise<void> {
    const known = this.#ended.get(id);
    this.#ended.delete(id);
    const phase = known ?? (await new Promise<string>((resolve) => this.#waiting.set(id, resolve)));
    this.#waiting.delete(id);
    if (phase !== 'settled') throw new Error(`${id} ended ${phase}; a benchmark of settlements must settle`);
  }
}
