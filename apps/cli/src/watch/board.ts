import { ENDS, type Phase, type SettlementBody, type SettlementSummaryBody } from '@linkspan/protocol';
import type { StreamedChange } from '../event-source.ts';

/** One settlement or proposal on the board. `body` is what was last read of it; the newer `phase` may be from the stream. */
export type Item = {
  readonly proposal: string;
  readonly tradeId: string;
  readonly phase: Phase;
  /** UTC milliseconds. */
  readonly changedAt: number;
  readonly deadline: number | undefined;
  readonly attention: number;
  readonly body: SettlementBody | undefined;
  /** What happened to it last, in words, the newest last. */
  readonly news: readonly { readonly time: string; readonly words: string }[];
  /** The number of the last entry that was heard of; `body` may be older. */
  readonly heard: number;
  /** Something changed since `body` was read. */
  readonly stale: boolean;
};

/** How long an end stays on the board where only what is open is wanted. */
const END_STAYS_MS = 30_000;
/** So many ends are remembered where all are wanted. */
const MOST_ENDED = 200;
const NEWS_KEPT = 40;

/** Everything that a board shows, kept up to date by what is read and heard. It has no clock and draws nothing. */
export class Board {
  /** The newest block that was heard of. */
  block = 0;
  connection: 'connecting' | 'connected' | 'lost' = 'connecting';
  readonly #items = new Map<string, Item>();
  readonly #wanted: { readonly ended: boolean; readonly only: string | undefined };

  /** `only` is the proposal id of the one settlement that is wanted. */
  constructor(wanted: { readonly ended: boolean; readonly only?: string | undefined }) {
    this.#wanted = { ended: wanted.ended, only: wanted.only };
  }

  /** The items at this time, those that need people first, then what changed last. */
  items(now: number): Item[] {
    const { ended, only } = this.#wanted;
    return [...this.#items.values()]
      .filter(({ phase, changedAt }) => ended || only !== undefined || !isEnd(phase) || now - changedAt < END_STAYS_MS)
      .toSorted((a, b) => rankOf(a) - rankOf(b) || b.changedAt - a.changedAt || (a.proposal < b.proposal ? -1 : 1));
  }

  /** Proposals on the board that changed since they were read, those on top first. */
  stale(now: number): string[] {
    return this.items(now).flatMap(({ proposal, stale }) => (stale ? [proposal] : []));
  }

  /** From a page of settlements; what the stream told meanwhile is newer. */
  addSummary({ proposal, tradeId, phase, changedAt, deadline, attention }: SettlementSummaryBody): void {
    if (this.#items.has(proposal) || !this.#wants(proposal)) return;
    const item = {
      proposal,
      tradeId,
      phase,
      changedAt: Date.parse(changedAt),
      deadline: Date.parse(deadline),
      attention,
    };
    this.#items.set(proposal, { ...item, body: undefined, news: [], heard: 0, stale: true });
  }

  hear({ block, time, proposal, tradeId, sequence, phase, words }: StreamedChange): void {
    this.block = Math.max(this.block, block);
    if (!this.#wants(proposal)) return;
    const known = this.#items.get(proposal);
    const news = [...(known?.news ?? []), ...words.map((each) => ({ time, words: each }))].slice(-NEWS_KEPT);
    this.#items.set(proposal, {
      proposal,
      tradeId,
      phase,
      changedAt: Date.parse(time),
      deadline: known?.deadline,
      attention: known?.attention ?? 0,
      body: known?.body,
      news,
      heard: sequence,
      stale: true,
    });
    this.#forgetOldest();
  }

  /** As the API showed it. What the stream told meanwhile is newer, and it is read again. */
  show(body: SettlementBody): void {
    const known = this.#items.get(body.proposal);
    const stale = known !== undefined && body.entries < known.heard;
    this.#items.set(body.proposal, {
      proposal: body.proposal,
      tradeId: body.tradeId,
      phase: stale ? known.phase : body.phase,
      changedAt: stale ? known.changedAt : Date.parse(body.changedAt),
      deadline: Date.parse(body.deadline),
      attention: body.attention.length,
      body,
      news: known?.news ?? [],
      heard: known?.heard ?? 0,
      stale,
    });
  }

  /** One could not be read; it is asked for again when it changes. */
  passOver(proposal: string): void {
    const known = this.#items.get(proposal);
    if (known) this.#items.set(proposal, { ...known, stale: false });
  }

  #wants(proposal: string): boolean {
    return this.#wanted.only === undefined || this.#wanted.only === proposal;
  }

  #forgetOldest(): void {
    const ended = [...this.#items.values()].filter(({ phase }) => isEnd(phase));
    if (ended.length <= MOST_ENDED) return;
    const oldest = ended.reduce((a, b) => (a.changedAt <= b.changedAt ? a : b));
    this.#items.delete(oldest.proposal);
  }
}

export function isEnd(phase: Phase): boolean {
  return ENDS.includes(phase);
}

function rankOf({ attention, phase }: Item): number {
  if (isEnd(phase)) return 2;
  return attention > 0 ? 0 : 1;
}
