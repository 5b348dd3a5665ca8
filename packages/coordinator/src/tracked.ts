import type { SettlementView } from '@linkspan/contract';
import { ENDS, type Hash, hashOf } from '@linkspan/protocol';
import type { Settlement } from '@linkspan/scenario';
import { ranking } from './ranking.ts';

/** A settlement that this organisation's node shows and that has not ended: a cache of the ledger, and nothing else. */
export type Tracked = {
  readonly view: SettlementView;
  /** Who writes for it, first to last. */
  readonly order: readonly string[];
  /** The earliest block with a certificate that it calls for; a restart must read from before it. */
  readonly certificateBlock: number | null;
};

/** How long it is the same organisation's turn to write for what begins. */
const TURN_MS = 10_000;

export function track(view: SettlementView, organisations: readonly string[], before: Tracked | undefined): Tracked {
  return { view, order: writersOf(view.state, organisations), certificateBlock: before?.certificateBlock ?? null };
}

/**
 * Who writes for a settlement, first to last: its systems' owners, in an order that nobody chooses. It is the same for all that began within the same ten seconds,
 * so that they share ledger transactions, and another one after that.
 */
export function writersOf(state: Settlement, organisations: readonly string[]): string[] {
  const owners = state.participants.map((participant) => participant.owner);
  const begunAt = state.operations[0]?.requestedAt;
  const turn = begunAt === undefined ? { proposal: state.proposal } : { turn: Math.floor(begunAt / TURN_MS) };
  return ranking(hashOf({ network: state.network, ...turn }), owners.length > 0 ? owners : organisations);
}

export function hasEnded(state: Settlement): boolean {
  return ENDS.includes(state.phase);
}

/** Whether an operation still waits for its outcome. */
export function isOpen(state: Settlement, operation: Hash): boolean {
  return state.operations.some((each) => each.id === operation && each.status === 'requested');
}
