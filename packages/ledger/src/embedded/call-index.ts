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

/** The calls in the order of the ledger are in the blocks; this says where. Written with the block, in the same SQL transaction. */
export const CALL_TABLES = `
  CREATE TABLE calls (
    id BLOB PRIMARY KEY NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL, subject BLOB
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX calls_by_subject ON calls (subject, block, position);
  CREATE INDEX calls_by_place ON calls (block, position, subject);
  CREATE INDEX reports ON calls (block, position) WHERE type = 'report';
  CREATE INDEX blocks_by_time ON blocks (time);
`;

export class CallIndex {
  readonly #insert: StatementSync;
  readonly #byId: StatementSync;
  readonly #bySubject: StatementSync;
  readonly #environment: StatementSync;
  readonly #reports: StatementSync;
  readonly #subjects: StatementSync;

  constructor(db: DatabaseSync) {
    // A call that is accepted again changes nothing; where it was first is where it stands.
    this.#insert = db.prepare(
      'INSERT INTO calls (id, block, position, type, subject) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    );
    this.#byId = db.prepare('SELECT block, position FROM calls WHERE id = ?');
    this.#bySubject = db.prepare('SELECT block, position FROM calls WHERE subject = ? ORDER BY block, position');
    this.#environment = db.prepare(
      'SELECT block, position FROM calls WHERE subject IS NULL AND block <= ? ORDER BY block, position',
    );
    this.#reports = db.prepare(
      "SELECT block, position FROM calls WHERE type = 'report' AND block <= ? ORDER BY block, position",
    );
    // A period is the blocks of its time: time never goes back from one block to the next.
    this.#subjects = db.prepare(`
      SELECT subject, min((block << ${POSITION_BITS}) + position) AS place FROM calls
      WHERE block >= coalesce((SELECT number FROM blocks WHERE time >= ?1 ORDER BY time, number LIMIT 1), 9007199254740991)
        AND block < coalesce((SELECT number FROM blocks WHERE time >= ?2 ORDER BY time, number LIMIT 1), 9007199254740991)
        AND subject IS NOT NULL
      GROUP BY subject HAVING place > ?3 ORDER BY place LIMIT ?4`);
  }

  insert(block: number, calls: readonly IndexedCall[]): void {
    for (const { id, position, type, subject } of calls) {
      this.#insert.run(hashBytes(id), block, position, type, subject === null ? null : hashBytes(subject));
    }
  }

  byIds(ids: readonly Hash[]): Place[] {
    const places = ids.flatMap((id) => this.#byId.all(hashBytes(id)).map(placeOf));
    return places.toSorted((a, b) => a.block - b.block || a.position - b.position);
  }

  bySubject(subject: Hash): Place[] {
    return this.#bySubject.all(hashBytes(subject)).map(placeOf);
  }

  environment(upTo: number): Place[] {
    return this.#environment.all(upTo).map(placeOf);
  }

  reports(upTo: number): Place[] {
    return this.#reports.all(upTo).map(placeOf);
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
}

/** More calls than a block can hold: a place is one number, the block's above the position's bits. */
const POSITION_BITS = 20;

function placeOf({ block, position }: Record<string, unknown>): Place {
  if (typeof block !== 'number' || typeof position !== 'number') throw corruptFault('the index of calls');
  return { block, position };
}
