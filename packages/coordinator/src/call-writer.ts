import {
  type Call,
  type CallBody,
  Fault,
  type Hash,
  type JsonObject,
  refuse,
  type Result,
  signCalls,
  type Signer,
  type SigningKey,
} from '@linkspan/protocol';
import type { Ledger } from '@linkspan/ledger';

type Queued = {
  readonly call: Call;
  readonly resolve: (result: Result<JsonObject>) => void;
  readonly reject: (error: unknown) => void;
};

/** Calls in one ledger transaction at most. */
const MAXIMUM_BATCH = 100;

/**
 * Writes one organisation's calls: at once when nothing is under way, otherwise everything that queued while the last transaction ran goes
 * into the next one, under one signature.
 */
export class CallWriter {
  readonly #ledger: Ledger;
  readonly #network: Hash;
  readonly #organisation: string;
  readonly #signer: Signer<SigningKey>;
  readonly #queue: Queued[] = [];
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, network: Hash, organisation: string, signer: Signer<SigningKey>) {
    this.#ledger = ledger;
    this.#network = network;
    this.#organisation = organisation;
    this.#signer = signer;
  }

  /** The result of the call once its transaction is final. An equal body under the same nonce is the same call. `request` is what it answers. */
  write(actor: string, nonce: string, body: CallBody, request?: Call['request']): Promise<Result<JsonObject>> {
    const call: Call = {
      schema: 'call/1',
      network: this.#network,
      organisation: this.#organisation,
      actor,
      nonce,
      body,
      ...(request ? { request } : {}),
    };
    return new Promise((resolve, reject) => {
      this.#queue.push({ call, resolve, reject });
      if (!this.#isRunning) this.#running = this.#run();
    });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#queue.length > 0) {
      // Calls that belong to the same moment queue up together.
      await Promise.resolve();
      await this.#submit(this.#queue.splice(0, MAXIMUM_BATCH));
    }
    // In the same moment as the last look at the queue, or a call that comes in between would wait for ever.
    this.#isRunning = false;
  }

  async #submit(batch: readonly Queued[]): Promise<void> {
    try {
      const calls = signCalls(
        this.#signer,
        batch.map(({ call }) => call),
      );
      const results = await this.#ledger.submit(calls);
      batch.forEach(({ resolve }, i) =>
        resolve(results[i] ?? refuse('internal', 'The ledger gave no result for the call.')),
      );
    } catch (error) {
      const fault =
        error instanceof Fault
          ? error
          : new Fault('ledger-unavailable', 'The ledger gave no answer.', { cause: error, mayHaveHappened: true });
      for (const { reject } of batch) reject(fault);
    }
  }
}
