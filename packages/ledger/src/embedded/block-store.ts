import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import type { Stored } from '@linkspan/contract';
import { Fault, type Hash } from '@linkspan/protocol';
import { type Block, brokenLink, type ChainEnd, NO_BLOCK, textHash } from './block.ts';
import { CALL_TABLES, CallIndex, type IndexedCall } from './call-index.ts';
import { corruptFault, storageFault } from './storage-fault.ts';

/** A value as it is stored, with the hash of its text. */
export type ValueText = { readonly text: string; readonly hash: Hash };
export type RangeOptions = { readonly limit: number; readonly after?: string; readonly reverse?: boolean };
export type StoreOptions = { readonly maximumBytes?: number; readonly readOnly?: boolean };

/** The blocks and the state in one SQLite file. Every method throws a Fault: `storage-unavailable`, or `storage-corrupt` for data that contradicts itself. */
export class BlockStore implements Disposable {
  readonly #db: DatabaseSync;
  readonly #insertBlock: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #get: StatementSync;
  readonly #ascending: StatementSync;
  readonly #descending: StatementSync;
  readonly #events: StatementSync;
  readonly #blocks: StatementSync;
  readonly #last: StatementSync;
  /** Where accepted calls stand. */
  readonly calls: CallIndex;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insertBlock = db.prepare(
      'INSERT INTO blocks (number, time, previous, hash, events, writes, results, calls) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#put = db.prepare(
      'INSERT INTO state (key, hash, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET hash = excluded.hash, value = excluded.value',
    );
    this.#delete = db.prepare('DELETE FROM state WHERE key = ?');
    this.#get = db.prepare('SELECT hash, value FROM state WHERE key = ?');
    // No UTF-8 text holds the byte FF, so this is the least bound above every key with the prefix, in the order of bytes. Both ends of a
    // range are single values, which the index is searched for: a late page costs no more than the first.
    const bound = "(?2 || CAST(X'FF' AS TEXT))";
    const columns = 'SELECT key, hash, value FROM state WHERE';
    this.#ascending = db.prepare(
      `${columns} key >= max(?2, coalesce(?1, ?2)) AND key < ${bound} AND key IS NOT ?1 ORDER BY key LIMIT ?3`,
    );
    this.#descending = db.prepare(
      `${columns} key >= ?2 AND key < min(${bound}, coalesce(?1, ${bound})) ORDER BY key DESC LIMIT ?3`,
    );
    this.#events = db.prepare(
      "SELECT number, time, previous, events FROM blocks WHERE number > ? AND events <> '[]' ORDER BY number LIMIT ?",
    );
    this.#blocks = db.prepare('SELECT * FROM blocks WHERE number > ? ORDER BY number LIMIT ?');
    this.#last = db.prepare('SELECT number, time, hash FROM blocks ORDER BY number DESC LIMIT 1');
    this.calls = new CallIndex(db);
  }

  static open(directory: string, options: StoreOptions = {}): BlockStore {
    const path = join(directory, FILE);
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: 1000 });
      if (!options.readOnly) prepareFile(db, options);
      checkVersion(db, path);
      return new BlockStore(db);
    } catch (error) {
      db?.close();
      throw storageFault(error, `opening ${path}`);
    }
  }

  last(): ChainEnd {
    return this.#read('reading the last block', () => {
      const row = this.#last.get();
      return row ? { number: integer(row, 'number'), time: integer(row, 'time'), hash: hashIn(row, 'hash') } : NO_BLOCK;
    });
  }

  /** One durable SQL transaction: the block, what it wrote (`undefined` deletes) and where its calls stand, or nothing of it. */
  append(block: Block, writes: ReadonlyMap<string, ValueText | undefined>, indexed: readonly IndexedCall[] = []): void {
    const { number, time, previous, hash, events, calls, results } = block;
    let committing = false;
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      this.#insertBlock.run(number, time, previous, hash, events, block.writes, results, calls);
      for (const [key, value] of writes) {
        if (value) this.#put.run(key, value.hash, value.text);
        else this.#delete.run(key);
      }
      this.calls.insert(number, indexed);
      committing = true;
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      // When the commit itself fails, its last page may have reached the disk although its confirmation did not.
      throw storageFault(error, `writing block ${number}`, committing);
    }
  }

  /** The value under a key. It is checked against its hash: SQLite has no checksum over what it stored. */
  get(key: string): Stored | undefined {
    return this.#read(`reading ${key}`, () => {
      const row = this.#get.get(key);
      return row && parseValue(key, row);
    });
  }

  /** Keys with a prefix in the order of their UTF-8 bytes; `after` is exclusive and, in reverse, the upper end. */
  range(prefix: string, { limit, after, reverse }: RangeOptions): (readonly [string, Stored])[] {
    return this.#read(`reading ${prefix}`, () => {
      const statement = reverse ? this.#descending : this.#ascending;
      return statement.all(after ?? null, prefix, limit).map((row) => {
        const key = text(row, 'key');
        return [key, parseValue(key, row)] as const;
      });
    });
  }

  /** The blocks after a number that carry events, at most `limit`. */
  eventsAfter(number: number, limit: number): Pick<Block, 'number' | 'time' | 'previous' | 'events'>[] {
    return this.#read('reading events', () =>
      this.#events.all(number, limit).map((row) => ({
        number: integer(row, 'number'),
        time: integer(row, 'time'),
        previous: hashIn(row, 'previous'),
        events: text(row, 'events'),
      })),
    );
  }

  blocksAfter(number: number, limit: number): Block[] {
    return this.#read('reading blocks', () => this.#blocks.all(number, limit).map(parseBlock));
  }

  /** Every block after `before` in order, each proven to follow the one before it. */
  *checkedBlocks(before: ChainEnd): Generator<Block> {
    let end = before;
    for (;;) {
      const page = this.blocksAfter(end.number, BLOCK_PAGE);
      for (const block of page) {
        const broken = brokenLink(end, block);
        if (broken !== undefined) throw corruptFault(broken);
        end = block;
        yield block;
      }
      if (page.length < BLOCK_PAGE) return;
    }
  }

  /** Every key of the state with the hash of its value, each value proven to have it. */
  *checkedState(): Generator<readonly [string, Hash]> {
    let after: string | undefined;
    for (;;) {
      const page = this.#read('reading the state', () => this.#ascending.all(after ?? null, '', PAGE));
      for (const row of page) {
        after = text(row, 'key');
        yield [after, checkedHash(after, row)];
      }
      if (page.length < PAGE) return;
    }
  }

  /** The hash of the value under a key, proven. */
  checkedHash(key: string): Hash | undefined {
    return this.#read(`reading ${key}`, () => {
      const row = this.#get.get(key);
      return row && checkedHash(key, row);
    });
  }

  /** From here on this connection sees the blocks and the state as of one moment, whatever a writer adds. */
  beginSnapshot(): void {
    this.#read('beginning to read', () => this.#db.exec('BEGIN'));
  }

  /** SQLite's own check of every page and index. Takes as long as the file is large. */
  checkFile(): void {
    this.#read('checking the file', () => {
      const row = this.#db.prepare('PRAGMA integrity_check(1)').get();
      const answer = row ? Object.values(row)[0] : undefined;
      if (answer !== 'ok') throw corruptFault(`SQLite says: ${String(answer)}`);
    });
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #read<T>(doing: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw storageFault(error, doing);
    }
  }

  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // SQLite rolls back by itself after the errors that make this fail; the first error is the one to tell.
    }
  }
}

