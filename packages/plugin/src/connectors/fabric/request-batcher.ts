import { Fault } from '@linkspan/protocol';
import type { RequestAnswer } from './token-records.ts';

type Waiting = {
  readonly request: object;
  readonly resolve: (answer: RequestAnswer) => void;
  readonly reject: (reason: unknown) => void;
};

const BATCH_REQUESTS = 100;
const QUEUED_REQUESTS = 20_000;

/**
 * One transaction at a time: at once when nothing is under way, otherwise everything that came meanwhile in the next. Requests of one executor mostly
 * touch the same few accounts, so two transactions of it at once would only meet each other.
 */
export class RequestBatcher {
  readonly #write: (requests: readonly object[]) => Promise<RequestAnswer[]>;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(write: (requests: readonly object[]) => Promise<RequestAnswer[]>) {
    this.#write = write;
  }

  send(request: object): Promise<RequestAnswer> {
    if (this.#isClosed) return Promise.reject(new Fault('system-unavailable', 'The connector is closed.'));
    if (this.#queue.length >= QUEUED_REQUESTS)
      return Promise.reject(new Fault('system-unavailable', `More than ${QUEUED_REQUESTS} requests are waiting.`));
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** What has not been sent is not sent any more. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#queue.splice(0))
      reject(new Fault('system-unavailable', 'The connector was closed before it sent this.'));
    await this.#running;
  }

  async #run(): Promise<void> {
    // After everything that is ready in this turn, so that those who ask together share a transaction.
    await new Promise(setImmediate);
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, BATCH_REQUESTS);
      try {
        const answers = await this.#write(batch.map(({ request }) => request));
        for (const [i, { resolve, reject }] of batch.entries()) {
          const answer = answers[i];
          if (answer) resolve(answer);
          else reject(new Fault('system-unavailable', 'The chaincode left a request unanswered.', UNKNOWN));
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }
}

const UNKNOWN = { mayHaveHappened: true } as const;
