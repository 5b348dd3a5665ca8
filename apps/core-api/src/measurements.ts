import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger, LedgerEvent } from '@linkspan/ledger';
import { type Change, ENDS, Fault, type Hash, type Phase, type SettlementEvent } from '@linkspan/protocol';
import { operationName, type OperationState, type Settlement } from '@linkspan/scenario';
import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What a process measures of its ledger and its own answers, in the text format of Prometheus. Closes when disposed. */
export type Measurements = AsyncDisposable & {
  readonly text: () => Promise<string>;
  /** One answer over HTTP. `route` is a path of the endpoint table, never one that a client made up. */
  readonly answered: (answer: Answered) => void;
};

export type Answered = {
  readonly organisation: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

/**
 * Begins with what is open and then follows the ledger's events, so that a scrape reads only what is at hand. Of settlements that have ended
 * nothing is kept but their number since the start.
 */
export async function openMeasurements(
  ledger: Ledger,
  log: Logger,
  now: () => number,
  /** Figures of others that are shown with these. */
  more: readonly Gauge[] = [],
): Promise<Measurements> {
  const from = await ledger.height();
  const open = await readOpen(ledger);
  const figures = createFigures(ledger, now, open);
  for (const each of open.values()) figures.count(each, 1);
  for (const each of more) figures.registry.registerMetric(each);
  const stopped = new AbortController();
  const following = follow(ledger, from, stopped.signal, log, async (event) => {
    for (const proposal of new Set(event.events.map((each) => each.proposal))) {
      const changed = event.events.filter((each) => each.proposal === proposal);
      await update(ledger, figures, open, event, changed);
    }
    figures.followed(event);
  });
  return {
    text: () => figures.registry.metrics(),
    answered: figures.answered,
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await following;
    },
  };
}

/** What is counted of an open settlement. */
type Open = {
  readonly phase: Phase;
  readonly attention: number;
  readonly openedAt: number;
  /** System and asset of each hold that is neither executed nor released. */
  readonly holds: readonly { readonly system: string; readonly currency: string }[];
};

const PAGE = 500;
const RESUME_AFTER_MS = 500;

/** Everything open, in the order of opening: what opens later is added at the end, so the first is always the oldest. */
async function readOpen(ledger: Ledger): Promise<Map<Hash, Open>> {
  const found: (readonly [Hash, Open])[] = [];
  for (let after: Hash | undefined; ;) {
    const page = await ledger.evaluate('open', { after, limit: PAGE });
    if (!page.ok) throw new Fault('ledger-unavailable', page.refusal.message);
    for (const proposal of page.value) {
      const first = await ledger.evaluate('history', { id: proposal, limit: 1 });
      const openedAt = first.ok ? first.value[0]?.time : undefined;
      const state = await readState(ledger, proposal);
      if (!ENDS.includes(state.phase)) found.push([proposal, openOf(state, openedAt ?? state.time)]);
    }
    after = page.value.at(-1);
    if (page.value.length < PAGE) break;
  }
  return new Map(found.toSorted(([, a], [, b]) => a.openedAt - b.openedAt));
}

async function readState(ledger: Ledger, id: Hash): Promise<Settlement> {
  const view = await ledger.evaluate('settlement', { id });
  if (!view.ok) throw new Fault('ledger-unavailable', view.refusal.message);
  return view.value.state;
}

function openOf(state: Settlement, openedAt: number): Open {
  const { phase, attention, operations } = state;
  const closed = new Set(operations.flatMap((each) => (each.status === 'effective' ? holdsClosedBy(each) : [])));
  const holds = operations
    .filter(({ id, verb, status }) => verb === 'hold' && status !== 'requested' && status !== 'dead' && !closed.has(id))
    .map(({ system, terms }) => ({ system, currency: terms['currency'] ?? terms['isin'] ?? '' }));
  return { phase, attention: attention.length, openedAt, holds };
}

/** The holds that an operation executes or releases. A DvP that a system settles by itself names both of its holds. */
function holdsClosedBy({ verb, terms }: OperationState): string[] {
  const named = verb === 'settle-dvp' ? [terms['security'], terms['cash']] : [terms['hold']];
  return verb === 'hold' ? [] : named.filter((id) => id !== undefined);
}

