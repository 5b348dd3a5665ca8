import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { networkDefinitionSchema, parse, scenarioDocumentSchema } from '@linkspan/protocol';
import { sampleInstruction } from '@linkspan/testkit';
import { apiOf } from '../local-network/api.ts';
import { CORE_API, folderOf, layOut, type Layout, urlOf } from '../local-network/layout.ts';
import { processesOf } from '../local-network/processes.ts';
import { Supervisor } from '../local-network/supervisor.ts';
import { readScenarios, writeFiles } from '../local-network/write-files.ts';
import { Ends, runCallers } from './callers.ts';
import { COUNTS_FOLDER } from './count-signatures.ts';
import type { Callers } from './in-process.ts';
import { databaseBytes } from './ledger-bytes.ts';
import { readProfiles, type TimeTable } from './profile.ts';
import { askCounts, difference, usageOf } from './processes.ts';
import { quantiles, type Round } from './report.ts';

const WARM_UP = 32;
const PORT_BASE = 7900;

/** The network of `npm start`, every process and connection real. */
export async function benchLocalNetwork(plan: Callers): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-counts-'));
  try {
    const preload = new URL('count-signatures.ts', import.meta.url).href;
    const environment = { [COUNTS_FOLDER]: folder, NODE_OPTIONS: `--import ${preload}` };
    return await withLocalNetwork(environment, (layout, supervisor) => measure(layout, supervisor, plan, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Where each process's time goes in such a round: on a network of its own, since looking makes it slower. */
export async function profileLocalNetwork(callers: number, seconds: number): Promise<ReadonlyMap<string, TimeTable>> {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-profiles-'));
  const now = (): number => Number(process.hrtime.bigint() / 1000n);
  try {
    const window = { from: 0, to: 0 };
    const pids = new Map<number, string>();
    const environment = { NODE_OPTIONS: `--cpu-prof --cpu-prof-interval 1000 --cpu-prof-dir=${folder}` };
    await withLocalNetwork(environment, async (layout, supervisor) => {
      for (const [name, pid] of supervisor.pids()) pids.set(pid, name);
      await withSettle(layout, 'profile', async (settle) => {
        await runCallers(callers, WARM_UP, (i) => settle(`warm-${i}`));
        window.from = now();
        const until = performance.now() + seconds * 1000;
        await runCallers(
          callers,
          Infinity,
          (i) => settle(`bench-${i}`),
          () => performance.now() >= until,
        );
        window.to = now();
      });
    });
    const tables = [...readProfiles(folder, window)].flatMap(([pid, table]) => {
      const name = pids.get(pid);
      return name === undefined ? [] : [[name, table] as const];
    });
    return new Map(tables);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Brings the network up in processes that have these variables, and down again. */
async function withLocalNetwork<T>(
  environment: Readonly<Record<string, string>>,
  work: (layout: Layout, supervisor: Supervisor) => Promise<T>,
): Promise<T> {
  const root = resolve(import.meta.dirname, '../..');
  const data = mkdtempSync(join(tmpdir(), 'linkspan-bench-'));
  const definition = networkDefinitionSchema.parse(
    JSON.parse(readFileSync(join(root, 'deploy/local/network.json'), 'utf8')),
  );
  const layout = layOut(definition, root, data, PORT_BASE);
  writeFiles(definition, readScenarios(definition, root, scenarioOf), layout);
  const supervisor = new Supervisor(processesOf(definition, layout), data);
  const before = { ...process.env };
  // Processes take the environment of the one that starts them.
  Object.assign(process.env, environment);
  try {
    await supervisor.startAll();
    return await work(layout, supervisor);
  } finally {
    await supervisor.stopAll();
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, before);
    rmSync(data, { recursive: true, force: true });
  }
}

async function measure(layout: Layout, supervisor: Supervisor, plan: Callers, counts: string): Promise<Round> {
  const { callers } = plan;
  return withSettle(layout, 'bench', async (settle) => {
    await runCallers(callers, WARM_UP, (i) => settle(`warm-${i}`));
    const ledger = join(folderOf(layout, CORE_API), 'ledger');
    const take = async () => ({
      blocks: await heightOf(layout),
      bytes: databaseBytes(ledger),
      counts: await askCounts(supervisor.pids(), counts),
      usage: usageOf(supervisor.pids()),
    });
    const before = await take();
    const until = performance.now() + plan.seconds * 1000;
    const isOver = plan.settlements === undefined ? () => performance.now() >= until : undefined;
    const work = (i: number): Promise<void> => settle(`round-${i}`);
    const { latenciesMs, seconds } = await runCallers(callers, plan.settlements ?? Infinity, work, isOver);
    const after = await take();
    return {
      network: 'local-network',
      callers,
      settlements: latenciesMs.length,
      seconds,
      latenciesMs: quantiles(latenciesMs),
      ledgerTransactions: after.blocks - before.blocks,
      ledgerBytes: after.bytes - before.bytes,
      signatures: difference(before.counts, after.counts, CORE_API),
      processes: [...after.usage].map(([name, { cpuSeconds, memoryMb }]) => ({
        name,
        cpuSeconds: cpuSeconds - (before.usage.get(name)?.cpuSeconds ?? 0),
        memoryMb,
      })),
    };
  });
}

/** Gives the work a way to lodge a trade with both sides' APIs and wait for its end. */
async function withSettle<T>(
  layout: Layout,
  name: string,
  work: (settle: (tradeId: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const [first, second] = [apiOf(layout, 'central-bank-a'), apiOf(layout, 'csd-b')];
  const ends = new Ends();
  const stopped = new AbortController();
  const connected = Promise.withResolvers<void>();
  const following = (async () => {
    for await (const { change } of first.changes(await heightOf(layout), stopped.signal, connected.resolve))
      ends.took(change.tradeId, change.phase);
  })().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  try {
    await Promise.race([connected.promise, following]);
    return await work(async (each) => {
      const tradeId = `${name}-${each}`;
      const instruction = sampleInstruction(tradeId, Date.now(), 600_000);
      const lodged = await Promise.all([
        first.lodge(instruction, `${tradeId} a`, stopped.signal),
        second.lodge(instruction, `${tradeId} b`, stopped.signal),
      ]);
      for (const answer of lodged)
        if ('refused' in answer) throw new Error(`${tradeId} was refused: ${JSON.stringify(answer.refused)}`);
      await ends.settled(tradeId);
    });
  } finally {
    stopped.abort();
    await following;
  }
}

async function heightOf(layout: Layout): Promise<number> {
  const answer: unknown = await (await fetch(`${urlOf(layout, 'central-bank-a')}/healthz`)).json();
  return typeof answer === 'object' && answer !== null && 'height' in answer ? Number(answer.height) : 0;
}

function scenarioOf(value: unknown) {
  const parsed = parse(scenarioDocumentSchema, value, 'scenario-invalid');
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}
