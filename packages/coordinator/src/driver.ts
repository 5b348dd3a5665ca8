import {
  type CertificateShare,
  hashOf,
  type Hash,
  type JsonObject,
  type Result,
  type SignedStatement,
} from '@linkspan/protocol';
import type { CallWriter } from './call-writer.ts';
import type { Clock, Log } from './clock.ts';
import type { Peers } from './coordinator.ts';
import { Pace } from './pace.ts';
import { TAKE_OVER_AFTER_MS, whoseTurn } from './ranking.ts';
import type { ShareBook } from './share-book.ts';
import { isOpen, type Tracked } from './tracked.ts';

/** How long a statement that ends no stage waits for the others of its stage, to be written together. */
const GATHER_MS = 250;
/** How often it is looked at whether a driver is silent. */
const LOOK_EVERY_MS = 500;

/** How long a statement rests that the ledger refuses for the key that signed it, before it is made again. */
const AGAIN_AFTER_MS = 2000;

/** The validator that signed has another key by now, or none that counts. */
const KEY_GONE: ReadonlySet<string> = new Set(['statement-key-suspended', 'statement-key-unknown']);

/** Statements about a settlement that this node does not show as open are of no use after this long. */
const FORGET_AFTER_MS = 60_000;

/** Statements per settlement at most: far more than a scenario has operations. */
const MAXIMUM_STATEMENTS = 128;

type Waiting = { readonly signed: SignedStatement; readonly since: number; sentTo: string | undefined };

export type DriverParts = {
  readonly organisation: string;
  readonly writer: CallWriter;
  readonly peers: Peers;
  readonly shares: ShareBook;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracked: (proposal: Hash) => Tracked | undefined;
  /** Has the open operations of a settlement attested again. */
  readonly again: (proposal: Hash) => Promise<void>;
};

/**
 * Gets verified statements onto the ledger. One organisation writes for a settlement, the others send it what they have; when it is silent the
 * next one takes over. A second writer is harmless: the contract takes each outcome once.
 */