async function update(
  ledger: Ledger,
  figures: Figures,
  open: Map<Hash, Open>,
  { time }: LedgerEvent,
  events: readonly SettlementEvent[],
): Promise<void> {
  const [first] = events;
  if (!first) return;
  const { proposal } = first;
  const state = await readState(ledger, proposal);
  const before = open.get(proposal);
  if (before) figures.count(before, -1);
  for (const { changes } of events) figures.outcomes(state, changes, time);
  if (ENDS.includes(state.phase)) {
    open.delete(proposal);
    if (before || first.sequence === 1) figures.ended(state.phase);
    return;
  }
  const after = openOf(state, before?.openedAt ?? time);
  open.set(proposal, after);
  figures.count(after, 1);
}

/** Follows until the signal fires, through any number of times that the ledger gives no answer. */
async function follow(
  ledger: Ledger,
  from: number,
  signal: AbortSignal,
  log: Logger,
  note: (event: LedgerEvent) => Promise<void>,
): Promise<void> {
  let block = from;
  while (!signal.aborted) {
    try {
      for await (const event of ledger.events(block, signal)) {
        await note(event);
        block = event.block;
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error }, 'the measurements lost the ledger for a moment');
      await delay(RESUME_AFTER_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

type Figures = {
  readonly registry: Registry;
  count(open: Open, by: 1 | -1): void;
  ended(phase: Phase): void;
  outcomes(state: Settlement, changes: readonly Change[], time: number): void;
  followed(event: LedgerEvent): void;
  readonly answered: Measurements['answered'];
};

const OPERATION_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600];

function createFigures(ledger: Ledger, now: () => number, open: ReadonlyMap<Hash, Open>): Figures {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, labelNames: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames, registers });
  const phases = gauge('linkspan_settlements', 'Settlements and proposals that have not ended, by phase', ['phase']);
  const holds = gauge('linkspan_holds_open', 'Holds neither executed nor released, of open settlements', [
    'system',
    'currency',
  ]);
  const attention = gauge('linkspan_attention', 'Things that people are asked to look at');
  const followed = gauge('linkspan_ledger_followed_block', 'The last block that these measurements have followed');
  const lag = gauge('linkspan_ledger_lag_seconds', 'How long after its time on the ledger the last block was followed');
  const ends = new Counter({
    name: 'linkspan_settlements_ended_total',
    help: 'Settlements and proposals that ended since the start',
    labelNames: ['phase'],
    registers,
  });
  const operations = new Histogram({
    name: 'linkspan_operation_seconds',
    help: 'From the request of an operation to its outcome, in the time of the ledger',
    labelNames: ['system', 'verb', 'outcome'],
    buckets: OPERATION_BUCKETS,
    registers,
  });
  const answers = new Histogram({
    name: 'linkspan_http_request_seconds',
    help: 'Answers over HTTP',
    labelNames: ['organisation', 'method', 'route', 'status'],
    registers,
  });
  registry.registerMetric(oldest(now, open));
  registry.registerMetric(height(ledger));
  return {
    registry,
    count(each, by) {
      phases.inc({ phase: each.phase }, by);
      attention.inc(by * each.attention);
      for (const hold of each.holds) holds.inc(hold, by);
    },
    ended: (phase) => ends.inc({ phase }),
    outcomes(state, changes, time) {
      for (const change of changes) {
        if (change.what !== 'effective' && change.what !== 'irregular' && change.what !== 'dead') continue;
        const operation = state.operations.findLast(
          (each) => operationName(each) === change.operation && each.status !== 'requested',
        );
        if (!operation) continue;
        const labels = { system: change.system, verb: change.verb, outcome: change.what };
        operations.observe(labels, Math.max(0, time - operation.requestedAt) / 1000);
      }
    },
    followed({ block, time }) {
      followed.set(block);
      lag.set(Math.max(0, now() - time) / 1000);
    },
    answered: ({ seconds, status, ...labels }) => answers.observe({ ...labels, status: String(status) }, seconds),
  };
}

/** Figures that are looked up when they are asked for. */
function oldest(now: () => number, open: ReadonlyMap<Hash, Open>): Gauge {
  return new Gauge({
    name: 'linkspan_oldest_open_seconds',
    help: 'Age of the oldest settlement that has not ended; 0 where there is none',
    registers: [],
    collect() {
      const [first] = open.values();
      this.set(first ? Math.max(0, now() - first.openedAt) / 1000 : 0);
    },
  });
}

function height(ledger: Ledger): Gauge {
  return new Gauge({
    name: 'linkspan_ledger_height',
    help: 'The last block of the ledger node',
    registers: [],
    async collect() {
      this.set(await ledger.height());
    },
  });
}
