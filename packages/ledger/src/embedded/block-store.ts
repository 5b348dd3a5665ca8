import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Stored } from '@linkspan/contract';
import { compareBytes, type Hash, hashBytes } from '@linkspan/protocol';
import { type Block, brokenLink, type ChainEnd, NO_BLOCK, textHash } from './block.ts';
import { CallIndex, type IndexedCall } from './call-index.ts';
import { bytes, hashIn, integer, type Row, text } from './rows.ts';
import { corruptFault, storageFault } from './storage-fault.ts';
import { checkVersion, prepareFile } from './store-file.ts';
import { TextPacker } from './text-packer.ts';

/** A value as it is stored, with the hash of its text. */
export type ValueText = { readonly text: string; readonly hash: Hash };
export type BlockEvents = Pick<Block, 'number' | 'time' | 'previous' | 'events'>;
export type RangeOptions = { readonly limit: number; readonly after?: string; readonly reverse?: boolean };
export type StoreOptions = { readonly maximumBytes?: number; readonly readOnly?: boolean };

/** The blocks and the state in one SQLite file. Every method throws a Fault: `storage-unavailable`, or `storage-corrupt` for data that contradicts itself. */
export class BlockStore implements Disposable {
  readonly #db: DatabaseSync;
  readonly #packer: TextPacker;
  readonly #insertBlock: StatementSync;
  readonly #idOf: StatementSync;
  readonly #insertKey: StatementSync;
  readonly #insertValue: StatementSync;
  readonly #updateValue: StatementSync;
  readonly #deleteKey: StatementSync;
  readonly #deleteValue: StatementSync;
  readonly #get: StatementSync;
  readonly #ascending: StatementSync;
  readonly #descending: StatementSync;
  readonly #blocks: StatementSync;
  readonly #last: StatementSync;
  readonly #sizes: StatementSync;
  /** Where accepted calls stand. */
  readonly calls: CallIndex;

