import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { callId, type Hash, hashSchema } from '@linkspan/protocol';
import type { ArchivedCall } from '../archive.ts';
import { corruptFault, storageFault } from '../embedded/storage-fault.ts';
import { blockNumber } from './block-number.ts';
import type { ChaincodeTransaction } from './fabric-messages.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS call (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, block INTEGER NOT NULL, position INTEGER NOT NULL, time INTEGER NOT NULL,
    report INTEGER NOT NULL, subject TEXT, call TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS call_by_subject ON call (subject, place);
  CREATE INDEX IF NOT EXISTS call_by_time ON call (time);
  CREATE INDEX IF NOT EXISTS reports ON call (block) WHERE report = 1;
  CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), next INTEGER NOT NULL) STRICT;
  INSERT INTO progress (one, next) VALUES (1, 0) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, configuration INTEGER NOT NULL, content BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS configurations ON block (number) WHERE configuration = 1;
`;

/** Of the tables. A file with others is made again, since it holds nothing that the peer does not. */
const VERSION = 1;
const DROP = 'DROP TABLE IF EXISTS call; DROP TABLE IF EXISTS progress; DROP TABLE IF EXISTS block;';

/** Prepared once, since every block needs them. */
const WRITES = {
  insert:
    'INSERT INTO call (id, block, position, time, report, subject, call) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
  keep: 'INSERT OR REPLACE INTO block (number, configuration, content) VALUES (?, ?, ?)',
  advance: 'UPDATE progress SET next = ?',
} as const;

/** What was read from one Fabric block. */
export type BlockToKeep = {
  readonly number: bigint;
  readonly transactions: readonly ChaincodeTransaction[];
  /** The block itself where it proves something: a transaction of ours, or the channel's configuration. */
  readonly proof: { readonly content: Uint8Array; readonly isConfiguration: boolean } | undefined;
};

/**
 * The accepted calls of a channel in an SQLite file, in the order of the ledger, as far as its blocks have been read. It holds nothing that the
 * peer does not: without it, it is made again from the first block.
 */
export class ArchiveStore implements Disposable {
  readonly #db: DatabaseSync;
  readonly #writes: { readonly [W in keyof typeof WRITES]: StatementSync };

  constructor(file: string) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      this.#db = new DatabaseSync(file);
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      if (integer(this.#db.prepare('PRAGMA user_version').get(), 'user_version') !== VERSION) this.#db.exec(DROP);
      this.#db.exec(`${TABLES} PRAGMA user_version = ${VERSION};`);
      this.#writes = {
        insert: this.#db.prepare(WRITES.insert),
        keep: this.#db.prepare(WRITES.keep),
        advance: this.#db.prepare(WRITES.advance),
      };
    } catch (error) {
      throw storageFault(error, `opening ${file}`);
    }
  }

  /** The number of the first Fabric block that has not been read. */
  next(): bigint {
    return BigInt(integer(this.#db.prepare('SELECT next FROM progress').get(), 'next'));
  }

  /** Keeps what a block holds, and that it was read. A call that was accepted again is kept where it was first. */
  append({ number: block, transactions, proof }: BlockToKeep): void {
    const { insert, keep, advance } = this.#writes;
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      for (const { place, time, calls, results } of transactions) {
        let position = 0;
        for (const [i, signed] of calls.entries()) {
          const result = results[i];
          if (!result?.ok) continue;
          const subject = hashSchema.safeParse(result.value['proposal']);
          const report = signed.call.body.type === 'report' ? 1 : 0;
          const about = subject.success ? subject.data : null;
          insert.run(
            callId(signed.call),
            blockNumber(block, place),
            position,
            time,
            report,
            about,
            JSON.stringify(signed),
          );
          position += 1;
        }
      }
      if (proof) keep.run(block, proof.isConfiguration ? 1 : 0, deflateRawSync(proof.content, { level: 1 }));
      advance.run(block + 1n);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw storageFault(error, `keeping block ${block}`);
    }
  }

  byIds(ids: readonly Hash[]): ArchivedCall[] {
    return this.#calls('id IN (SELECT value FROM json_each(?))', JSON.stringify(ids));
  }

  about(subject: Hash): ArchivedCall[] {
    return this.#calls('subject = ?', subject);
  }

  environment(upTo: number): ArchivedCall[] {
    return this.#calls('subject IS NULL AND block <= ?', upTo);
  }

  reports(upTo: number): ArchivedCall[] {
    return this.#calls('report = 1 AND block <= ?', upTo);
  }

  /** Subjects of calls within a time, each with the place of its first call in it, after a place. */
  subjects(
    from: number,
    to: number,
    after: number,
    limit: number,
  ): { readonly subject: Hash; readonly place: number }[] {
    const rows = this.#db
      .prepare(
        `SELECT subject, min(place) AS place FROM call WHERE time >= ? AND time < ? AND subject IS NOT NULL
         GROUP BY subject HAVING min(place) > ? ORDER BY min(place) LIMIT ?`,
      )
      .all(from, to, after, limit);
    return rows.map((row) => ({ subject: hashSchema.parse(row['subject']), place: integer(row, 'place') }));
  }

  /** Fabric blocks by their numbers, and every configuration block up to the last of them, in their order. */
  blocks(numbers: readonly number[]): { readonly number: number; readonly content: Uint8Array }[] {
    const last = numbers.reduce((latest, number) => Math.max(latest, number), -1);
    const rows = this.#db
      .prepare(
        `SELECT number, content FROM block WHERE number IN (SELECT value FROM json_each(?))
         OR (configuration = 1 AND number <= ?) ORDER BY number`,
      )
      .all(JSON.stringify(numbers), last);
    return rows.map((row) => {
      const { content } = row;
      if (!(content instanceof Uint8Array)) throw corruptFault('the archive of blocks');
      return { number: integer(row, 'number'), content: inflateRawSync(content) };
    });
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #calls(where: string, ...values: readonly (string | number)[]): ArchivedCall[] {
    const rows = this.#db
      .prepare(`SELECT block, position, time, call FROM call WHERE ${where} ORDER BY place`)
      .all(...values);
    return rows.map((row) => {
      const text = row['call'];
      if (typeof text !== 'string') throw corruptFault('the archive of calls');
      return {
        block: integer(row, 'block'),
        index: integer(row, 'position'),
        time: integer(row, 'time'),
        call: JSON.parse(text),
      };
    });
  }
}

function integer(row: Record<string, SQLOutputValue> | undefined, name: string): number {
  const value = row?.[name];
  if (typeof value !== 'number') throw corruptFault('the archive of calls');
  return value;
}
