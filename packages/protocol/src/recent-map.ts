/** A bounded map of answers that can always be found again. */
export type RecentMap<V> = {
  get(key: string): V | undefined;
  /** Gives the value back. */
  set(key: string, value: V): V;
  delete(key: string): void;
};

/**
 * Keeps what was used since it was last full, and what was used in the period before: at most `limit` values. That costs one look-up, where the
 * exact order of use would have to be rewritten on each.
 */
export function recentMap<V>(limit: number): RecentMap<V> {
  const half = Math.max(1, Math.floor(limit / 2));
  let recent = new Map<string, V>();
  let older = new Map<string, V>();

  function keep(key: string, value: V): V {
    if (recent.size >= half && !recent.has(key)) [older, recent] = [recent, new Map<string, V>()];
    recent.set(key, value);
    return value;
  }

  return {
    get(key) {
      const value = recent.get(key);
      if (value !== undefined) return value;
      const before = older.get(key);
      return before === undefined ? undefined : keep(key, before);
    },
    set: keep,
    delete(key) {
      recent.delete(key);
      older.delete(key);
    },
  };
}