  private constructor(db: DatabaseSync) {
    this.#db = db;
    this.#packer = new TextPacker(db);
    this.#insertBlock = db.prepare(
      'INSERT INTO blocks (number, time, previous, hash, form, body) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#idOf = db.prepare('SELECT id FROM state WHERE key = ?');
    this.#insertKey = db.prepare('INSERT INTO state (key, id) VALUES (?, ?)');
    this.#insertValue = db.prepare('INSERT INTO value (sum, form, body) VALUES (?, ?, ?)');
    this.#updateValue = db.prepare('UPDATE value SET sum = ?, form = ?, body = ? WHERE id = ?');
    this.#deleteKey = db.prepare('DELETE FROM state WHERE key = ?');
    this.#deleteValue = db.prepare('DELETE FROM value WHERE id = ?');
    const columns = 'SELECT key, sum, form, body FROM state CROSS JOIN value USING (id) WHERE';
    this.#get = db.prepare(`${columns} key = ?`);
    // No UTF-8 text holds the byte FF, so this is the least bound above every key with the prefix, in the order of bytes. Both ends of a
    // range are single values, which the index is searched for: a late page costs no more than the first.
    const bound = "(?2 || CAST(X'FF' AS TEXT))";
    this.#ascending = db.prepare(
      `${columns} key >= max(?2, coalesce(?1, ?2)) AND key < ${bound} AND key IS NOT ?1 ORDER BY key LIMIT ?3`,
    );
    this.#descending = db.prepare(
      `${columns} key >= ?2 AND key < min(${bound}, coalesce(?1, ${bound})) ORDER BY key DESC LIMIT ?3`,
    );
    this.#blocks = db.prepare('SELECT * FROM blocks WHERE number > ? ORDER BY number LIMIT ?');
    this.#last = db.prepare('SELECT number, time, hash FROM blocks ORDER BY number DESC LIMIT 1');
    this.#sizes = db.prepare('SELECT number, length(body) AS size FROM blocks ORDER BY number DESC LIMIT ?');
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

  /** The number of the first of the last blocks: at most so many, and no more than have these bytes, but one in any case. */
  startOfLast(blocks: number, bodyBytes: number): number {
    return this.#read('reading the last blocks', () => {
      let [first, sum] = [this.last().number, 0];
      for (const row of this.#sizes.all(blocks)) {
        sum += integer(row, 'size');
        if (sum > bodyBytes) break;
        first = integer(row, 'number');
      }
      return first;
    });
  }

  /** One durable SQL transaction: the block, what it wrote (`undefined` deletes) and where its calls stand, or nothing of it. */
  append(block: Block, writes: ReadonlyMap<string, ValueText | undefined>, indexed: readonly IndexedCall[] = []): void {
    const { number, time, previous, hash } = block;
    let committing = false;
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      const { form, body } = this.#packer.pack(`block ${indexed[0]?.type ?? ''}`, bodyText(block), bodySample(block));
      this.#insertBlock.run(number, time, hashBytes(previous), hashBytes(hash), form, body);
      for (const [key, value] of writes) {
        if (value) this.#put(key, value);
        else this.#delete(key);
      }
      this.calls.insert(number, indexed);
      const learnt = this.#packer.learn(number);
      committing = true;
      this.#db.exec('COMMIT');
      this.#packer.learnt(learnt);
    } catch (error) {
      this.#rollBack();
      // When the commit itself fails, its last page may have reached the disk although its confirmation did not.
      throw storageFault(error, `writing block ${number}`, committing);
    }
  }

  /** The value under a key. It is checked against its sum: SQLite has no checksum over what it stored. */
  get(key: string): Stored | undefined {
    return this.#read(`reading ${key}`, () => {
      const row = this.#get.get(key);
      return row && this.#parseValue(key, row);
    });
  }

  /** Keys with a prefix in the order of their UTF-8 bytes; `after` is exclusive and, in reverse, the upper end. */
  range(prefix: string, { limit, after, reverse }: RangeOptions): (readonly [string, Stored])[] {
    return this.#read(`reading ${prefix}`, () => {
      const statement = reverse ? this.#descending : this.#ascending;
      return statement.all(after ?? null, prefix, limit).map((row) => {
        const key = text(row, 'key');
        return [key, this.#parseValue(key, row)] as const;
      });
    });
  }

  /** What the blocks after a number tell the world, at most of `limit` of them. */
  eventsAfter(number: number, limit: number): BlockEvents[] {
    return this.#read('reading events', () =>
      this.#blocks.all(number, limit).map((row) => {
        const body = this.#packer.unpack(integer(row, 'form'), bytes(row, 'body'));
        return {
          number: integer(row, 'number'),
          time: integer(row, 'time'),
          previous: hashIn(row, 'previous'),
          events: body.slice(0, body.indexOf('\n')),
        };
      }),
    );
  }

  blocksAfter(number: number, limit: number): Block[] {
    return this.#read('reading blocks', () => this.#blocks.all(number, limit).map((row) => this.#parseBlock(row)));
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

  /** Every key of the state with the hash of its value. */
  *checkedState(): Generator<readonly [string, Hash]> {
    let after: string | undefined;
    for (;;) {
      const page = this.#read('reading the state', () => this.#ascending.all(after ?? null, '', PAGE));
      for (const row of page) {
        after = text(row, 'key');
        yield [after, textHash(this.#checkedText(after, row))];
      }
      if (page.length < PAGE) return;
    }
  }

  /** The hash of the value that is under a key. */
  checkedHash(key: string): Hash | undefined {
    return this.#read(`reading ${key}`, () => {
      const row = this.#get.get(key);
      return row && textHash(this.#checkedText(key, row));
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

  #put(key: string, { text: value, hash }: ValueText): void {
    const { form, body } = this.#packer.pack(classOf(key), value);
    const sum = hashBytes(hash).subarray(0, SUM_BYTES);
    const id = this.#idOf.get(key)?.['id'];
    if (id !== undefined) this.#updateValue.run(sum, form, body, id);
    else this.#insertKey.run(key, this.#insertValue.run(sum, form, body).lastInsertRowid);
  }

  #delete(key: string): void {
    const id = this.#idOf.get(key)?.['id'];
    if (id === undefined) return;
    this.#deleteKey.run(key);
    this.#deleteValue.run(id);
  }

  #parseBlock(row: Row): Block {
    const texts = this.#packer.unpack(integer(row, 'form'), bytes(row, 'body')).split('\n');
    const [events, writes, results, calls] = texts;
    const number = integer(row, 'number');
    if (
      events === undefined ||
      writes === undefined ||
      results === undefined ||
      calls === undefined ||
      texts.length > 4
    )
      throw corruptFault(`block ${number} is not four texts`);
    const [previous, hash] = [hashIn(row, 'previous'), hashIn(row, 'hash')];
    return { number, time: integer(row, 'time'), previous, hash, events, writes, results, calls };
  }

  #parseValue(key: string, row: Row): Stored {
    const value: unknown = JSON.parse(this.#checkedText(key, row));
    if (typeof value !== 'object' || value === null) throw corruptFault(`the value under ${key} is not an object`);
    return value;
  }

  #checkedText(key: string, row: Row): string {
    const value = this.#packer.unpack(integer(row, 'form'), bytes(row, 'body'));
    const sum = hashBytes(textHash(value)).subarray(0, SUM_BYTES);
    if (compareBytes(sum, bytes(row, 'sum')) !== 0) throw corruptFault(`the value under ${key} does not have its sum`);
    return value;
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
/** Of the SHA-256 of a value: enough to find damage. Whether it is what the blocks wrote is proven by the whole hash. */
const SUM_BYTES = 16;
/** The texts are JSON without line ends. Those that are asked for most often come first. */
function bodyText({ events, writes, results, calls }: Block): string {
  return `${events}\n${writes}\n${results}\n${calls}`;
}

/** Some of each text, so that a dictionary knows them all. */
function bodySample({ events, writes, results, calls }: Block): string {
  return events.slice(0, 4096) + writes.slice(0, 2048) + results.slice(0, 1024) + calls.slice(0, 8192);
}

/** Values of one table of the contract are alike. */
function classOf(key: string): string {
  return key.slice(0, key.indexOf('/') + 1);
}
