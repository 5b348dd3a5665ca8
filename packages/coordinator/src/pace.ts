/** So many of the last times are looked at. */
const LATELY = 8;

/**
 * How quickly statements come onto the ledger at present. What counts is the quickest of the last ones: one organisation that is silent makes its own slow and not all,
 * a ledger with too much to do makes all of them slow.
 */
export class Pace {
  readonly #lately: number[] = [];

  took(ms: number): void {
    this.#lately.push(ms);
    if (this.#lately.length > LATELY) this.#lately.shift();
  }

  /** 0 until there were enough. */
  get leastMs(): number {
    return this.#lately.length < LATELY ? 0 : Math.min(...this.#lately);
  }
}
