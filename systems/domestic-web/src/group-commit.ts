import type { DatabaseSync } from 'node:sqlite';
import { isStorageFailure } from './store.ts';

/** The disk did not take a transaction. Nothing of it is booked; the caller may try again with the same id. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
}

/** More work waits than the queue may hold. Nothing happened. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/**
 * Runs work that arrives together in one transaction, so that it shares one fsync. A result is handed out only after
 * its commit. The work must be synchronous, and must change nothing but the database, because it may run again.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #onCommit: () => void;
  #queue: Job[] = [];

  constructor(database: DatabaseSync, onCommit: () => void) {
    this.#database = database;
    this.#onCommit = onCommit;
  }

  run<T>(work: () => T): Promise<T> {
    if (this.#queue.length >= MOST_WAITING) return Promise.reject(new QueueFull('Too many requests are waiting.'));
    return new Promise((resolve, reject) => {
      const perform = () => {
        const result = work();
        return () => resolve(result);
      };
      this.#queue.push({ perform, fail: reject });
      if (this.#queue.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const jobs = this.#queue.splice(0, MOST_TOGETHER);
    if (this.#queue.length > 0) setImmediate(() => this.#flush());
    this.#commit(jobs);
    this.#onCommit();
  }

  /** When one of several fails by a mistake of ours, each runs again alone, so that it fails for itself only. */
  #commit(jobs: Job[]): void {
    const outcome = this.#transact(jobs);
    if (outcome.ok) {
      for (const answer of outcome.answers) answer();
    } else if (outcome.error instanceof StorageUnavailable || jobs.length === 1) {
      for (const job of jobs) job.fail(outcome.error);
    } else {
      for (const job of jobs) this.#commit([job]);
    }
  }

  #transact(jobs: Job[]): { ok: true; answers: (() => void)[] } | { ok: false; error: Error } {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const answers = jobs.map((job) => job.perform());
      this.#database.exec('COMMIT');
      return { ok: true, answers };
    } catch (error) {
      return { ok: false, error: this.#rollback(error) };
    }
  }

  /** SQLite rolls back by itself after some disk errors, and says so by being outside of a transaction. */
  #rollback(cause: unknown): Error {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    } catch (failure) {
      return new StorageUnavailable('The transaction could not be rolled back.', { cause: failure });
    }
    if (isStorageFailure(cause)) return new StorageUnavailable('The storage takes no writes.', { cause });
    return cause instanceof Error ? cause : new Error('A request failed.', { cause });
  }
}

type Job = { perform: () => () => void; fail: (error: Error) => void };

const MOST_TOGETHER = 512;
const MOST_WAITING = 10_000;
