import { Fault, type JsonObject, type Result, type SignedCall } from '@linkspan/protocol';
import type { Written } from './write-transaction.ts';

type Results = readonly Result<JsonObject>[];

type Submission = {
  readonly calls: readonly SignedCall[];
  readonly resolve: (results: Results) => void;
  readonly reject: (fault: Fault) => void;
};

/** Writes calls as one transaction, and tells when it is endorsed and only waits for its order. */
type WriteTransaction = (calls: readonly SignedCall[], endorsed: () => void) => Promise<Written>;

/** Two transactions at most, the second one only where enough calls wait to be worth it: it is endorsed while the first one is ordered. */
export const MOST_UNDER_WAY = 2;
const EARLY_CALLS = 10;
/** A transaction takes further submissions up to so many calls: small ones share it, and large ones need not stay in step. And calls that wait for theirs. */
const BATCH_CALLS = 50;
const QUEUED_CALLS = 65_536;
/** How often calls that meet somebody else's changes are tried again, each time on their own. */
const ATTEMPTS = 20;

/**
 * Puts calls into transactions: at once when nothing is under way, otherwise everything that came meanwhile into the next one, since a transaction costs
 * far more than a call, and two of one organisation at once would only meet each other. When others have changed what a
 * transaction read twice in a row, its settlements go on in halves, so that one that is contested is soon alone and holds up no other.
 */
export class CallBatcher {
  readonly #write: WriteTransaction;
  readonly #busy = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #queue: Submission[] = [];
  #queuedCalls = 0;
  #running: Promise<void> | undefined;

  constructor(write: WriteTransaction) {
    this.#write = write;
  }