export class Driver {
  readonly #parts: DriverParts;
  readonly #waiting = new Map<Hash, Map<Hash, Waiting>>();
  readonly #gathering = new Map<Hash, AbortController>();
  readonly #writing = new Set<Promise<void>>();
  /** Settlements whose statements wait for their turn at the ledger; what comes meanwhile goes along. */
  readonly #queued = new Set<Hash>();
  readonly #unanswered = new Set<Hash>();
  readonly #pace = new Pace();
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    this.#loop = this.#watch();
  }

  /** A statement of an own system, or one that another organisation wants written. */
  add(proposal: Hash, signed: SignedStatement, from: 'own' | 'other'): void {
    const waiting = this.#waiting.get(proposal) ?? new Map<Hash, Waiting>();
    if (waiting.has(signed.statement.operation) || waiting.size >= MAXIMUM_STATEMENTS) return;
    waiting.set(signed.statement.operation, { signed, since: this.#parts.clock.now(), sentTo: undefined });
    this.#waiting.set(proposal, waiting);
    const order = this.#parts.tracked(proposal)?.order ?? [];
    // Whoever sent it here thinks that it is our turn; writing twice does no harm, not writing at all would.
    if (from === 'other' || order[0] === this.#parts.organisation) this.#gather(proposal);
    else this.#hand(proposal, order[0]);
  }

  /** The ledger shows a newer state: what it has needs no writing any more. */
  follow(proposal: Hash, tracked: Tracked | undefined): void {
    const waiting = this.#waiting.get(proposal);
    if (!waiting) return;
    for (const [operation, { since }] of waiting) {
      if (tracked && isOpen(tracked.view.state, operation)) continue;
      waiting.delete(operation);
      this.#pace.took(this.#parts.clock.now() - since);
    }
    if (waiting.size === 0) this.#waiting.delete(proposal);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    for (const gathering of this.#gathering.values()) gathering.abort();
    await this.#loop;
    await Promise.all(this.#writing);
  }

  #gather(proposal: Hash): void {
    if (this.#complete(proposal)) {
      this.#gathering.get(proposal)?.abort();
      this.#gathering.delete(proposal);
      this.#begin(this.#write(proposal));
      return;
    }
    if (this.#gathering.has(proposal)) return;
    const gathering = new AbortController();
    this.#gathering.set(proposal, gathering);
    this.#begin(this.#writeLater(proposal, gathering));
  }

  /** Whether writing now moves the settlement on: something failed, or everything that is asked for has its statement. */
  #complete(proposal: Hash): boolean {
    const tracked = this.#parts.tracked(proposal);
    const waiting = this.#waiting.get(proposal);
    if (!tracked || !waiting) return true;
    if ([...waiting.values()].some(({ signed }) => signed.statement.status === 'dead')) return true;
    const asked = tracked.view.state.operations.filter((operation) => operation.status === 'requested');
    return asked.every((operation) => waiting.has(operation.id));
  }

  async #writeLater(proposal: Hash, gathering: AbortController): Promise<void> {
    const { clock, writer } = this.#parts;
    // Where the ledger is slow, more comes together in the same time.
    await clock.sleep(Math.max(GATHER_MS, Math.min(writer.paceMs, TAKE_OVER_AFTER_MS)), gathering.signal);
    if (this.#gathering.get(proposal) !== gathering) return;
    this.#gathering.delete(proposal);
    await this.#write(proposal);
  }

  /** Everything that is there for a settlement goes into one transaction: statements, and signatures that its decisions have by now. */
  async #write(proposal: Hash): Promise<void> {
    const { writer, log } = this.#parts;
    if (this.#queued.has(proposal)) return;
    this.#queued.add(proposal);
    await writer.free();
    this.#queued.delete(proposal);
    const statements = [...(this.#waiting.get(proposal)?.values() ?? [])].map(({ signed }) => signed).slice(0, 32);
    if (statements.length === 0) return;
    this.#unanswered.add(proposal);
    const writes: Promise<Result<JsonObject>>[] = [];
    // Shares go first: with the last statement the settlement ends, and what is recorded later would be of no use to a reader of the history.
    for (const shares of this.#unrecorded(proposal))
      writes.push(writer.write('coordinator', `certify ${hashOf(shares)}`, { type: 'certify', proposal, shares }));
    writes.push(writer.write('coordinator', `record ${hashOf(statements)}`, { type: 'record', proposal, statements }));
    try {
      const results = await Promise.all(writes);
      for (const { code, message } of results.flatMap(refusalsIn)) {
        if (code !== 'already-recorded') log('warn', `the ledger refused: ${message}`, { proposal, code });
        if (KEY_GONE.has(code)) this.#begin(this.#makeAgain(proposal));
      }
      const recorded = results.at(-1);
      if (recorded && refusalsIn(recorded).every(({ code }) => code === 'already-recorded'))
        this.#drop(proposal, statements);
    } catch (error) {
      // Unknown, not failed: the statements stay here until the ledger shows them.
      log('warn', 'a ledger transaction got no answer', { proposal, error: String(error) });
    } finally {
      this.#unanswered.delete(proposal);
    }
  }

  /** What is on the ledger needs no writing any more, also while this node does not show it yet. */
  #drop(proposal: Hash, statements: readonly SignedStatement[]): void {
    const waiting = this.#waiting.get(proposal);
    for (const { statement } of statements) {
      const dropped = waiting?.get(statement.operation);
      if (dropped) this.#pace.took(this.#parts.clock.now() - dropped.since);
      waiting?.delete(statement.operation);
    }
    if (waiting?.size === 0) this.#waiting.delete(proposal);
  }

  /** A key was suspended after it had signed: with its signature the statement is of no use, so the others are asked once more. */
  async #makeAgain(proposal: Hash): Promise<void> {
    if (!this.#waiting.delete(proposal)) return;
    await this.#parts.clock.sleep(AGAIN_AFTER_MS, this.#stopped.signal);
    if (this.#stopped.signal.aborted) return;
    try {
      await this.#parts.again(proposal);
    } catch (error) {
      // The next event of the settlement does the same.
      this.#parts.log('warn', 'a settlement could not be read again', { proposal, error: String(error) });
    }
  }

  /** By epoch: of one that has ended meanwhile the ledger takes none, and those of the other must not be refused with them. */
  #unrecorded(proposal: Hash): (readonly CertificateShare[])[] {
    const view = this.#parts.tracked(proposal)?.view;
    if (!view) return [];
    const recorded = new Set(view.shares.map((share) => share.signature));
    // One share that no entry calls for would have the ledger refuse all of them.
    const shares = this.#parts.shares
      .fitting(proposal, view.certificates)
      .filter((share) => !recorded.has(share.signature));
    const epochs = [...new Set(shares.map(({ certificate }) => certificate.epoch))];
    return epochs.map((epoch) => shares.filter(({ certificate }) => certificate.epoch === epoch).slice(0, 64));
  }

  #hand(proposal: Hash, to: string | undefined): void {
    const waiting = this.#waiting.get(proposal);
    if (!waiting || to === undefined) return;
    const fresh = [...waiting.values()].filter((each) => each.sentTo !== to);
    for (const each of fresh) each.sentTo = to;
    if (fresh.length > 0)
      this.#begin(
        this.#send(
          proposal,
          to,
          fresh.map(({ signed }) => signed),
        ),
      );
  }

  async #send(proposal: Hash, to: string, statements: readonly SignedStatement[]): Promise<void> {
    try {
      await this.#parts.peers.sendStatements(to, proposal, statements.slice(0, 32));
    } catch (error) {
      this.#parts.log('info', `${to} took no statements; the next organisation will`, {
        proposal,
        error: String(error),
      });
    }
  }

  /** Looks after statements that the ledger still does not show: whose turn it is follows from how long they have waited. */
  async #watch(): Promise<void> {
    const { clock, organisation, tracked, writer } = this.#parts;
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, this.#stopped.signal);
      for (const [proposal, waiting] of this.#waiting) {
        const oldest = Math.min(...[...waiting.values()].map(({ since }) => since));
        const waited = clock.now() - oldest;
        const turn = whoseTurn(tracked(proposal)?.order ?? [], waited, Math.max(this.#pace.leastMs, writer.paceMs));
        if (turn === undefined && waited > FORGET_AFTER_MS) this.#waiting.delete(proposal);
        if (waited < GATHER_MS * 2 || turn === undefined) continue;
        if (turn !== organisation) this.#hand(proposal, turn);
        else if (![this.#unanswered, this.#queued, this.#gathering].some((underWay) => underWay.has(proposal))) {
          // Whoever has its turn after this one gets everything again: it may have lost what it was sent.
          for (const each of waiting.values()) each.sentTo = undefined;
          this.#begin(this.#write(proposal));
        }
      }
    }
  }

  #begin(work: Promise<void>): void {
    const done = work.finally(() => this.#writing.delete(done));
    this.#writing.add(done);
  }
}

/** Why a call, or a part of it, was not taken: `record` answers for each statement that did not apply. */
function refusalsIn(result: Result<JsonObject>): { readonly code: string; readonly message: string }[] {
  if (!result.ok) return [result.refusal];
  const { refused } = result.value;
  return Array.isArray(refused) ? refused.flatMap((each) => (isRefusal(each) ? [each] : [])) : [];
}

function isRefusal(value: unknown): value is { readonly code: string; readonly message: string } {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
