import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, scenarioDocumentSchema } from '@linkspan/protocol';
import { networkDefinitionSchema, sampleInstruction } from '@linkspan/testkit';
import { Api } from '../local-network/api.ts';
import { CORE_API, folderOf, layOut, type Layout, urlOf } from '../local-network/layout.ts';
import { processesOf } from '../local-network/processes.ts';
import { Supervisor } from '../local-network/supervisor.ts';
import { readScenarios, writeFiles } from '../local-network/write-files.ts';
import { Ends, runCallers } from './callers.ts';
import { quantiles, type Round } from './report.ts';

const WARM_UP = 32;
const PORT_BASE = 7900;
/** What the kernel counts processor time in, per second. */
const TICKS = 100;

/** The network of `npm start`, every process and connection real. */
export async function benchLocalNetwork(callers: readonly number[], settlements: number | undefined): Promise<Round[]> {
  const root = resolve(import.meta.dirname, '../..');
  const data = mkdtempSync(join(tmpdir(), 'linkspan-bench-'));
  const definition = networkDefinitionSchema.parse(
    JSON.parse(readFileSync(join(root, 'deploy/local/network.json'), 'utf8')),
  );
  const layout = layOut(definition, root, data, PORT_BASE);
  writeFiles(definition, readScenarios(definition, root, scenarioOf), layout);
  const supervisor = new Supervisor(processesOf(definition, layout), data);
  try {
    await supervisor.startAll();
    const rounds: Round[] = [];
    for (const count of callers)
      rounds.push(await benchRound(layout, supervisor, count, settlements ?? (count === 1 ? 30 : 20 * count)));
    return rounds;
  } finally {
    await supervisor.stopAll();
    rmSync(data, { recursive: true, force: true });
  }
}

async function benchRound(
  layout: Layout,
  supervisor: Supervisor,
  callers: number,
  settlements: number,
): Promise<Round> {
  const [first, second] = ['central-bank-a', 'csd-b'].map((id) => new Api(urlOf(layout, id)));
  if (!first || !second) throw new Error('the local network has both sides');
  const ends = new Ends();
  const stopped = new AbortController();
  const connected = Promise.withResolvers<void>();
  const height = await heightOf(first);
  const following = (async () => {
    for await (const { change } of first.changes(height, stopped.signal, connected.resolve))
      ends.took(change.tradeId, change.phase);
  })().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  await connected.promise;
  const settle = async (tradeId: string): Promise<void> => {
    const instruction = sampleInstruction(tradeId, Date.now(), 600_000);
    const lodged = await Promise.all([
      first.lodge(instruction, `${tradeId} a`, stopped.signal),
      second.lodge(instruction, `${tradeId} b`, stopped.signal),
    ]);
    if (lodged.some((each) => 'refused' in each)) throw new Error(`${tradeId} was refused`);
    await ends.settled(tradeId);
  };
  await runCallers(callers, WARM_UP, (index) => settle(`warm-${callers}-${index}`));
  const [blocks, bytes, before] = [await heightOf(first), ledgerBytes(layout), usage(supervisor)];
  const { latenciesMs, seconds } = await runCallers(callers, settlements, (index) =>
    settle(`bench-${callers}-${index}`),
  );
  const after = usage(supervisor);
  const processes = [...after].map(([name, { cpuSeconds, memoryMb }]) => ({
    name,
    cpuSeconds: cpuSeconds - (before.get(name)?.cpuSeconds ?? 0),
    memoryMb,
  }));
  const ledgerTransactions = (await heightOf(first)) - blocks;
  stopped.abort();
  await following;
  return {
    network: 'local-network',
    callers,
    settlements,
    seconds,
    latenciesMs: quantiles(latenciesMs),
    ledgerTransactions,
    ledgerBytes: ledgerBytes(layout) - bytes,
    processes,
  };
}

async function heightOf(api: Api): Promise<number> {
  const answer: unknown = await (await fetch(`${api.url}/healthz`)).json();
  return typeof answer === 'object' && answer !== null && 'height' in answer ? Number(answer.height) : 0;
}

function ledgerBytes(layout: Layout): number {
  const folder = join(folderOf(layout, CORE_API), 'ledger');
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Processor time and memory of each process, as Linux counts them; elsewhere nothing. */
function usage(supervisor: Supervisor): Map<string, { readonly cpuSeconds: number; readonly memoryMb: number }> {
  const used = new Map<string, { cpuSeconds: number; memoryMb: number }>();
  for (const [name, pid] of supervisor.pids()) {
    try {
      // The fields after the name in parentheses: user and system time are the 12th and 13th of them, resident pages the 22nd.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      used.set(name, {
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
        memoryMb: (Number(fields[21]) * 4096) / 2 ** 20,
      });
    } catch {
      // Not Linux, or gone: the row stays away.
    }
  }
  return used;
}

function scenarioOf(value: unknown) {
  const parsed = parse(scenarioDocumentSchema, value, 'scenario-invalid');
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}
