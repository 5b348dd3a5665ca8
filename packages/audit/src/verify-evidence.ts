import { applyCalls, runQuery } from '@linkspan/contract';
import {
  type CallType,
  type Genesis,
  type Hash,
  invariant,
  networkId,
  type SettlementEvent,
  type Verify,
} from '@linkspan/protocol';
import { MACHINE } from '@linkspan/scenario';
import { type CertificateReport, certificateReports, missingOf } from './completeness.ts';
import {
  type ArchivedCall,
  type Evidence,
  type EvidenceHost,
  FABRIC_HOST,
  HOSTS,
  type SettlementEvidence,
} from './evidence.ts';
import { finding, found, type Finding, type Found } from './finding.ts';
import { firstDifference } from './first-difference.ts';
import { parseEvidence, readEvidence } from './read-evidence.ts';
import { ReplayWorld } from './replay-world.ts';

export type VerifyOptions = {
  readonly verify: Verify;
  /** The network that the reader trusts. Without it only the consistency of the file with itself is checked. */
  readonly network?: Hash | undefined;
};

export type SettlementReport = {
  readonly role: SettlementEvidence['role'];
  readonly proposal: Hash;
  readonly settlement: Hash | null;
  readonly tradeId: string;
  readonly phase: SettlementEvidence['phase'];
  readonly calls: number;
  readonly entries: number;
  readonly certificates: readonly CertificateReport[];
  /** What keeps it from being complete, in words; empty where nothing does. */
  readonly missing: readonly string[];
};

export type Report = {
  readonly network: Hash;
  /** Whether the network was the one that the reader named; otherwise only consistency was checked. */
  readonly pinned: boolean;
  /** What the ledger's own word adds, as this program knows it. */
  readonly host: EvidenceHost;
  readonly calls: number;
  readonly entries: number;
  readonly settlements: readonly SettlementReport[];
};

/** `incomplete`: all that is there holds, but a settlement has not ended or a certificate that was acted on lacks its quorum. */
export type Verdict =
  | ({ readonly verdict: 'complete' | 'incomplete' } & Report)
  | { readonly verdict: 'refused'; readonly first: Finding };

/** Verifies the text of an evidence file. Offline and pure; nothing that a file holds makes it throw. */
export function verifyEvidenceText(text: string, options: VerifyOptions): Verdict {
  return verdictOf(readEvidence(text), options);
}

/** Verifies a file that is parsed already. */
export function verifyEvidence(input: unknown, options: VerifyOptions): Verdict {
  return verdictOf(parseEvidence(input), options);
}

function verdictOf(evidence: Found<Evidence>, options: VerifyOptions): Verdict {
  const report = evidence.ok ? replay(evidence.value, options) : evidence;
  if (!report.ok) return { verdict: 'refused', first: report.finding };
  const complete = report.value.settlements.every(({ role, missing }) => role === 'context' || missing.length === 0);
  return { verdict: complete ? 'complete' : 'incomplete', ...report.value };
}

/** Runs every call of the file again, in the ledger's order, and compares what comes of it with what the file says. */
function replay(evidence: Evidence, { verify, network }: VerifyOptions): Found<Report> {
  const named = checkNetwork(evidence, network);
  if (!named.ok) return named;
  const steps = stepsOf(evidence);
  if (!steps.ok) return steps;
  const world = new ReplayWorld(verify);
  const runs = evidence.settlements.map((settlement, i): Run => ({ settlement, at: `/settlements/${i}`, blocks: [] }));
  for (const step of steps.value) {
    const run = step.owner === undefined ? undefined : runs[step.owner];
    const done = takeStep(world, step, run);
    if (!done.ok) return done;
  }
  const begun = runQuery(world, 'network', {});
  if (!begun.ok || begun.value?.id !== evidence.network)
    return finding('/environment', 'genesis-differs', 'The calls begin no network with this id.');
  const quorums = quorumsOf(world, evidence.genesis);
  const settlements: SettlementReport[] = [];
  for (const run of runs) {
    const ended = checkEnd(world, run, quorums);
    if (!ended.ok) return ended;
    settlements.push(ended.value);
  }
  return found({
    network: evidence.network,
    pinned: network !== undefined,
    host: HOSTS.find(({ kind }) => kind === evidence.host.kind) ?? evidence.host,
    calls: steps.value.length,
    entries: settlements.reduce((sum, each) => sum + each.entries, 0),
    settlements,
  });
}

