import { inProcessNetwork, sampleInstruction } from '@linkspan/testkit';
import { Ends, runCallers } from './callers.ts';
import { quantiles, type Round } from './report.ts';

const WARM_UP = 100;

/** What the machinery itself costs: three coordinators, five validators and the embedded ledger in one process, systems that answer at once. */
export async function benchInProcess(callers: readonly number[], settlements: number | undefined): Promise<Round[]> {
  const rounds: Round[] = [];
  for (const count of callers) rounds.push(await benchRound(count, settlements ?? (count === 1 ? 300 : 2000)));
  return rounds;
}

async function benchRound(callers: number, settlements: number): Promise<Round> {
  await using network = await inProcessNetwork();
  const ends = new Ends();
  const stopped = new AbortController();
  const following = (async () => {
    for await (const { events } of network.ledger.events(0, stopped.signal)) {
      for (const { proposal, phase } of events) ends.took(proposal, phase);
    }
  })();
  const settle = async (tradeId: string): Promise<void> => {
    await ends.settled(await network.lodge(sampleInstruction(tradeId, Date.now(), 600_000)));
  };
  await runCallers(callers, WARM_UP, (index) => settle(`warm-${index}`));
  const blocks = await network.ledger.height();
  const cpu = process.cpuUsage();
  const { latenciesMs, seconds } = await runCallers(callers, settlements, (index) => settle(`bench-${index}`));
  const used = process.cpuUsage(cpu);
  const ledgerTransactions = (await network.ledger.height()) - blocks;
  stopped.abort();
  await following;
  const processes = [
    { name: 'all', cpuSeconds: (used.user + used.system) / 1e6, memoryMb: process.memoryUsage.rss() / 2 ** 20 },
  ];
  return {
    network: 'in-process',
    callers,
    settlements,
    seconds,
    latenciesMs: quantiles(latenciesMs),
    ledgerTransactions,
    ledgerBytes: 0,
    processes,
  };
}