const FILE = 'ledger.db';
const PAGE = 256;
/** Blocks can be large, so few are in memory at once. */
const BLOCK_PAGE = 16;
const VERSION = 1;

const TABLES = `
  BEGIN IMMEDIATE;
  CREATE TABLE blocks (
    number INTEGER PRIMARY KEY, time INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL,
    events TEXT NOT NULL, writes TEXT NOT NULL, results TEXT NOT NULL, calls TEXT NOT NULL
  ) STRICT;
  CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, hash TEXT NOT NULL, value TEXT NOT NULL) STRICT;
  ${CALL_TABLES}
  PRAGMA user_version = ${VERSION};
  COMMIT;
`;

function prepareFile(db: DatabaseSync, { maximumBytes }: StoreOptions): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768');
  if (versionOf(db) === 0 && tableCount(db) === 0) db.exec(TABLES);
  if (maximumBytes === undefined) return;
  const pageSize = integer(db.prepare('PRAGMA page_size').get() ?? {}, 'page_size');
  db.exec(`PRAGMA max_page_count = ${Math.floor(maximumBytes / pageSize)}`);
}

function checkVersion(db: DatabaseSync, path: string): void {
  const version = versionOf(db);
  if (version > VERSION) {
    throw new Fault(
      'configuration-invalid',
      `${path} is of version ${version}; this program reads version ${VERSION}.`,
    );
  }
  if (version !== VERSION || tableCount(db) !== 3) throw corruptFault(`${path} has not the tables of a ledger`);
}

function versionOf(db: DatabaseSync): number {
  return integer(db.prepare('PRAGMA user_version').get() ?? {}, 'user_version');
}

function tableCount(db: DatabaseSync): number {
  return integer(db.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table'").get() ?? {}, 'count');
}

type Row = Record<string, SQLOutputValue>;

function parseBlock(row: Row): Block {
  return {
    number: integer(row, 'number'),
    time: integer(row, 'time'),
    previous: hashIn(row, 'previous'),
    hash: hashIn(row, 'hash'),
    events: text(row, 'events'),
    writes: text(row, 'writes'),
    results: text(row, 'results'),
    calls: text(row, 'calls'),
  };
}

function parseValue(key: string, row: Row): Stored {
  checkedHash(key, row);
  const value: unknown = JSON.parse(text(row, 'value'));
  if (typeof value !== 'object' || value === null) throw corruptFault(`the value under ${key} is not an object`);
  return value;
}

function checkedHash(key: string, row: Row): Hash {
  const stored = hashIn(row, 'hash');
  if (textHash(text(row, 'value')) !== stored) throw corruptFault(`the value under ${key} does not have its hash`);
  return stored;
}

function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw corruptFault(`${column} is not an integer`);
  return value;
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw corruptFault(`${column} is not a text`);
  return value;
}

function hashIn(row: Row, column: string): Hash {
  const digits = /^sha256:([0-9a-f]{64})$/.exec(text(row, column))?.[1];
  if (digits === undefined) throw corruptFault(`${column} is not a hash`);
  return `sha256:${digits}`;
}