/** How many signatures make a certificate, by epoch. */
function quorumsOf(world: ReplayWorld, genesis: Genesis): ReadonlyMap<number, number> {
  const epochs = runQuery(world, 'epochs', {});
  invariant(epochs.ok, 'epochs are never refused');
  return new Map([[1, genesis.quorum], ...epochs.value.map(({ epoch, quorum }) => [epoch, quorum] as const)]);
}

function checkNetwork({ network, genesis, settlements }: Evidence, pinned: Hash | undefined): Found<null> {
  if (pinned !== undefined && network !== pinned)
    return finding('/network', 'network-other', `The evidence is of the network ${network}, not of ${pinned}.`);
  if (networkId(genesis) !== network)
    return finding('/genesis', 'genesis-differs', 'The genesis is not the one whose hash the network id is.');
  const proposals = new Set<Hash>();
  for (const [i, { proposal }] of settlements.entries()) {
    if (proposals.has(proposal))
      return finding(`/settlements/${i}`, 'settlement-repeated', 'The settlement is in the file twice.');
    proposals.add(proposal);
  }
  return found(null);
}

/** A settlement while its calls are run again: `blocks[n]` is the block that made entry n+1. */
type Run = { readonly settlement: SettlementEvidence; readonly at: string; readonly blocks: number[] };

/** A call in the order of the ledger; `owner` is the place of its settlement in the file, undefined for the environment. */
type Step = { readonly archived: ArchivedCall; readonly at: string; readonly owner: number | undefined };

/** All calls in the order of the ledger. Each list must be in that order itself, no two calls in one place, and time never goes back. */
function stepsOf({ environment, settlements, host }: Evidence): Found<Step[]> {
  const lists = [
    environment.map((archived, i): Step => ({ archived, at: `/environment/${i}`, owner: undefined })),
    ...settlements.map(({ calls }, owner) =>
      calls.map((archived, i): Step => ({ archived, at: `/settlements/${owner}/calls/${i}`, owner })),
    ),
  ];
  for (const list of lists) {
    const wrong = firstOutOfOrder(list, host);
    if (wrong) return wrong;
  }
  const steps = lists
    .flat()
    .toSorted((a, b) => a.archived.block - b.archived.block || a.archived.index - b.archived.index);
  return firstOutOfOrder(steps, host) ?? found(steps);
}

/**
 * On Fabric a transaction has the time of its proposal and the place that the orderers gave it, so that times of different transactions may
 * stand in another order than they do.
 */
function firstOutOfOrder(
  steps: readonly Step[],
  { kind }: Pick<EvidenceHost, 'kind'>,
): ReturnType<typeof finding> | undefined {
  const mayGoBack = kind === FABRIC_HOST.kind;
  let before: ArchivedCall | undefined;
  for (const { archived, at } of steps) {
    if (
      before &&
      (archived.block < before.block || (archived.block === before.block && archived.index <= before.index))
    ) {
      return finding(at, 'order-wrong', 'The call does not stand behind the one before it on the ledger.');
    }
    const isSameBlock = archived.block === before?.block;
    if (before && (isSameBlock ? archived.time !== before.time : archived.time < before.time && !mayGoBack)) {
      return finding(at, 'order-wrong', 'The time of the call’s block does not fit the block before it.');
    }
    before = archived;
  }
  return undefined;
}

