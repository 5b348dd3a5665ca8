import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Bytes that SQLite databases in a folder hold, whether their pages are in the file yet or only in its log. The log itself is not counted:
 * it is written over again and again and does not grow with what is stored.
 */
export function databaseBytes(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.db') || name.endsWith('.journal'))
    .reduce((sum, name) => sum + pagesOf(join(folder, name)), 0);
}

/** How many trades an embedded ledger holds. */
export function settlementsIn(folder: string): number {
  using database = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true });
  return Number(database.prepare('SELECT count(*) AS count FROM subject').get()?.['count'] ?? 0);
}

function pagesOf(path: string): number {
  if (statSync(path).size === 0) return 0;
  using database = new DatabaseSync(path, { readOnly: true });
  const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
  return pragma('page_count') * pragma('page_size');
}
