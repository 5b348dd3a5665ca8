import { spanOf } from './span.ts';

/** How often the line is written at most. */
const REDRAW_MS = 100;
/** Before so much is known of the speed, it says nothing about the rest. */
const SURE_AFTER_MS = 1_000;

/** How far a long piece of work is, in one line that is written over. Without a place to write it does nothing; disposing leaves nothing behind. */
export class Progress implements Disposable {
  readonly #write: ((line: string) => void) | undefined;
  readonly #what: string;
  readonly #total: number | undefined;
  readonly #now: () => number;
  readonly #beganAt: number;
  #done = 0;
  #writtenAt: number | undefined;

  /** `what` is being counted, such as `settlements`; `total` where it is known. */
  constructor(
    write: ((line: string) => void) | undefined,
    what: string,
    total: number | undefined,
    now: () => number = () => performance.now(),
  ) {
    this.#write = write;
    this.#what = what;
    this.#total = total;
    this.#now = now;
    this.#beganAt = now();
    this.add(0);
  }

  add(count: number): void {
    this.#done += count;
    const now = this.#now();
    if (!this.#write || (this.#writtenAt !== undefined && now - this.#writtenAt < REDRAW_MS)) return;
    this.#writtenAt = now;
    this.#write(progressLine(this.#what, this.#done, this.#total, now - this.#beganAt));
  }

  [Symbol.dispose](): void {
    if (this.#writtenAt !== undefined) this.#write?.('');
  }
}

/** `1,200 of 5,000 settlements, 600 a second, 0:06 left`. */
export function progressLine(what: string, done: number, total: number | undefined, elapsedMs: number): string {
  const of = total === undefined ? '' : ` of ${total.toLocaleString('en')}`;
  const perSecond = elapsedMs < SURE_AFTER_MS ? 0 : (done * 1000) / elapsedMs;
  const rate =
    perSecond === 0
      ? ''
      : `, ${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en')} a second`;
  const left = total === undefined || perSecond === 0 ? '' : `, ${spanOf(((total - done) * 1000) / perSecond)} left`;
  return `${done.toLocaleString('en')}${of} ${what}${rate}${left}`;
}