function takeStep(world: ReplayWorld, { archived, at }: Step, run: Run | undefined): Found<null> {
  world.tx.time = archived.time;
  const { writes } = world;
  const [result] = applyCalls(world, [archived.call]);
  if (!result?.ok) {
    const refusal = result?.refusal ?? { code: 'call-invalid', message: 'The contract gave no answer.' };
    return finding(at, refusal.code, `The contract refuses this call: ${refusal.message}`);
  }
  const events = world.takeEvents();
  if (world.writes === writes)
    return finding(at, 'call-repeated', 'The same call was accepted before, and changes nothing.');
  const { body } = archived.call.call;
  if (run === undefined)
    return ENVIRONMENT.has(body.type)
      ? found(null)
      : finding(at, 'call-misplaced', `A ${body.type} call is none of the environment.`);
  const { proposal } = run.settlement;
  const touched = body.type === 'certify' ? body.proposal : events[0]?.proposal;
  if (touched !== proposal) return finding(at, 'call-misplaced', 'The call is not about this settlement.');
  for (const event of events) {
    const same = compareEntry(world, run, archived, event);
    if (!same.ok) return same;
  }
  return found(null);
}

const ENVIRONMENT: ReadonlySet<CallType> = new Set<CallType>([
  'genesis',
  'register-system',
  'register-party',
  'register-account',
  'register-instrument',
  'propose-scenario',
  'approve-scenario',
  'propose-change',
  'approve-change',
  'confirm-epoch',
]);

function compareEntry(
  world: ReplayWorld,
  { settlement, at, blocks }: Run,
  { block }: ArchivedCall,
  { proposal, sequence }: SettlementEvent,
): Found<null> {
  const where = `${at}/entries/${sequence - 1}`;
  blocks.push(block);
  const claimed = settlement.entries[sequence - 1];
  if (!claimed)
    return finding(`${at}/entries`, 'entry-dropped', `Entry ${sequence}, which the calls make, is missing.`);
  if (claimed.machine !== MACHINE)
    return finding(
      `${where}/machine`,
      'machine-unknown',
      `This program has no machine of version ${String(claimed.machine).slice(0, 20)}.`,
    );
  const right = runQuery(world, 'history', { id: proposal, after: sequence - 1, limit: 1 });
  invariant(right.ok, 'the settlement was written just now');
  const difference = firstDifference(claimed, right.value[0], where);
  if (!difference) return found(null);
  return finding(
    difference.where,
    'entry-differs',
    `Entry ${sequence} says ${difference.claimed}; the calls make it ${difference.right}.`,
  );
}

/** After all calls: nothing may be claimed that they did not make, and the end must be the one that they lead to. */
function checkEnd(
  world: ReplayWorld,
  { settlement, at, blocks }: Run,
  quorums: ReadonlyMap<number, number>,
): Found<SettlementReport> {
  const { role, proposal, entries, calls } = settlement;
  if (entries.length > blocks.length)
    return finding(`${at}/entries/${blocks.length}`, 'entry-added', 'No call makes this entry.');
  const view = runQuery(world, 'settlement', { id: proposal });
  if (!view.ok) return finding(`${at}/calls`, 'end-differs', 'The calls make no such settlement.');
  const { state, head } = view.value;
  const right = { settlement: state.settlement, tradeId: state.tradeId, head, phase: state.phase };
  const claimed = {
    settlement: settlement.settlement,
    tradeId: settlement.tradeId,
    head: settlement.head,
    phase: settlement.phase,
  };
  const difference = firstDifference(claimed, right, at);
  if (difference)
    return finding(
      difference.where,
      'end-differs',
      `The file says ${difference.claimed}; the calls lead to ${difference.right}.`,
    );
  const certificates = certificateReports(view.value, quorums, (sequence) => blocks[sequence - 1]);
  return found({
    role,
    proposal,
    settlement: state.settlement,
    tradeId: state.tradeId,
    phase: state.phase,
    calls: calls.length,
    entries: entries.length,
    certificates,
    missing: missingOf(state, certificates),
  });
}
