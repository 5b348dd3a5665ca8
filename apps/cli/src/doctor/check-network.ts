import { ENDPOINTS, ENDS, PHASES, type SettlementSummaryBody } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { NamedApi } from '../command.ts';
import { spanOf } from '../span.ts';
import type { Pulse } from './check-apis.ts';
import { bad, type Finding, good, warning } from './finding.ts';

/** Whether all organisations are of one network, and of the one that the profile names. */
export function checkNetworkId(pulses: readonly Pulse[], expected: string | undefined): Finding[] {
  const [first] = pulses;
  if (!first) return [];
  const wanted = expected ?? first.network;
  const others = pulses.filter(({ network }) => network !== wanted);
  if (others.length === 0)
    return [
      good('network', `All are of the network ${wanted}${expected === undefined ? '' : ', as the profile says'}.`),
    ];
  return others.map(({ one, network }) =>
    bad(
      'network',
      'network-mismatch',
      `${one.name} is of the network ${network}, not ${wanted}.`,
      'The profile, or the genesis in its configuration, is of another network. Where the local network began anew, use its new profile.',
    ),
  );
}

/** Blocks that come while all are asked are no lag. */
const LAG_BLOCKS = 20;

/** Whether all ledgers are as high, after the lower ones had the time to be asked again. */
export async function checkHeights(pulses: readonly Pulse[]): Promise<Finding[]> {
  if (pulses.length < 2) return [];
  const highest = Math.max(...pulses.map(({ height }) => height));
  const behind = await Promise.all(
    pulses
      .filter(({ height }) => height < highest)
      .map(async ({ one, height }) => {
        const again = await one.api.get(ENDPOINTS.health.path, answer(ENDPOINTS.health.answer));
        return { one, lag: highest - Math.max(height, again.ok ? again.value.height : 0) };
      }),
  );
  const lagging = behind.filter(({ lag }) => lag > 0);
  if (lagging.length === 0) return [good('height', `All ledgers have reached block ${highest}.`)];
  return lagging.map(({ one, lag }) => {
    const words = `The ledger of ${one.name} is ${lag} block${lag === 1 ? '' : 's'} behind.`;
    const todo = 'If it does not catch up, its node is cut off or too slow: linkspan metrics and its log say more.';
    return lag > LAG_BLOCKS ? bad('height', 'ledger-unavailable', words, todo) : warning('height', words, todo);
  });
}

const LARGEST_PAGE = 500;
/** How many names are said, where there are many. */
const NAMED = 5;
/** After a deadline coordinators act within seconds; what is decided should move within minutes. */
const OVERDUE_MS = 60_000;
const SLOW_MS = 300_000;

/** Settlements that wait for people, or that should have moved on long ago. */
export async function checkSettlements({ api }: NamedApi, now: number): Promise<Finding[]> {
  const open: SettlementSummaryBody[] = [];
  for (const phase of PHASES.filter((each) => !ENDS.includes(each))) {
    for (let before = ''; ;) {
      const path = `${ENDPOINTS.settlements.path}?limit=${LARGEST_PAGE}&phase=${phase}${before}`;
      const page = await api.get(path, answer(ENDPOINTS.settlements.answer));
      if (!page.ok)
        return [warning('settlements', `The settlements cannot be read: ${page.failure.title}.`, page.failure.detail)];
      open.push(...page.value.settlements);
      if (page.value.next === null) break;
      before = `&before=${encodeURIComponent(page.value.next)}`;
    }
  }
  const waiting = open.filter(({ attention }) => attention > 0);
  const overdue = open.filter(({ phase, deadline }) => isUndecided(phase) && now - Date.parse(deadline) > OVERDUE_MS);
  const slow = open.filter(({ phase, changedAt }) => !isUndecided(phase) && now - Date.parse(changedAt) > SLOW_MS);
  const findings: Finding[] = [];
  if (waiting.length > 0)
    findings.push(
      warning(
        'attention',
        `${counted(waiting)} for people: ${named(waiting)}.`,
        ...firstOf(waiting).map(
          ({ tradeId }) => `linkspan status ${tradeId}   says what to look at, linkspan help resolve how to say it`,
        ),
      ),
    );
  if (overdue.length > 0)
    findings.push(
      bad(
        'stuck',
        'ledger-unavailable',
        `${counted(overdue)} undecided after the deadline: ${named(overdue)}.`,
        'A coordinator that runs ends it within seconds: see that the CoreAPI of each side runs, and its log.',
      ),
    );
  if (slow.length > 0)
    findings.push(
      warning(
        'stuck',
        `${counted(slow)}, decided, for ${spanOf(Math.max(...slow.map(({ changedAt }) => now - Date.parse(changedAt))))} without a change: ${named(slow)}.`,
        'What is decided goes through as soon as its systems answer: see the systems above and linkspan status.',
      ),
    );
  if (findings.length > 0) return findings;
  return [good('settlements', `Of ${open.length} open settlements none waits for people or is late.`)];
}

function isUndecided(phase: SettlementSummaryBody['phase']): boolean {
  return phase === 'proposed' || phase === 'preparing' || phase === 'deciding';
}

function counted(some: readonly unknown[]): string {
  return some.length === 1 ? '1 settlement waits' : `${some.length} settlements wait`;
}

function named(some: readonly SettlementSummaryBody[]): string {
  const names = firstOf(some).map(({ tradeId }) => tradeId);
  return some.length > NAMED ? `${names.join(', ')} and ${some.length - NAMED} more` : names.join(', ');
}

function firstOf(some: readonly SettlementSummaryBody[]): readonly SettlementSummaryBody[] {
  return some.slice(0, NAMED);
}
