import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { benchInProcess } from './in-process.ts';
import { benchLocalNetwork } from './local-network.ts';
import { printTable, type Write } from './report.ts';

/** One figure of one round: an engine with so many callers. */
export type PeerFigure = {
  readonly engine: string;
  readonly callers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};
export type PeerReport = {
  readonly rounds: number;
  readonly figures: readonly PeerFigure[];
  /** What did not run, and why. */
  readonly missing: readonly string[];
};

export type PeerPlan = {
  /** Has a package.json with a script for each engine; each prints a line for every number of callers. */
  readonly folder: string;
  readonly callers: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly progress: Write;
};

/** Runs ours and the others in turn, so that whatever else the machine does meets all of them; the figures are medians over the rounds. */
export async function benchPeers({ folder, callers, seconds, rounds, progress }: PeerPlan): Promise<PeerReport> {
  const missing: string[] = [];
  let scripts = scriptsOf(folder, missing);
  const taken: PeerFigure[] = [];
  const ours = async (bench: typeof benchInProcess): Promise<void> => {
    for (const count of callers) {
      const round = await bench({ callers: count, seconds, settlements: undefined });
      const { p50, p99 } = round.latenciesMs;
      const perSecond = round.settlements / round.seconds;
      taken.push({ engine: `ours, ${round.network}`, callers: count, perSecond, p50Ms: p50, p99Ms: p99 });
    }
  };
  for (let round = 1; round <= rounds; round++) {
    for (const script of scripts) {
      progress(`round ${round} of ${rounds}: ours, then ${script}\n`);
      await ours(benchInProcess);
      const { figures, problem } = await runScript(folder, script, seconds);
      taken.push(...figures);
      if (problem === undefined) continue;
      missing.push(`${script}: ${problem}`);
      scripts = scripts.filter((each) => each !== script);
    }
    progress(`round ${round} of ${rounds}: ours, the local network\n`);
    await ours(benchLocalNetwork);
  }
  return { rounds, figures: medians(taken), missing };
}

export function printPeers({ rounds, figures, missing }: PeerReport, write: Write): void {
  write(`Medians of ${rounds} rounds, each engine in turn\n`);
  printTable(
    ['engine', 'callers', 'per second', 'p50 ms', 'p99 ms'],
    figures.map(({ engine, callers, perSecond, p50Ms, p99Ms }) => [
      engine,
      String(callers),
      perSecond.toFixed(1),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
    ]),
    write,
  );
  write('\nWhat a figure includes\n');
  const shown = INCLUDES.filter(([engine]) => figures.some((figure) => figure.engine.startsWith(engine)));
  printTable(['engine', 'unit', 'HTTP', 'processes', 'signatures', 'durable', 'journalled'], shown, write);
  for (const each of missing) write(`\nDid not run: ${each}\n`);
}

/** By how an engine's name begins. The others' sagas move nothing and ask nobody: their steps do nothing. */
const INCLUDES: readonly (readonly [string, ...string[]])[] = [
  [
    'ours, in-process',
    'a settlement: 6 operations in 3 systems, 3 organisations',
    'no',
    '1',
    'all: calls, 10 statements, certificates; each checked by contract, Verifiers and systems',
    'fsync of ledger and 3 journals',
    '4 entries in 3 ledger transactions',
  ],
  [
    'ours, local-network',
    'the same over real systems (an EVM chain, an RTGS, a CSD)',
    'everywhere',
    '9 and the chain',
    'the same',
    'the same, and the systems with theirs',
    'the same',
  ],
  ['restate', 'a saga of 8 empty steps', 'ingress and worker', '2', 'none', 'its own log, as shipped', '8 steps'],
  ['dbos', 'a saga of 8 empty steps', 'no', '1 and PostgreSQL', 'none', 'PostgreSQL, fsync on', '8 steps'],
  ['floor', 'a saga of 8 empty steps', 'no', '1', 'none (one SHA-256 a step)', 'SQLite, fsync', '10 rows'],
];

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
/** How long a script may take beyond the seconds that it was told to measure. */
const LEISURE_MS = 120_000;
const SERIES = 6;

/** The scripts of the folder, but for those with a colon, which do other things. */
function scriptsOf(folder: string, missing: string[]): string[] {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) {
    missing.push(`the peers: ${path} is not there`);
    return [];
  }
  const { scripts } = packageSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  return Object.keys(scripts).filter((name) => !name.includes(':'));
}

type Ran = { readonly figures: readonly PeerFigure[]; readonly problem: string | undefined };

function runScript(folder: string, script: string, seconds: number): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script], {
      cwd: folder,
      env: { ...process.env, SECONDS_EACH: String(seconds) },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LEISURE_MS + seconds * SERIES * 1000,
    });
    let [said, complaint] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-4096)));
    child.once('error', (error) => resolve({ figures: [], problem: error.message }));
    child.once('close', (code) => {
      const figures = said.split('\n').flatMap(figureIn);
      const last =
        complaint
          .trim()
          .split('\n')
          .find((line) => /(^|\s)\w*Error: /.test(line)) ?? complaint.trim().split('\n').at(-1);
      const failed = code !== 0 || figures.length === 0;
      resolve({ figures, problem: failed ? `ended with ${String(code)}: ${last ?? 'it said nothing'}` : undefined });
    });
  });
}

/** `NAME concurrency=16 … 123.4 workflows/s p50=1.2ms p99=3.4ms …` */
function figureIn(line: string): PeerFigure[] {
  const [, engine, callers, perSecond, p50, p99] =
    /^(.+) concurrency=(\d+) .*?([\d.]+) workflows\/s p50=([\d.]+)ms p99=([\d.]+)ms/.exec(line) ?? [];
  if (engine === undefined) return [];
  const figure = { callers: Number(callers), perSecond: Number(perSecond), p50Ms: Number(p50), p99Ms: Number(p99) };
  return [{ engine, ...figure }];
}

function medians(taken: readonly PeerFigure[]): PeerFigure[] {
  const groups = Map.groupBy(taken, ({ engine, callers }) => `${engine} ${callers}`);
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const of = (value: (figure: PeerFigure) => number): number => median(group.map(value));
      const { engine, callers } = first;
      return [
        { engine, callers, perSecond: of((f) => f.perSecond), p50Ms: of((f) => f.p50Ms), p99Ms: of((f) => f.p99Ms) },
      ];
    })
    .toSorted((a, b) => a.engine.localeCompare(b.engine) || a.callers - b.callers);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
