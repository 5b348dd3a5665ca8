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
/** So many calls must wait for a transaction beside another one to be worth its price. */
const EARLY_CALLS = 16;

/**
 * Writes one organisation's calls: at once when nothing is under way, otherwise everything that queued while the last transaction ran goes
 * into the next one, under one signature. Where the ledger has a use for several at once, what waits goes in as many parts. What begins together would otherwise
 * go through all its stages together, and whoever has the next stage to do would be idle meanwhile.
 */
export class CallWriter {
  readonly #ledger: Ledger;
  readonly #network: Hash;
  readonly #organisation: string;
  readonly #signer: Signer<SigningKey>;
  readonly #nextSigner: Signer<SigningKey> | undefined;
  readonly #now: () => number;
  /** Once the ledger has taken the next key, the one before it has no use any more. */
  #isNextUsed = false;
  readonly #queue: Queued[] = [];
  readonly #waiting: (() => void)[] = [];
  /** When each transaction that is under way began. */
  readonly #underWay = new Map<Promise<void>, number>();
  #isStarting = false;
  #lastTookMs = 0;

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
    this.#nextSigner = next;
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
      this.#next();
    });
  }

  /**
   * Resolves when a call that is written now waits for no other transaction of this organisation. Whoever can say more by then should wait: calls that
   * come before it only queue up.
   */
  free(): Promise<void> {
    if (this.#underWay.size === 0 && !this.#isStarting) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#next();
    });
  }

  /** How long the ledger takes for a transaction at present, in milliseconds; 0 before the first. */
  get paceMs(): number {
    const [oldest] = this.#underWay.values();
    return Math.max(this.#lastTookMs, oldest === undefined ? 0 : this.#now() - oldest);
  }

  async idle(): Promise<void> {
    while (this.#isStarting || this.#underWay.size > 0)
      await (this.#underWay.size > 0 ? Promise.race(this.#underWay.keys()) : undefined);
  }

  /** Whether another transaction may begin: always where there is none, beside others only for many calls. */
  get #hasPlace(): boolean {
    const { size } = this.#underWay;
    return size === 0 || (size < this.#mostUnderWay && this.#queue.length + this.#waiting.length >= EARLY_CALLS);
  }

  get #mostUnderWay(): number {
    return this.#ledger.transactionsAtOnce ?? 1;
  }

  #next(): void {
    if (this.#isStarting || !this.#hasPlace) return;
    // They write in this moment, before the transaction is put together.
    for (const go of this.#waiting.splice(0)) go();
    if (this.#queue.length === 0) return;
    this.#isStarting = true;
    // Calls that belong to the same moment queue up together.
    queueMicrotask(() => {
      const part = this.#queue.splice(0, this.#partSize());
      const done = this.#submit(part).finally(() => {
        this.#underWay.delete(done);
        this.#next();
      });
      this.#underWay.set(done, this.#now());
      this.#isStarting = false;
      this.#next();
    });
  }

  /** All that waits, or its share where further transactions may begin now; calls about one settlement stay together. */
  #partSize(): number {
    const places = this.#mostUnderWay - this.#underWay.size;
    const parts = Math.max(1, Math.min(places, Math.floor(this.#queue.length / EARLY_CALLS)));
    const size = Math.min(Math.ceil(this.#queue.length / parts), MAXIMUM_BATCH);
    const isTornApart = size < MAXIMUM_BATCH && areOfOne(this.#queue[size - 1], this.#queue[size]);
    return isTornApart ? size + 1 : size;
  }

  async #submit(batch: readonly Queued[]): Promise<void> {
    const from = this.#now();
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
    }
  }

  /** What is refused for its key alone is signed with the other key: the change may have come between two calls. */
  async #submitSigned(calls: readonly Call[]): Promise<readonly Result<JsonObject>[]> {
    const usesNext = this.#isNextUsed;
    const signer = usesNext ? this.#nextSigner : this.#signer;
    const results = await this.#ledger.submit(signCalls(signer ?? this.#signer, calls));
    const refused = calls.filter((_, i) => isForKey(results[i]));
    if (refused.length === 0 || !this.#nextSigner || usesNext) return results;
    const again = await this.#ledger.submit(signCalls(this.#nextSigner, refused));
    this.#isNextUsed ||= again.some((result) => !isForKey(result));
    return calls.map((call, i) => {
      const at = refused.indexOf(call);
      return (at === -1 ? results[i] : again[at]) ?? refuse('internal', 'The ledger gave no result for the call.');
    });
  }
}

function isForKey(result: Result<JsonObject> | undefined): boolean {
  return result?.ok === false && (result.refusal.code === 'key-unknown' || result.refusal.code === 'key-revoked');
}

function areOfOne(one: Queued | undefined, other: Queued | undefined): boolean {
  if (!one || !other) return false;
  const [a, b] = [one.call.body, other.call.body];
  return 'proposal' in a && 'proposal' in b && a.proposal === b.proposal;
}
