import type { DatabaseSync } from 'node:sqlite';
import { Fault } from '@linkspan/protocol';
import { CALL_TABLES } from './call-index.ts';
import { integer } from './rows.ts';
import { corruptFault } from './storage-fault.ts';
import { DICTIONARY_TABLE } from './text-packer.ts';

/** Every table that a ledger has. */
const TABLE_COUNT = 7;
/** What another version of this program wrote is neither read nor changed. */
const VERSION = 2;
/** So much of the log stays on the disk after a block that was larger. */
const LOG_BYTES = 8 * 2 ** 20;

/** Keys come in any order, values in that of time: so a new value costs no page of its own, and each key is stored once. */
const TABLES = `
  BEGIN IMMEDIATE;
  CREATE TABLE blocks (
    number INTEGER PRIMARY KEY, time INTEGER NOT NULL, previous BLOB NOT NULL, hash BLOB NOT NULL,
    form INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, id INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE value (id INTEGER PRIMARY KEY, sum BLOB NOT NULL, form INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  ${DICTIONARY_TABLE}
  ${CALL_TABLES}
  PRAGMA user_version = ${VERSION};
  COMMIT;
`;

/** Makes the tables in a new file, and sets how this connection writes. */
export function prepareFile(db: DatabaseSync, { maximumBytes }: { readonly maximumBytes?: number }): void {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536`);
  db.exec(`PRAGMA journal_size_limit = ${LOG_BYTES}`);
  if (versionOf(db) === 0 && tableCount(db) === 0) db.exec(TABLES);
  if (maximumBytes === undefined) return;
  const pageSize = integer(db.prepare('PRAGMA page_size').get() ?? {}, 'page_size');
  db.exec(`PRAGMA max_page_count = ${Math.floor(maximumBytes / pageSize)}`);
}

/** Throws a Fault: `configuration-invalid` for another version, `storage-corrupt` for a file that is no ledger. */
export function checkVersion(db: DatabaseSync, path: string): void {
  const version = versionOf(db);
  if (version !== VERSION && version > 0) {
    throw new Fault(
      'configuration-invalid',
      `${path} is of version ${version} and this program reads version ${VERSION}; use the program that wrote it.`,
    );
  }
  if (version !== VERSION || tableCount(db) !== TABLE_COUNT)
    throw corruptFault(`${path} has not the tables of a ledger`);
}

function versionOf(db: DatabaseSync): number {
  return integer(db.prepare('PRAGMA user_version').get() ?? {}, 'user_version');
}

function tableCount(db: DatabaseSync): number {
  return integer(db.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get() ?? {}, 'count');
}
