import type { SettlementView } from '@linkspan/contract';
import type { Hash } from '@linkspan/protocol';
import { operationName } from '@linkspan/scenario';
import type { CallWriter } from './call-writer.ts';
import type { Clock, Log } from './clock.ts';
import { TAKE_OVER_AFTER_MS } from './ranking.ts';
import type { Tracked } from './tracked.ts';

const LOOK_EVERY_MS = 200;
/** A refused or unanswered attempt is made again after this long. */
const AGAIN_AFTER_MS = 1000;

export type DeadlinesParts = {
  readonly organisation: string;
  readonly writer: CallWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly all: () => Iterable<Tracked>;
};

/**
 * Says `expire` when it seems that a deadline has passed. Whether it has is decided by the ledger alone, so saying so early, late or twice
 * changes nothing. Any organisation may; the driver does it first.
 */
export class Deadlines {
  readonly #parts: DeadlinesParts;
  readonly #asked = new Map<Hash, number>();
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;

  constructor(parts: DeadlinesParts) {
    this.#parts = parts;
    this.#loop = this.#watch();
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #watch(): Promise<void> {
    const { clock, all } = this.#parts;
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, this.#stopped.signal);
      const now = clock.now();
      for (const [proposal, again] of this.#asked) if (again <= now) this.#asked.delete(proposal);
      await Promise.all(
        [...all()].filter((tracked) => this.#due(tracked, now)).map((tracked) => this.#expire(tracked, now)),
      );
    }
  }

  #due({ view, order }: Tracked, now: number): boolean {
    if (this.#asked.has(view.state.proposal)) return false;
    const at = dueAt(view);
    const rank = Math.max(0, order.indexOf(this.#parts.organisation));
    return at !== undefined && now >= at + rank * TAKE_OVER_AFTER_MS;
  }

  async #expire({ view }: Tracked, now: number): Promise<void> {
    const { writer, log } = this.#parts;
    const { state } = view;
    this.#asked.set(state.proposal, now + AGAIN_AFTER_MS);
    try {
      const result = await writer.write('coordinator', `expire ${state.sequence} ${dueAt(view) ?? 0}`, {
        type: 'expire',
        proposal: state.proposal,
      });
      if (!result.ok) log('debug', `expire was refused: ${result.refusal.message}`, { proposal: state.proposal });
    } catch (error) {
      log('warn', 'expire got no answer', { proposal: state.proposal, error: String(error) });
    }
  }
}

/** From when on the ledger would take an `expire`, as far as can be seen from here. */
function dueAt(view: SettlementView): number | undefined {
  const { state } = view;
  switch (state.phase) {
    case 'proposed':
    case 'preparing':
      return state.deadline;
    case 'deciding':
      return state.fence === null ? state.deadline : overdueAt(view);
    case 'committed':
    case 'aborting':
      return overdueAt(view);
    default:
      return undefined;
  }
}

function overdueAt({ state, unansweredAfterMs }: SettlementView): number | undefined {
  const told = new Set(
    state.attention.filter(({ reason }) => reason === 'unanswered').map(({ operation }) => operation),
  );
  const waiting = state.operations.filter(
    (operation) => operation.status === 'requested' && !told.has(operationName(operation)),
  );
  return waiting.length === 0
    ? undefined
    : Math.min(...waiting.map(({ requestedAt }) => requestedAt)) + unansweredAfterMs;
}
