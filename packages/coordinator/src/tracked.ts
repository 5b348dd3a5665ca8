import type { SettlementView } from '@linkspan/contract';
import { ENDS, type Hash } from '@linkspan/protocol';
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

export function track(view: SettlementView, organisations: readonly string[], before: Tracked | undefined): Tracked {
  const { state } = view;
  const owners = state.participants.map((participant) => participant.owner);
  const order = ranking(state.settlement ?? state.proposal, owners.length > 0 ? owners : organisations);
  return { view, order, certificateBlock: before?.certificateBlock ?? null };
}

export function hasEnded(state: Settlement): boolean {
  return ENDS.includes(state.phase);
}

/** Whether an operation still waits for its outcome. */
export function isOpen(state: Settlement, operation: Hash): boolean {
  return state.operations.some((each) => each.id === operation && each.status === 'requested');
}
