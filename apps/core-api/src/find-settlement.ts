import type { SettlementView } from '@linkspan/contract';
import type { Ledger } from '@linkspan/ledger';
import { accept, hashSchema, invariant, parse, refuse, type Result } from '@linkspan/protocol';

/**
 * A settlement by its own id, its proposal's or its trade id. Rounds of one trade among the same organisations are one thing, of which the latest
 * counts. A trade id belongs to the organisations that lodge it together, so several of them may have the same one: then rejected ones are
 * passed over, and if that leaves more than one the answer is `ambiguous` with all their ids.
 */
export async function findSettlement(ledger: Ledger, id: string): Promise<Result<SettlementView>> {
  if (parse(hashSchema, id, 'not-found').ok) return ledger.evaluate('settlement', { id });
  const proposals = await ledger.evaluate('by-trade-id', { tradeId: id });
  invariant(proposals.ok, 'a trade id is never refused');
  const views: SettlementView[] = [];
  for (const proposal of proposals.value) {
    const view = await ledger.evaluate('settlement', { id: proposal });
    if (view.ok) views.push(view.value);
  }
  return choose(id, latestRounds(views));
}

function choose(tradeId: string, views: readonly SettlementView[]): Result<SettlementView> {
  const newest = views.toSorted((a, b) => b.state.time - a.state.time)[0];
  if (!newest) return refuse('not-found', `There is no settlement ${tradeId.slice(0, 80)}.`);
  const alive = views.filter((view) => view.state.phase !== 'rejected');
  const [first, second] = alive;
  if (!second) return accept(first ?? newest);
  const settlements = alive.map(({ state }) => ({
    id: state.settlement ?? state.proposal,
    phase: state.phase,
    lodgers: state.lodgers,
  }));
  return refuse(
    'ambiguous',
    `${alive.length} groups of organisations have the trade id ${tradeId}; ask by one of their ids.`,
    {
      details: { settlements },
    },
  );
}

function latestRounds(views: readonly SettlementView[]): SettlementView[] {
  const latest = new Map<string, SettlementView>();
  for (const view of views) {
    const lodgers = view.state.lodgers.join(' ');
    if (view.state.round >= (latest.get(lodgers)?.state.round ?? 0)) latest.set(lodgers, view);
  }
  return [...latest.values()];
}
