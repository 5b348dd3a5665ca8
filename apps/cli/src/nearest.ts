/** The name that somebody may have meant: the one with the fewest letters changed, where these are few enough to be a slip. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  const close = names
    .map((name) => ({ name, distance: name.startsWith(written) ? 0 : distanceOf(written, name) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return close && close.distance <= Math.max(1, Math.floor(written.length / 3)) ? close.name : undefined;
}

/** The number of letters to change, add or leave out (Levenshtein), where swapping two neighbours counts once. */
function distanceOf(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(change, at(i - 1, j) + 1, at(i, j - 1) + 1, isSwap ? at(i - 2, j - 2) + 1 : Infinity);
      rows[i]?.push(best);
    }
  }
  return at(a.length, b.length);
}
