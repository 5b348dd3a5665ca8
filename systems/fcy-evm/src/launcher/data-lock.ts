import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { messageOf, StartError } from './start-error.ts';

/**
 * Takes the data folder for this process alone, creating it if need be. SQLite's file lock is the kernel's: it ends with
 * its process, however that ends, so there is no stale lock to recognise and no race in taking one over.
 * Throws a StartError when another process has the folder, or when it cannot be written.
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const database = openDatabase(dataDir);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new StartError(`The data folder ${dataDir} is in use by another process (${messageOf(error)}).`, error);
  }
  return { release: () => database.close() };
}

function openDatabase(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true });
    return new DatabaseSync(join(dataDir, 'lock.sqlite'), { timeout: 0 });
  } catch (error) {
    throw new StartError(`The data folder ${dataDir} cannot be written: ${messageOf(error)}.`, error);
  }
}
