import { setTimeout as delay } from 'node:timers/promises';
import { ENDS, type SettlementBody } from '@linkspan/protocol';
import type { Api } from '../local-network/api.ts';
import { CannotRun } from '../local-network/cannot-run.ts';
import type { Changes } from '../local-network/changes.ts';
import { CORE_API } from '../local-network/layout.ts';
import type { Screen } from '../local-network/screen.ts';
import type { Supervisor } from '../local-network/supervisor.ts';
import type { Leg } from '../torture/facts.ts';
import { afterDelivery, amountIn, type Books, type Holdings, mismatches, nextHold, readHoldings } from './books.ts';

/** A trade that both sides lodge, with what it moves. */
export type DemoTrade = {
  readonly tradeId: string;
  readonly instruction: object;
  readonly legs: readonly Leg[];
};

export type DemoStage = {
  readonly first: Api;
  readonly other: Api;
  readonly changes: Changes;
  readonly supervisor: Supervisor;
  readonly screen: Screen;
  readonly books: Books;
  /** Names of parties by `SYSTEM:account`. */
  readonly parties: ReadonlyMap<string, string>;
  /** A trade under this name that must be decided within so many milliseconds. */
  readonly trade: (name: string, deadlineInMs: number) => DemoTrade;
};

/** Time enough that the holds are made, and short enough to watch it pass. */
const SHORT_DEADLINE_MS = 6_000;
const LONG_DEADLINE_MS = 60_000;
/** More than any of these steps takes on a slow machine. */
const PATIENCE_MS = 60_000;
/** How often the first act is played when the decision is faster than the kill. */
const TRIES = 3;

/** The validator that is killed while what it speaks for is executed. */
const VICTIM = 'validator-rtgs';

/**
 * Kills a process in the middle of a settlement, twice: before the decision, so that the money comes back, and after it, so that it goes through.
 * Returns whether both ended so and every account of every system has what it must have.
 */
export async function runDemo(stage: DemoStage): Promise<boolean> {
  const { screen } = stage;
  const before = await readHoldings(stage.books);
  const acts = [await moneyComesBack(stage), await moneyGoesThrough(stage)];
  screen.title('What the systems have in the end, read from their own books');
  const after = await readHoldings(stage.books);
  const delivered = acts.flatMap((act) => act.delivered);
  showHoldings(stage, before, after, delivered);
  const wrong = [...acts.flatMap((act) => act.wrong), ...mismatches(afterDelivery(before, delivered), after)];
  for (const line of wrong) screen.text(`✗ ${line}`, 'red');
  if (wrong.length === 0)
    screen.text(
      '✓ Two processes were killed. One trade came back whole, one went through whole, and every account has exactly what it must have.',
      'green',
    );
  return wrong.length === 0;
}

/** How an act ended: the legs that were delivered in it, and what is not as it was promised to the viewer. */
type Act = { readonly delivered: readonly Leg[]; readonly wrong: readonly string[] };

async function moneyComesBack(stage: DemoStage): Promise<Act> {
  const { screen } = stage;
  screen.title('Act 1: everything is held, and the coordinator dies before it is decided. The money comes back.');
  const delivered: Leg[] = [];
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const { end, legs } = await killBeforeDecision(stage, attempt === 1 ? 'back' : `back-${attempt}`);
    if (end.phase === 'cancelled') {
      screen.text(
        `✓ Cancelled: ${end.decision?.because ?? ''}. Every hold was released, and nothing was delivered.`,
        'green',
      );
      return { delivered, wrong: [] };
    }
    if (end.phase !== 'settled') return { delivered, wrong: [`${end.tradeId} is still ${end.phase}`] };
    delivered.push(...legs);
    screen.text('This time the decision was on the ledger before the process died, so the trade settled. Once more.');
  }
  return { delivered, wrong: [`the decision was faster than the kill ${TRIES} times`] };
}