  submit(calls: readonly SignedCall[]): Promise<Results> {
    if (this.#queuedCalls + calls.length > QUEUED_CALLS)
      return Promise.reject(new Fault('ledger-unavailable', `More than ${QUEUED_CALLS} calls are waiting.`));
    return new Promise((resolve, reject) => {
      this.#queue.push({ calls: [...calls], resolve, reject });
      this.#queuedCalls += calls.length;
      this.#running ??= this.#run();
    });
  }

  /** Once everything that was submitted has its answer. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0 || this.#underWay.size > 0) {
      // After everything that is ready to run in this turn, so that those who submit together share a transaction: also those who waited for the last one.
      await new Promise(setImmediate);
      const batch = this.#nextBatch();
      if (batch.length > 0) await this.#begin(batch);
      const mayBegin = this.#queuedCalls >= EARLY_CALLS && this.#underWay.size < MOST_UNDER_WAY && batch.length > 0;
      if (this.#underWay.size > 0 && !mayBegin) await Promise.race(this.#underWay);
    }
    this.#running = undefined;
  }

  /** Begins a transaction; resolves once it only waits for its order, and the next one may be endorsed. */
  async #begin(batch: readonly Submission[]): Promise<void> {
    const subjects = subjectsOf(batch);
    for (const subject of subjects) this.#busy.add(subject);
    const endorsed = Promise.withResolvers<void>();
    const done = this.#writeBatch(batch, endorsed.resolve).finally(() => {
      for (const subject of subjects) this.#busy.delete(subject);
      this.#underWay.delete(done);
      endorsed.resolve();
    });
    this.#underWay.add(done);
    await endorsed.promise;
  }

  /** The first that wait, as many as a transaction takes, but for what concerns a settlement that a transaction under way changes, and what came after it. */
  #nextBatch(): readonly Submission[] {
    const kept = new Set(this.#busy);
    const batch: Submission[] = [];
    const rest: Submission[] = [];
    let size = 0;
    for (const submission of this.#queue) {
      const subjects = subjectsOf([submission]);
      size += submission.calls.length;
      const fits = size <= BATCH_CALLS || batch.length === 0;
      if (fits && !subjects.some((subject) => kept.has(subject))) batch.push(submission);
      else {
        rest.push(submission);
        size -= submission.calls.length;
        for (const subject of subjects) kept.add(subject);
      }
    }
    this.#queue = rest;
    this.#queuedCalls = rest.reduce((sum, { calls }) => sum + calls.length, 0);
    return batch;
  }

  async #writeBatch(batch: readonly Submission[], endorsed: () => void = () => undefined): Promise<void> {
    try {
      const outcomes = await this.#writeCalls(
        batch.flatMap(({ calls }) => calls),
        endorsed,
      );
      let from = 0;
      for (const submission of batch) {
        answer(submission, outcomes.slice(from, from + submission.calls.length));
        from += submission.calls.length;
      }
    } catch (error) {
      const fault = asFault(error);
      if (fault.code !== 'internal' || batch.length === 1) {
        for (const { reject } of batch) reject(fault);
        return;
      }
      // One of them broke something: it alone shall have the fault.
      for (const each of batch) await this.#writeBatch([each]);
    }
  }

  async #writeCalls(calls: readonly SignedCall[], endorsed: () => void): Promise<readonly Outcome[]> {
    // Once more as they are: the other one is usually done by then.
    const whole = await this.#try(calls, endorsed);
    if (whole) return whole;
    const outcomes: Outcome[] = [];
    await this.#writeGroups(groupsOf(calls), outcomes);
    return outcomes;
  }

  /** Halves what conflicts, so that one contested settlement among many is alone after a few transactions. */
  async #writeGroups(groups: readonly (readonly Placed[])[], outcomes: Outcome[]): Promise<void> {
    const placed = groups.flat().toSorted((a, b) => a.index - b.index);
    const calls = placed.map(({ call }) => call);
    const own = groups.length > 1 ? await this.#tryOrFail(calls) : await this.#writeGroup(calls);
    if (own) {
      placed.forEach(({ index }, i) => {
        const outcome = own instanceof Fault ? own : own[i];
        if (outcome) outcomes[index] = outcome;
      });
      return;
    }
    const middle = Math.ceil(groups.length / 2);
    await this.#writeGroups(groups.slice(0, middle), outcomes);
    await this.#writeGroups(groups.slice(middle), outcomes);
  }

  /** Nothing also where one of several broke something, which is found in the same way. */
  async #tryOrFail(calls: readonly SignedCall[]): Promise<Results | Fault | undefined> {
    try {
      return await this.#try(calls);
    } catch (error) {
      const fault = asFault(error);
      return fault.code === 'internal' ? undefined : fault;
    }
  }

  /** Some groups are written when another cannot be, so its fault is an outcome beside their results. */
  async #writeGroup(calls: readonly SignedCall[]): Promise<Results | Fault> {
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const results = await this.#try(calls);
        if (results) return results;
      }
      return new Fault(
        'ledger-unavailable',
        `Others changed the same records ${ATTEMPTS} times before these calls could.`,
      );
    } catch (error) {
      return asFault(error);
    }
  }

  /** The results, or nothing where others had changed what was read. */
  async #try(calls: readonly SignedCall[], endorsed: () => void = () => undefined): Promise<Results | undefined> {
    const written = await this.#write(calls, endorsed);
    if (written.kind === 'broken') throw new Fault('internal', written.message);
    return written.kind === 'results' ? written.results : undefined;
  }
}

/** What became of one call of a batch that was split. */
type Outcome = Result<JsonObject> | Fault;

/** A submission of which anything has no result has none: part of it may have happened then, and all of it may be submitted again. */
function answer({ resolve, reject }: Submission, outcomes: readonly Outcome[]): void {
  const results = outcomes.flatMap((outcome) => (outcome instanceof Fault ? [] : [outcome]));
  const fault = outcomes.find((outcome) => outcome instanceof Fault);
  if (!fault) resolve(results);
  else if (results.length === 0) reject(fault);
  else reject(new Fault(fault.code, fault.message, { cause: fault, mayHaveHappened: true }));
}

type Placed = { readonly call: SignedCall; readonly index: number };

/** Calls by the settlement or trade that they concern, in order; those about the network itself are a group. */
function groupsOf(calls: readonly SignedCall[]): readonly (readonly Placed[])[] {
  const groups = new Map<string, Placed[]>();
  for (const [index, call] of calls.entries()) {
    const subject = subjectOf(call);
    const group = groups.get(subject) ?? [];
    group.push({ call, index });
    groups.set(subject, group);
  }
  return [...groups.values()];
}

function subjectsOf(submissions: readonly Submission[]): string[] {
  return [...new Set(submissions.flatMap(({ calls }) => calls.map(subjectOf)))];
}

function subjectOf({ call: { body } }: SignedCall): string {
  if ('proposal' in body) return body.proposal;
  return 'tradeId' in body ? `trade ${body.tradeId}` : 'network';
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('ledger-unavailable', 'The ledger gave no answer.', { cause: error, mayHaveHappened: true });
}
