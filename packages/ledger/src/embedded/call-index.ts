import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Hash, hashBytes, hashFromBytes } from '@linkspan/protocol';
import { corruptFault } from './storage-fault.ts';

/** Where an accepted call stands, and what it is about: a proposal, or null for the environment. */
export type IndexedCall = {
  readonly id: Hash;
  readonly position: number;
  readonly type: string;
  readonly subject: Hash | null;
};
export type Place = { readonly block: number; readonly position: number };

/**
 * The calls in the order of the ledger are in the blocks; this says where. Written with the block, in the same SQL transaction. A place is one
 * number, and a subject is known by the place of the first call about it, so that each hash is kept as few times as possible.
 */
export const CALL_TABLES = `
  CREATE TABLE call_id (id BLOB PRIMARY KEY NOT NULL, place INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE subject (hash BLOB PRIMARY KEY NOT NULL, first INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE call (place INTEGER PRIMARY KEY, first INTEGER, report INTEGER NOT NULL, subject BLOB) STRICT;
  CREATE INDEX call_by_subject ON call (first, place);
  CREATE INDEX reports ON call (place) WHERE report = 1;
  CREATE INDEX blocks_by_time ON blocks (time);
`;

export class CallIndex {
  readonly #insertId: StatementSync;
  readonly #insertSubject: StatementSync;
  readonly #insertCall: StatementSync;
  readonly #byId: StatementSync;
  readonly #firstOf: StatementSync;
  readonly #bySubject: StatementSync;
  readonly #environment: StatementSync;
  readonly #reports: StatementSync;
  readonly #subjects: StatementSync;

  constructor(db: DatabaseSync) {
    // A call that is accepted again changes nothing; where it was first is where it stands.
    this.#insertId = db.prepare('INSERT INTO call_id (id, place) VALUES (?, ?) ON CONFLICT (id) DO NOTHING');
    this.#insertSubject = db.prepare('INSERT INTO subject (hash, first) VALUES (?, ?)');
    this.#insertCall = db.prepare('INSERT INTO call (place, first, report, subject) VALUES (?, ?, ?, ?)');
    this.#byId = db.prepare('SELECT place FROM call_id WHERE id = ?');
    this.#firstOf = db.prepare('SELECT first AS place FROM subject WHERE hash = ?');
    this.#bySubject = db.prepare('SELECT place FROM call WHERE first = ? ORDER BY place');
    this.#environment = db.prepare('SELECT place FROM call WHERE first IS NULL AND place < ? ORDER BY place');
    this.#reports = db.prepare('SELECT place FROM call WHERE report = 1 AND place < ? ORDER BY place');
    // A period is the blocks of its time: time never goes back from one block to the next.
    const begin = (time: string): string =>
      `coalesce((SELECT number << ${POSITION_BITS} FROM blocks WHERE time >= ${time} ORDER BY time, number LIMIT 1), 9007199254740991)`;
    this.#subjects = db.prepare(`
      SELECT opening.subject, found.place FROM (
        SELECT first, min(place) AS place FROM call
        WHERE place >= ${begin('?1')} AND place < ${begin('?2')} AND first IS NOT NULL
        GROUP BY first HAVING min(place) > ?3 ORDER BY min(place) LIMIT ?4
      ) AS found JOIN call AS opening ON opening.place = found.first ORDER BY found.place`);
  }

  insert(block: number, calls: readonly IndexedCall[]): void {
    for (const { id, position, type, subject } of calls) {
      const place = placeNumber(block, position);
      if (this.#insertId.run(hashBytes(id), place).changes === 0) continue;
      const hash = subject === null ? null : hashBytes(subject);
      const first = hash && this.#first(hash);
      if (hash && first === undefined) this.#insertSubject.run(hash, place);
      const isFirst = hash !== null && first === undefined;
      this.#insertCall.run(place, first ?? (isFirst ? place : null), type === 'report' ? 1 : 0, isFirst ? hash : null);
    }
  }

  byIds(ids: readonly Hash[]): Place[] {
    const places = ids.flatMap((id) => this.#byId.all(hashBytes(id)).map(placeOf));
    return places.toSorted((a, b) => a.block - b.block || a.position - b.position);
  }

  bySubject(subject: Hash): Place[] {
    const first = this.#first(hashBytes(subject));
    return first === undefined ? [] : this.#bySubject.all(first).map(placeOf);
  }

  environment(upTo: number): Place[] {
    return this.#environment.all(endOf(upTo)).map(placeOf);
  }

  reports(upTo: number): Place[] {
    return this.#reports.all(endOf(upTo)).map(placeOf);
  }

  /** Subjects of calls within a time, each with the place of its first call in it, after a place. */
  subjects(
    from: number,
    to: number,
    after: number,
    limit: number,
  ): { readonly subject: Hash; readonly place: number }[] {
    return this.#subjects.all(from, to, after, limit).map(({ subject, place }) => {
      if (!(subject instanceof Uint8Array) || typeof place !== 'number') throw corruptFault('the index of calls');
      return { subject: hashFromBytes(subject), place };
    });
  }

  #first(hash: Uint8Array): number | undefined {
    const row = this.#firstOf.get(hash);
    if (!row) return undefined;
    if (typeof row['place'] !== 'number') throw corruptFault('the index of calls');
    return row['place'];
  }
}

/** More calls than a block can hold: a place is the block's number above the position's bits. */
const POSITION_BITS = 20;

/** Not by shifting: that is for 32 bits. */
function placeNumber(block: number, position: number): number {
  return block * 2 ** POSITION_BITS + position;
}

/** The first place after a block. */
function endOf(block: number): number {
  return Math.min(placeNumber(block + 1, 0), Number.MAX_SAFE_INTEGER);
}

function placeOf({ place }: Record<string, unknown>): Place {
  if (typeof place !== 'number') throw corruptFault('the index of calls');
  return { block: Math.floor(place / 2 ** POSITION_BITS), position: place % 2 ** POSITION_BITS };
}