async function killBeforeDecision(
  stage: DemoStage,
  name: string,
): Promise<{ readonly end: SettlementBody; readonly legs: readonly Leg[] }> {
  const { screen, supervisor, changes, books } = stage;
  const before = await readHoldings(books);
  const watching = new AbortController();
  const signal = AbortSignal.any([watching.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const looks = await Promise.all(books.registers.map((register) => nextHold(register, signal)));
  const trade = stage.trade(name, SHORT_DEADLINE_MS);
  const deadline = Date.now() + SHORT_DEADLINE_MS;
  screen.text(`${trade.tradeId} must be decided within ${SHORT_DEADLINE_MS / 1000} seconds: ${described(trade)}.`);
  const proposal = await lodge(stage, trade);
  const held = await Promise.race(looks.map((look) => look()));
  watching.abort();
  if (!held) throw new CannotRun('No system held anything for the demonstration.');
  await supervisor.kill(CORE_API);
  screen.note(`${CORE_API} is killed (kill -9): the ledger's host and every organisation's coordinator are gone`);
  await untilHeld(stage, trade, before);
  screen.text('The systems themselves say what stands now, while nobody coordinates them:');
  showHoldings(stage, before, await readHoldings(books), trade.legs);
  screen.text(
    'What is held still belongs to its payer and cannot be spent twice. No system lets it go without a certificate that a quorum of organisations signed, and there is none.',
  );
  await delay(Math.max(0, deadline - Date.now()));
  screen.note('the deadline has passed, and nobody was there to notice');
  await supervisor.start(CORE_API);
  screen.note(`${CORE_API} is back and reads the ledger`);
  await changes.reaches(trade.tradeId, ENDS, AbortSignal.timeout(PATIENCE_MS));
  return { end: await stage.first.settlement(proposal), legs: trade.legs };
}

async function moneyGoesThrough(stage: DemoStage): Promise<Act> {
  const { screen, supervisor, changes, books } = stage;
  screen.title('Act 2: it is decided, and a process dies while the legs are executed. The money goes through.');
  const before = await readHoldings(books);
  const trade = stage.trade('through', LONG_DEADLINE_MS);
  screen.text(`${trade.tradeId}: ${described(trade)}.`);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const committed = changes.reaches(trade.tradeId, ['committed', 'settled', 'cancelled'], signal);
  const proposal = await lodge(stage, trade);
  await committed;
  await supervisor.kill(VICTIM);
  screen.note(`${VICTIM} is killed (kill -9): nobody speaks for the RTGS any more`);
  await Promise.all(['deliver/fcy', 'deliver/bond'].map((name) => changes.takesEffect(trade.tradeId, name, signal)));
  screen.text('The systems themselves say what stands now:');
  showHoldings(stage, before, await readHoldings(books), trade.legs);
  screen.text(
    'What is delivered stays delivered. What is held can go to its payee only: the commit certificate is signed, and there can be no other.',
  );
  await supervisor.start(VICTIM);
  screen.note(`${VICTIM} is back`);
  await changes.reaches(trade.tradeId, ENDS, signal);
  const end = await stage.first.settlement(proposal);
  if (end.phase !== 'settled') return { delivered: [], wrong: [`${trade.tradeId} is ${end.phase}, not settled`] };
  screen.text('✓ Settled. Every leg was delivered, once.', 'green');
  return { delivered: trade.legs, wrong: [] };
}

/** Both sides lodge the same instruction; gives the proposal's id. */
async function lodge({ first, other }: DemoStage, { instruction, tradeId }: DemoTrade): Promise<string> {
  const mine = await first.lodge(instruction, `${tradeId} first`);
  const theirs = await other.lodge(instruction, `${tradeId} other`);
  for (const answer of [mine, theirs])
    if ('refused' in answer) throw new CannotRun(`The instruction was refused: ${answer.refused.detail ?? ''}`);
  return 'lodged' in mine ? mine.lodged.proposal : '';
}

/** The validators finish what they were asked for, whoever asked; where one was not asked in time, its system holds nothing. */
async function untilHeld({ books }: DemoStage, { legs }: DemoTrade, before: Holdings): Promise<void> {
  const until = performance.now() + HELD_WITHIN_MS;
  while (performance.now() < until) {
    const now = await readHoldings(books);
    if (legs.every((leg) => (now.get(payerOf(leg))?.held ?? 0n) > (before.get(payerOf(leg))?.held ?? 0n))) return;
    await delay(LOOK_AGAIN_MS);
  }
}

const HELD_WITHIN_MS = 2_500;
const LOOK_AGAIN_MS = 50;

function payerOf({ system, from, asset }: Leg): string {
  return `${system}:${from} ${asset}`;
}

function described({ legs }: DemoTrade): string {
  const parts = legs.map(({ system, asset, amount }) => `${amountIn(amount, asset)} ${asset} in ${system}`);
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)} move together, or not at all`;
}

const COLUMNS = [
  { title: 'system', align: 'left' },
  { title: 'party', align: 'left' },
  { title: 'asset', align: 'left' },
  { title: 'balance', align: 'right' },
  { title: 'change', align: 'right' },
  { title: 'held', align: 'right' },
] as const;

/** Balance, change and what is held of every account that some legs touch. */
function showHoldings({ screen, parties }: DemoStage, before: Holdings, now: Holdings, legs: readonly Leg[]): void {
  const accounts = legs.flatMap(({ system, from, to, asset }) => [
    { system, account: `${system}:${from}`, asset },
    { system, account: `${system}:${to}`, asset },
  ]);
  const unique = [...new Map(accounts.map((each) => [`${each.account} ${each.asset}`, each]))];
  const rows = unique.map(([name, { system, account, asset }]) => {
    const { balance, held } = now.get(name) ?? { balance: 0n, held: 0n };
    const change = balance - (before.get(name)?.balance ?? 0n);
    const signed = change === 0n ? '' : `${change > 0n ? '+' : ''}${amountIn(change, asset)}`;
    return {
      cells: [
        system,
        parties.get(account) ?? account,
        asset,
        amountIn(balance, asset),
        signed,
        held === 0n ? '' : amountIn(held, asset),
      ],
      colour: held > 0n ? ('yellow' as const) : change !== 0n ? ('bold' as const) : undefined,
    };
  });
  screen.table(COLUMNS, rows);
}
