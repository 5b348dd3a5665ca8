import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from './start-error.ts';

/**
 * Opens the books of a data directory for this process alone. The lock is SQLite's own on the file, held until close:
 * the operating system drops it with the process, so a dead owner is never in the way and a process id is never
 * mistaken for another's. The file `owner` only says whom to look for.
 */
export function openStore(dataDir: string): DatabaseSync {
  const owner = join(dataDir, 'owner');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true });
    database = new DatabaseSync(join(dataDir, 'books.sqlite'), { readBigInts: true, timeout: 0 });
    database.exec(SETTINGS);
    createSchema(database, dataDir);
    writeFileSync(owner, `${process.pid}\n`);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof StartError) throw cause;
    throw new StartError(reasonOf(cause, dataDir, owner), { cause });
  }
}

/** Whether SQLite failed for want of a working disk, as opposed to a mistake of ours. */
export function isStorageFailure(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && STORAGE_CODES.has(code);
}

const SETTINGS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -65536;
`;

const SCHEMA_VERSION = 2n;

/**
 * A booking is one change, for ever; its number is the sequence of the feed. A fence is a booking without lines: it
 * uses the operation id up under the very UNIQUE key that an effect would need. Participants' transfers are keyed by
 * their own client, so that no participant can use up an id of the executors. What carries a participants' business
 * reference has its whole key in trade, filter, payer and payee; one key settles at most once.
 */
const SCHEMA = `
  CREATE TABLE about (name TEXT NOT NULL, network TEXT NOT NULL) STRICT;
  CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, quorum INTEGER NOT NULL, signers TEXT NOT NULL) STRICT;
  CREATE TABLE accounts (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE bookings (
    booking INTEGER PRIMARY KEY,
    verb TEXT NOT NULL
      CHECK (verb IN ('open', 'hold', 'execute', 'deliver', 'release', 'transfer', 'fence', 'epoch',
        'lodge', 'try', 'dvp', 'fail', 'close')),
    operation TEXT UNIQUE,
    client TEXT,
    reference TEXT,
    hold TEXT,
    settlement TEXT,
    payer TEXT,
    payee TEXT,
    asset TEXT,
    amount INTEGER CHECK (amount > 0),
    epoch INTEGER,
    reason TEXT,
    trade TEXT,
    filter TEXT CHECK (filter IN ('cash-transfer', 'dvp')),
    details TEXT,
    time INTEGER NOT NULL,
    CHECK ((hold IS NOT NULL) = (verb IN ('execute', 'deliver', 'release'))),
    CHECK ((amount IS NULL) = (verb IN ('fence', 'epoch', 'try', 'fail', 'close'))),
    CHECK ((trade IS NULL) = (filter IS NULL)),
    CHECK ((verb IN ('lodge', 'try', 'dvp', 'fail', 'close')) <= (trade IS NOT NULL)),
    CHECK ((verb IN ('hold', 'fence')) <= (operation IS NOT NULL))
  ) STRICT;
  CREATE UNIQUE INDEX one_closing_per_hold ON bookings (hold) WHERE hold IS NOT NULL;
  CREATE UNIQUE INDEX one_transfer_per_reference ON bookings (client, reference) WHERE reference IS NOT NULL;
  CREATE INDEX bookings_of_key ON bookings (trade, payer, payee) WHERE trade IS NOT NULL;
  CREATE UNIQUE INDEX one_dvp_per_key ON bookings (trade, payer, payee) WHERE verb = 'dvp';
  CREATE TABLE entries (
    booking INTEGER NOT NULL REFERENCES bookings,
    line INTEGER NOT NULL,
    account TEXT NOT NULL,
    bucket TEXT NOT NULL CHECK (bucket IN ('free', 'held', 'issued')),
    asset TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (booking, line)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE positions (
    account TEXT NOT NULL REFERENCES accounts,
    asset TEXT NOT NULL,
    free INTEGER NOT NULL CHECK (free >= 0),
    held INTEGER NOT NULL CHECK (held >= 0),
    PRIMARY KEY (account, asset)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER bookings_stand BEFORE UPDATE ON bookings BEGIN SELECT RAISE(ABORT, 'bookings are final'); END;
  CREATE TRIGGER bookings_stay BEFORE DELETE ON bookings BEGIN SELECT RAISE(ABORT, 'bookings are final'); END;
  CREATE TRIGGER entries_stand BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are final'); END;
  CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are final'); END;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

const BUSY = 5;
const NOT_A_DATABASE = 26;

/** SQLite's primary result codes for memory, read-only, input/output, corruption, full, cannot open. */
const STORAGE_CODES: ReadonlySet<number> = new Set([7, 8, 10, 11, 13, 14]);

function createSchema(database: DatabaseSync, dataDir: string): void {
  database.exec('BEGIN IMMEDIATE');
  const version = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (version === 0n) database.exec(SCHEMA);
  else if (version !== SCHEMA_VERSION) {
    throw new StartError(
      `The data in ${dataDir} is of version ${String(version)}, this program reads ${SCHEMA_VERSION}.`,
    );
  }
  database.exec('COMMIT');
}

function reasonOf(error: unknown, dataDir: string, owner: string): string {
  const code = sqliteCode(error);
  if (code === BUSY) return `The data in ${dataDir} is in use by another process${ownerOf(owner)}.`;
  if (code === NOT_A_DATABASE) return `The file books.sqlite in ${dataDir} is no database.`;
  return `The data directory ${dataDir} cannot be written: ${error instanceof Error ? error.message : String(error)}.`;
}

function ownerOf(owner: string): string {
  try {
    return ` (process ${readFileSync(owner, 'utf8').trim()})`;
  } catch {
    return '';
  }
}

/** The primary result code, which is the low byte of the extended one. */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
