/**
 * A bounded map that forgets what was not used for longest, roughly: it holds what was used since the last time it was full, and what was used
 * in the period before. That costs one look-up where an exact order would rewrite the map on each.
 */
export class RecentValues<V> {
  readonly #limit: number;
  #recent = new Map<string, V>();
  #older = new Map<string, V>();

  /** Holds at most `limit` values, at least half as many where so many were used. */
  constructor(limit: number) {
    this.#limit = Math.max(1, Math.floor(limit / 2));
  }

  get(key: string): V | undefined {
    const value = this.#recent.get(key);
    if (value !== undefined) return value;
    const older = this.#older.get(key);
    if (older !== undefined) this.#keep(key, older);
    return older;
  }

  set(key: string, value: V): void {
    this.#keep(key, value);
  }

  delete(key: string): void {
    this.#recent.delete(key);
    this.#older.delete(key);
  }

  #keep(key: string, value: V): void {
    if (this.#recent.size >= this.#limit && !this.#recent.has(key)) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
  }
}
