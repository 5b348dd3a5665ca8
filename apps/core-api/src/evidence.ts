import { EMBEDDED_HOST, type Evidence, FABRIC_HOST, type SettlementEvidence } from '@linkspan/audit';
import type { SettlementView } from '@linkspan/contract';
import type { Archive, ArchivedCall, Ledger } from '@linkspan/ledger';
import {
  accept,
  type Entry,
  ENDPOINTS,
  type Genesis,
  type Hash,
  invariant,
  parse,
  parseInstant,
  problem,
  refuse,
  type Result,
  type SignedCall,
} from '@linkspan/protocol';
import { findSettlement } from './find-settlement.ts';

/** What evidence is collected from. */
export type EvidenceSources = { readonly ledger: Ledger; readonly archive: Archive; readonly genesis: Genesis };

/** Everything that proves a settlement: what its replay needs, and what must come of it. */
export async function collectEvidence(sources: EvidenceSources, id: string): Promise<Result<Evidence>> {
  const asked = await findSettlement(sources.ledger, id);
  if (!asked.ok) return asked;
  const { network, proposal } = asked.value.state;
  const settlements = new Map<Hash, SettlementEvidence>();
  const waiting: Hash[] = [proposal];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (settlements.has(next)) continue;
    const read = await readSettlement(sources, next, next === proposal ? 'asked' : 'context');
    if (!read.ok) return read;
    settlements.set(next, read.value.evidence);
    waiting.push(...(await dependencies(sources, read.value)));
  }
  const all = [...settlements.values()].toReversed();
  const last = Math.max(...all.map(({ calls }) => calls.at(-1)?.block ?? 0));
  const environment = await sources.archive.environment(last);
  const { genesis } = sources;
  const host = sources.archive.host === 'fabric' ? FABRIC_HOST : EMBEDDED_HOST;
  const calls = [environment, ...all.map((settlement) => settlement.calls)].flat();
  const fabric = await sources.archive.blocks(calls.map(({ block }) => block));
  const proof = fabric ? { fabric } : {};
  return accept({ schema: 'audit/1', network, genesis, host, environment, settlements: all, ...proof });
}

/** A page of the proposals that changed in a period. */
export async function listPeriod(
  archive: Archive,
  query: unknown,
): Promise<Result<{ readonly proposals: readonly Hash[]; readonly next: string | null }>> {
  const asked = parse(ENDPOINTS['evidence-period'].query, query, 'request-invalid');
  if (!asked.ok) return asked;
  const { from, to, after, limit = LARGEST_PAGE } = asked.value;
  const [begin, end] = [parseInstant(from), parseInstant(to)];
  invariant(begin.ok && end.ok, 'the form of the query was checked');
  if (begin.value >= end.value) return invalid('/to', 'The period ends before it begins.');
  return accept(await archive.period(begin.value, end.value, { limit, after }));
}

const LARGEST_PAGE = 500;

function invalid(pointer: string, message: string): ReturnType<typeof refuse> {
  return refuse('request-invalid', message, { problems: [problem(pointer, 'type-wrong', message)] });
}

type Read = { readonly evidence: SettlementEvidence; readonly state: SettlementView['state'] };

/** How often a settlement may change while it is read. */
const ATTEMPTS = 5;

/** One settlement as of one moment: read again when it changed in between. */
async function readSettlement(
  { ledger, archive }: EvidenceSources,
  proposal: Hash,
  role: SettlementEvidence['role'],
): Promise<Result<Read>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await ledger.evaluate('settlement', { id: proposal });
    if (!before.ok) return before;
    const calls = await archive.about(proposal);
    const entries = await readEntries(ledger, proposal);
    const after = await ledger.evaluate('settlement', { id: proposal });
    if (!after.ok) return after;
    const { state, head } = after.value;
    if (before.value.head !== head) continue;
    const { settlement, tradeId, phase } = state;
    return accept({ state, evidence: { role, proposal, settlement, tradeId, calls, entries, head, phase } });
  }
  return refuse('request-in-progress', 'The settlement changes faster than it can be read; ask again.');
}

async function readEntries(ledger: Ledger, proposal: Hash): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const page = await ledger.evaluate('history', { id: proposal, after: entries.length, limit: LARGEST_PAGE });
    invariant(page.ok, 'the settlement was found just now');
    entries.push(...page.value);
    if (page.value.length < LARGEST_PAGE) return entries;
  }
}

/**
 * Other proposals without which a replay comes out differently: earlier rounds of the same trade, which its id counts, and those in which a
 * validator key of its systems was suspended.
 */
async function dependencies({ ledger, archive }: EvidenceSources, { evidence, state }: Read): Promise<Hash[]> {
  const rounds = state.round === 1 ? [] : await earlierRounds(ledger, state);
  const reports = await archive.reports(evidence.calls.at(-1)?.block ?? 0);
  const systems = new Set(state.participants.map(({ system }) => system));
  return [...rounds, ...reports.flatMap((report) => suspending(report, systems))];
}

async function earlierRounds(ledger: Ledger, state: SettlementView['state']): Promise<Hash[]> {
  const proposals = await ledger.evaluate('by-trade-id', { tradeId: state.tradeId });
  invariant(proposals.ok, 'a trade id is never refused');
  const rounds: Hash[] = [];
  for (const id of proposals.value) {
    const view = await ledger.evaluate('settlement', { id });
    invariant(view.ok, 'what a trade id names is there');
    const other = view.value.state;
    if (other.lodgers.join() === state.lodgers.join() && other.round < state.round) rounds.push(id);
  }
  return rounds;
}

/** The proposal of a report that suspended a key of one of these systems: the same key signed both statements. */
function suspending({ call }: ArchivedCall, systems: ReadonlySet<string>): Hash[] {
  const { body }: SignedCall['call'] = call.call;
  if (body.type !== 'report') return [];
  const [first, second] = body.statements;
  const both = first?.signatures.some(({ key }) => second?.signatures.some((other) => other.key === key)) ?? false;
  return both && first && systems.has(first.statement.system) ? [body.proposal] : [];
}
