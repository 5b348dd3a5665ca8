import { type ArchivedLedger, openFabricLedger } from '@linkspan/ledger';
import { inProcessNetwork, type InProcessNetwork } from '@linkspan/testkit';
import { startTestNetwork, type TestNetwork } from '../../test/integration/fabric-network.ts';
import { runCallers } from './callers.ts';
import { startDistantNetwork } from './distance.ts';
import { type BlocksRead, blocksBetween } from './fabric-blocks.ts';
import { processesOfNetwork } from './fabric-processes.ts';
import { benchInProcess, type Callers, type Settle, withSettle } from './in-process.ts';
import { type Usage, usageOf } from './processes.ts';
import { printRounds, printTable, quantiles, type Round, type Write } from './report.ts';

export type FabricPlan = Omit<Callers, 'callers'> & {
  readonly countries: 3 | 4 | 7;
  readonly callers: readonly number[];
  /** How far the countries are apart, there and back. */
  readonly delayMs: number;
};

/** A round on Fabric, with what its blocks hold. */
export type FabricRound = Round & { readonly blocks: BlocksRead };

const WARM_UP = 8;
/** Long enough to compare with. */
const EMBEDDED_SECONDS = 5;

/**
 * Settlements on a real Fabric network on this machine: a peer, an orderer and the contract for each country as processes of their own; the coordinators,
 * validators and systems of three of them in this process, each with its own ledger client.
 */
export async function benchFabric(
  plan: FabricPlan,
  say: (text: string) => unknown,
): Promise<{ readonly rounds: readonly FabricRound[]; readonly embedded: readonly Round[] }> {
  const embedded: Round[] = [];
  for (const callers of plan.callers) {
    say(`embedded, ${callers} callers\n`);
    embedded.push(await benchInProcess({ ...plan, callers, seconds: Math.min(plan.seconds, EMBEDDED_SECONDS) }));
  }
  const rounds = await withFabric(plan, async (scene) => {
    const measured: FabricRound[] = [];
    for (const callers of plan.callers) {
      say(`${scene.name}, ${callers} callers\n`);
      measured.push(await measure(scene, { ...plan, callers }));
    }
    return measured;
  });
  return { rounds, embedded };
}

export function printFabric(
  { rounds, embedded }: { readonly rounds: readonly FabricRound[]; readonly embedded: readonly Round[] },
  write: Write,
): void {
  printRounds([...embedded, ...rounds], write);
  write('\nWhat the channel got for each settlement\n');
  const head = ['network', 'callers', 'Fabric blocks', 'transactions', 'in conflict', 'calls', 'of them record', 'KB'];
  const rows = rounds.map(({ network, callers, settlements, blocks }) => {
    const per = (count: number): string => (count / settlements).toFixed(2);
    const calls = Object.values(blocks.calls).reduce((sum, count) => sum + count, 0);
    const counts = [blocks.blocks, blocks.transactions, blocks.conflicts, calls, blocks.calls['record'] ?? 0];
    return [network, String(callers), ...counts.map(per), per(blocks.bytes / 1024)];
  });
  printTable(head, rows, write);
}

type Scene = {
  readonly name: string;
  readonly fabric: TestNetwork;
  readonly network: InProcessNetwork;
  readonly settle: Settle;
  /** Processes that the network would not need elsewhere. */
  readonly lines: ReadonlyMap<string, number>;
};

async function measure({ name, fabric, network, settle, lines }: Scene, plan: Callers): Promise<FabricRound> {
  await runCallers(plan.callers, Math.max(WARM_UP, plan.callers), (i) => settle(`warm-${plan.callers}-${i}`));
  const processes = new Map([...processesOfNetwork(fabric.directory), ...lines]);
  const from = await network.ledger.height();
  const before = usageOf(processes);
  const own = process.cpuUsage();
  const until = performance.now() + plan.seconds * 1000;
  const isOver = plan.settlements === undefined ? () => performance.now() >= until : undefined;
  const work = (i: number): Promise<void> => settle(`bench-${plan.callers}-${i}`);
  const done = await runCallers(plan.callers, plan.settlements ?? Infinity, work, isOver);
  const used = process.cpuUsage(own);
  const after = usageOf(processes);
  const blocks = await blocksBetween(fabric, from, await network.ledger.height());
  return {
    network: name,
    callers: plan.callers,
    settlements: done.latenciesMs.length,
    seconds: done.seconds,
    latenciesMs: quantiles(done.latenciesMs),
    ledgerTransactions: blocks.transactions,
    ledgerBytes: blocks.bytes,
    signatures: undefined,
    processes: [
      {
        name: 'coordinators, validators, systems',
        cpuSeconds: (used.user + used.system) / 1e6,
        memoryMb: process.memoryUsage.rss() / 2 ** 20,
      },
      ...sumByKind(before, after),
    ],
    blocks,
  };
}

/** What the processes of each kind used together; their memory is that of all. */
function sumByKind(before: ReadonlyMap<string, Usage>, after: ReadonlyMap<string, Usage>): Round['processes'] {
  const kinds = Map.groupBy(after, ([name]) => name.split(' ').at(-1) ?? name);
  return [...kinds].map(([kind, all]) => ({
    name: `${all.length} × ${kind}`,
    cpuSeconds: all.reduce((sum, [name, { cpuSeconds }]) => sum + cpuSeconds - (before.get(name)?.cpuSeconds ?? 0), 0),
    memoryMb: all.reduce((sum, [, { memoryMb }]) => sum + memoryMb, 0),
  }));
}

/** A network of its own; all is ended and removed behind the work. */
async function withFabric<T>({ countries, delayMs }: FabricPlan, work: (scene: Scene) => Promise<T>): Promise<T> {
  const name = `fabric, ${countries} countries${delayMs > 0 ? `, ${delayMs} ms apart` : ''}`;
  const distant = delayMs > 0 ? await startDistantNetwork(countries, delayMs) : undefined;
  await using fabric = distant?.fabric ?? (await startTestNetwork(countries));
  const lines = new Map(distant ? [['lines', distant.pid]] : []);
  const ledgers = await Promise.all(
    fabric.network.organisations.map((each, i, all) => {
      // Its own, and as many after it as are needed.
      const endorsing = [...all.slice(i), ...all.slice(0, i)].slice(0, fabric.network.endorsements).map(({ id }) => id);
      return openFabricLedger({ ...fabric.ledgerOptions(each), endorsingOrganizations: endorsing });
    }),
  );
  try {
    const [ledger] = ledgers;
    if (!ledger) throw new Error('the network has no organisation');
    const ledgerOf = (organisation: string): ArchivedLedger => ledgers[HOMES.indexOf(organisation)] ?? ledger;
    await using network = await inProcessNetwork({ ledger, ledgerOf });
    return await withSettle(network, (settle) => work({ name, fabric, network, settle, lines }), ledgerOf);
  } finally {
    for (const ledger of ledgers) await ledger[Symbol.asyncDispose]();
  }
}

/** The sample network's organisations are at home in the first three countries; the others only endorse and order. */
const HOMES = ['central-bank-a', 'central-bank-b', 'csd-b'];
