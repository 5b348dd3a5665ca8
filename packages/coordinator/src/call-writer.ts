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
  readonly #next: Signer<SigningKey> | undefined;
  readonly #now: () => number;
  /** Once the ledger has taken the next key, the one before it has no use any more. */
  #isNextUsed = false;
  readonly #queue: Queued[] = [];
  readonly #waiting: (() => void)[] = [];
  #isRunning = false;
  #running: Promise<void> = Promise.resolve();
  #lastTookMs = 0;
  #submittedAt: number | undefined;

  /** `next`: the key that replaces the other one by a change of the network. The ledger's answers say which of them counts. */
  constructor(
    ledger: Ledger,
    network: Hash,
    organisation: string,
    signer: Signer<SigningKey>,
    next?: Signer<SigningKey>,
    now: () => number = () => performance.now(),
  ) {
    this.#ledger = ledger;
    this.#network = network;
    this.#organisation = organisation;
    this.#signer = signer;
    this.#next = next;
    this.#now = now;
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

  /**
   * Resolves when a call that is written now waits for no other transaction of this organisation. Whoever can say more by then should wait: calls that
   * come before it only queue up.
   */
  free(): Promise<void> {
    return this.#isRunning ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** How long the ledger takes for a transaction at present, in milliseconds; 0 before the first. */
  get paceMs(): number {
    const waitingMs = this.#submittedAt === undefined ? 0 : this.#now() - this.#submittedAt;
    return Math.max(this.#lastTookMs, waitingMs);
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
      for (const go of this.#waiting.splice(0)) go();
    }
    // In the same moment as the last look at the queue, or a call that comes in between would wait for ever.
    this.#isRunning = false;
  }

  async #submit(batch: readonly Queued[]): Promise<void> {
    const from = this.#now();
    this.#submittedAt = from;
    try {
      const calls = batch.map(({ call }) => call);
      const results = await this.#submitSigned(calls);
      batch.forEach(({ resolve }, i) =>
        resolve(results[i] ?? refuse('internal', 'The ledger gave no result for the call.')),
      );
    } catch (error) {
      const fault =
        error instanceof Fault
          ? error
          : new Fault('ledger-unavailable', 'The ledger gave no answer.', { cause: error, mayHaveHappened: true });
      for (const { reject } of batch) reject(fault);
    } finally {
      this.#lastTookMs = this.#now() - from;
      this.#submittedAt = undefined;
    }
  }

  /** What is refused for its key alone is signed with the other key: the change may have come between two calls. */
  async #submitSigned(calls: readonly Call[]): Promise<readonly Result<JsonObject>[]> {
    const signer = this.#isNextUsed ? this.#next : this.#signer;
    const results = await this.#ledger.submit(signCalls(signer ?? this.#signer, calls));
    const refused = calls.filter((_, i) => isForKey(results[i]));
    if (refused.length === 0 || !this.#next || this.#isNextUsed) return results;
    const again = await this.#ledger.submit(signCalls(this.#next, refused));
    this.#isNextUsed = again.some((result) => !isForKey(result));
    return calls.map((call, i) => {
      const at = refused.indexOf(call);
      return (at === -1 ? results[i] : again[at]) ?? refuse('internal', 'The ledger gave no result for the call.');
    });
  }
}

function isForKey(result: Result<JsonObject> | undefined): boolean {
  return result?.ok === false && (result.refusal.code === 'key-unknown' || result.refusal.code === 'key-revoked');
}
