import { setTimeout as delay } from 'node:timers/promises';
import { apiTokens } from '../local-network/api-clients.ts';
import { domesticAccess } from '../local-network/domestic.ts';
import { urlOf } from '../local-network/layout.ts';
import { clientSecret } from '../local-network/write-files.ts';
import { checkHistory } from './check-history.ts';
import { Client } from './client.ts';
import { judge } from './judge.ts';
import { Killer } from './killer.ts';
import { Load } from './load.ts';
import { Random } from './random.ts';
import { readChain, readRegister } from './read-books.ts';
import { layTortureNetwork, type TortureNetwork } from './torture-network.ts';

export type TortureOptions = {
  readonly root: string;
  readonly data: string;
  readonly portBase: number;
  readonly kills: number;
  readonly seed: string;
  readonly say: (line: string) => void;
  /** Ends the run early. */
  readonly signal: AbortSignal;
};

export type TortureReport = {
  readonly seed: string;
  readonly kills: Readonly<Record<string, number>>;
  /** Trades by the kind of their sample and by their end. */
  readonly ends: Readonly<Record<string, number>>;
  readonly trades: number;
  readonly durationMs: number;
  /** What is wrong, in words; empty when everything came to its right end. */
  readonly wrong: readonly string[];
};

const TRADES_AT_ONCE = 8;
/** After the last process is back every trade must end within its own deadline, a minute at most, and this. */
const PATIENCE_MS = 150_000;

/** Kills the processes of a fresh local network under load, and then asks whether everything came to its right end. */
export async function runTorture(options: TortureOptions): Promise<TortureReport> {
  const { root, data, portBase, kills, seed, say, signal } = options;
  const began = performance.now();
  const network = layTortureNetwork(root, data, portBase);
  const { supervisor } = network;
  const work = async (): Promise<TortureReport> => {
    await supervisor.startAll();
    const killer = new Killer(network, new Random(seed, 'kills'), say);
    const { load, wrong } = await torture(network, killer, { root, seed, kills, say });
    say('            every trade is followed to its end; now the books are read');
    wrong.push(...(await reckon(network, load)));
    return {
      seed,
      kills: Object.fromEntries(killer.kills),
      ...tally(load),
      durationMs: Math.round(performance.now() - began),
      wrong,
    };
  };
  const ended = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('ended from outside')), { once: true }),
  );
  ended.catch(() => undefined);
  try {
    return await Promise.race([work(), supervisor.failed, ended]);
  } finally {
    await supervisor.stopAll();
  }
}

async function torture(
  { definition, layout }: TortureNetwork,
  killer: Killer,
  { root, seed, kills, say }: Pick<TortureOptions, 'root' | 'seed' | 'kills' | 'say'>,
): Promise<{ readonly load: Load; readonly wrong: string[] }> {
  const enough = new AbortController();
  const [first, , other] = definition.organisations.map(
    ({ id }) => new Client(urlOf(layout, id), apiTokens(layout.data, id), enough.signal),
  );
  if (!first || !other) throw new Error('the local network has three organisations');
  const domestic = domesticAccess(definition, layout, (system, client) => clientSecret(layout, system, client));
  const load = new Load({
    root,
    seed,
    first,
    other,
    domestic,
    enough: enough.signal,
  });
  const working = load.run(TRADES_AT_ONCE);
  working.catch(() => undefined);
  try {
    await Promise.race([
      killer.strike(kills),
      working.then(() => Promise.reject(new Error('the load ended by itself'))),
    ]);
    say('            no more kills; everything runs again');
    load.stop();
    const patience = new AbortController();
    void delay(PATIENCE_MS, undefined, { signal: patience.signal }).then(
      () => enough.abort(),
      () => undefined,
    );
    await working;
    patience.abort();
  } finally {
    enough.abort();
  }
  return { load, wrong: [...load.contradictions] };
}

/** Everything that can be checked once nothing moves any more. */
async function reckon(network: TortureNetwork, load: Load): Promise<string[]> {
  const { registers, chain, opening, definition, layout } = network;
  const books = await Promise.all([...registers.map(readRegister), readChain(chain)]);
  const effects = books.flatMap((book) => book.effects);
  const positions = books.flatMap((book) => book.positions);
  const wrong = [...books.flatMap((book) => book.wrong), ...judge(load.trades, { effects, positions }, opening)];
  const clients = definition.organisations.map(
    ({ id }) => new Client(urlOf(layout, id), apiTokens(layout.data, id), AbortSignal.timeout(PATIENCE_MS)),
  );
  let turn = 0;
  for (const [proposal, seen] of load.ends) {
    const client = clients[turn++ % clients.length];
    if (!client) break;
    const [now, entries] = [await client.settlement(proposal), await client.history(proposal)];
    if (now.head !== seen.head)
      wrong.push(`${seen.tradeId}: it ended ${seen.phase} at ${seen.head} and is ${now.phase} at ${now.head} now`);
    wrong.push(...checkHistory(now, entries).map((line) => `${seen.tradeId}: ${line}`));
    if (now.attention.length > 0 && now.phase === 'settled')
      wrong.push(`${seen.tradeId}: ended with attention: ${now.attention.map(({ reason }) => reason).join(', ')}`);
  }
  return wrong;
}

function tally({ trades }: Load): Pick<TortureReport, 'ends' | 'trades'> {
  const ends: Record<string, number> = {};
  for (const { kind, end } of trades) ends[`${kind.name} ${end.phase}`] = (ends[`${kind.name} ${end.phase}`] ?? 0) + 1;
  return {
    ends: Object.fromEntries(Object.entries(ends).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    trades: trades.length,
  };
}
