import type { DatabaseSync } from 'node:sqlite';

/** Recomputes every position from the entries and says what does not agree, in words; nothing when the books balance. */
export function reconcile(database: DatabaseSync): string[] {
  const unbalanced = database.prepare(UNBALANCED).all();
  const differing = database.prepare(DIFFERING).all();
  return [
    ...unbalanced.map((row) => `booking ${String(row['booking'])} does not sum to zero`),
    ...differing.map(
      (row) => `the position of ${String(row['account'])} in ${String(row['asset'])} is not its entries'`,
    ),
  ];
}

const UNBALANCED = `
  SELECT booking FROM entries GROUP BY booking, asset HAVING sum(amount) <> 0 LIMIT 10`;

const DIFFERING = `
  WITH moved AS (
    SELECT account, asset,
      sum(CASE bucket WHEN 'free' THEN amount ELSE 0 END) AS free,
      sum(CASE bucket WHEN 'held' THEN amount ELSE 0 END) AS held
    FROM entries WHERE bucket <> 'issued' GROUP BY account, asset
  )
  SELECT account, asset FROM moved FULL JOIN positions USING (account, asset)
  WHERE moved.free IS NOT positions.free OR moved.held IS NOT positions.held LIMIT 10`;
