import {
  type Connector,
  type Observation,
  type ObservationFilter,
  type ObservedEvent,
  type Position,
  type Reading,
  type ReadingQuery,
  type Submission,
  wants,
} from '@linkspan/plugin';
import { Fault, type Operation } from '@linkspan/protocol';
import { MemoryBooks, type MemoryBooksOptions } from './memory-books.ts';

export type MemorySystemOptions = Omit<MemoryBooksOptions, 'onChange'>;

export type SystemRequest = {
  readonly method: 'submit' | 'lookup' | 'fence' | 'read';
  readonly executor: string;
  readonly operation: Operation | undefined;
};

/** What may become of a request. With `arriveAfterMs` nobody gets an answer, and its effect comes all the same, later. */
export type SystemIncident =
  | 'lose-request'
  | 'lose-answer'
  | { readonly delayMs: number }
  | { readonly arriveAfterMs: number }
  | { readonly refuse: string };

/** A connected system inside the process: the whole port over books in memory. It answers at once, unless it is told to misbehave. */
export class MemorySystem {
  readonly system: string;
  readonly books: MemoryBooks;
  /** While true, nothing is answered. */
  down = false;
  /** Asked before every request of a connector: what is to become of it. */
  onRequest: ((request: SystemRequest) => SystemIncident | undefined) | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(options: MemorySystemOptions) {
    this.system = options.system;
    this.books = new MemoryBooks({ ...options, onChange: () => this.wake() });
  }

  /** The system as one of its registered executors reaches it. */
  connector(executor: string): Connector {
    return {
      submit: (operation, certificate) => {
        const refuse = (reason: string): Submission => ({
          status: 'refused',
          reason,
          message: 'It was told to refuse.',
        });
        return this.#serve(
          { method: 'submit', executor, operation },
          () => this.books.submit(operation, certificate),
          refuse,
        );
      },
      observe: (cursor, filter, signal) => this.#observe(cursor, filter, signal),
      lookup: (operation) => this.#serve({ method: 'lookup', executor, operation }, () => this.books.lookup(operation)),
      fence: (operation, reason) =>
        this.#serve({ method: 'fence', executor, operation }, () => this.books.fence(operation, reason)),
      read: (query) => this.#serve({ method: 'read', executor, operation: undefined }, () => this.#read(query)),
      async [Symbol.asyncDispose]() {},
    };
  }

  /** Every position, as an auditor inside the system would read it. */
  positions(): readonly Position[] {
    return this.books.positions();
  }

  /** Every change so far, in order, as an auditor inside the system would read it. */
  history(): readonly Observation[] {
    return this.books.changes.map(({ observation }) => observation);
  }

  async #serve<T>(request: SystemRequest, answer: () => T, refuse?: (reason: string) => T): Promise<T> {
    this.#requireUp();
    const incident = this.onRequest?.(request);
    if (incident === undefined) return answer();
    if (incident === 'lose-request') throw this.#silence(true);
    if (incident === 'lose-answer') {
      answer();
      throw this.#silence(true);
    }
    if ('refuse' in incident) return refuse ? refuse(incident.refuse) : answer();
    if ('arriveAfterMs' in incident) {
      setTimeout(answer, incident.arriveAfterMs);
      throw this.#silence(true);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, incident.delayMs);
    });
    this.#requireUp();
    return answer();
  }

  #requireUp(): void {
    if (this.down) throw this.#silence(false);
  }

  #silence(mayHaveHappened: boolean): Fault {
    return new Fault('system-unavailable', `${this.system} gave no answer.`, { mayHaveHappened });
  }

  async *#observe(cursor: string, filter: ObservationFilter, signal: AbortSignal): AsyncGenerator<ObservedEvent> {
    let at = cursor === '' ? 0 : Number(cursor);
    while (!signal.aborted) {
      const change = this.down ? undefined : this.books.changes[at];
      if (!change) {
        await this.#nextChange(signal);
        continue;
      }
      at += 1;
      if (wants(filter, change.observation, change.settlement))
        yield { cursor: String(at), observation: change.observation };
    }
  }

  /** Wakes those who follow the events; also to be called when the system comes back. */
  wake(): void {
    for (const done of this.#watchers) done();
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#watchers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#watchers.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #read(query: ReadingQuery): Reading {
    const cursor = String(this.books.changes.length);
    if (query.type === 'health') return { positions: [], cursor };
    const { accounts } = query;
    const positions = this.books.positions().filter(({ account }) => accounts?.includes(account) ?? true);
    return { positions, cursor };
  }
}
