import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type FabricTortureOptions, runFabricTorture } from './torture/run-fabric-torture.ts';
import { runTorture, type TortureReport } from './torture/run-torture.ts';
import { freePortBase } from './torture/torture-network.ts';

const USAGE = `npm run torture -- [--kills N] [--seed S] [--json] [--data DIR] [--port-base N]

Kills random processes of a local network (kill -9; the connected systems and the chain's node included) at random moments, under a load of all
samples, and starts them again, until N were killed. Then every settlement must come to its right end, every balance reconcile, and nothing may
have taken effect twice. Exit 0 only if so.

  --kills N       how many (20)
  --seed S        which processes and moments; printed, so that a run can be repeated
  --json          print the result as one JSON object, as the last line
  --data DIR      a new directory for data and logs, which is kept (else a temporary one, which is kept only when something is wrong)
  --port-base N   first of forty ports on loopback (else a free range is looked for)

npm run torture -- --host fabric [--rounds N] [--seed S] [--json]

The same on Hyperledger Fabric, four countries with their own nodes: N faults (10) one after the other under a load of trades: partitions, long lines, killed and
silent processes, wiped and full disks, wrong clocks.`;

const root = resolve(import.meta.dirname, '..');

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
// Streams of processes that were killed may linger; everything that matters has been closed by now.
process.exit();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      seed: { type: 'string', default: Date.now().toString(36) },
      data: { type: 'string' },
      'port-base': { type: 'string' },
      json: { type: 'boolean', default: false },
      host: { type: 'string', default: 'embedded' },
      rounds: { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const kills = wholeNumber('--kills', values.kills, 0, 100_000);
  const { seed } = values;
  if (!/^[0-9a-z]{1,16}$/.test(seed)) throw new Error('--seed is up to sixteen small letters and digits.');
  if (values.host === 'fabric') {
    const rounds = wholeNumber('--rounds', values.rounds, 0, 100_000);
    return tortureFabric({ rounds, seed, say, signal: stopSignal() }, values.json);
  }
  if (values.host !== 'embedded') throw new Error('--host is embedded or fabric.');
  const portBase =
    values['port-base'] === undefined
      ? await freePortBase()
      : wholeNumber('--port-base', values['port-base'], 1024, 65_000);
  const data = values.data === undefined ? mkdtempSync(join(tmpdir(), 'linkspan-torture-')) : resolve(values.data);
  say(`seed ${seed}, ${kills} kills`);
  const report = await runTorture({ root, data, portBase, kills, seed, say, signal: stopSignal() }).catch(
    (error: unknown) => failed(seed, error),
  );
  if (report.wrong.length === 0 && values.data === undefined) rmSync(data, { recursive: true, force: true });
  for (const line of table(report)) say(line);
  if (report.wrong.length > 0) {
    for (const line of report.wrong) say(`✗ ${line}`);
    say(`\nData and logs are in ${data}. The same again: npm run torture -- --kills ${kills} --seed ${seed}`);
  }
  if (values.json) say(JSON.stringify(report));
  return report.wrong.length === 0 ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function stopSignal(): AbortSignal {
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopped.abort());
  return stopped.signal;
}

async function tortureFabric(options: FabricTortureOptions, asJson: boolean): Promise<number> {
  const { seed, rounds } = options;
  say(`seed ${seed}, ${rounds} faults on Fabric`);
  const report = await runFabricTorture(options);
  const { faults, ends, wrong, durationMs } = report;
  for (const line of ['', ...rowsOf(faults), '', ...rowsOf(ends)]) say(line);
  for (const line of wrong) say(`✗ ${line}`);
  const sum = wrong.length === 0 ? 'every trade ended, every balance reconciles, all countries agree' : 'wrong';
  say(
    `\n${(durationMs / 1000).toFixed(0)} s; ${sum}. The same again: npm run torture -- --host fabric --rounds ${rounds} --seed ${seed}`,
  );
  if (asJson) say(JSON.stringify(report));
  return wrong.length === 0 ? 0 : 1;
}

function rowsOf(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts).map(([name, count]) => `  ${name.padEnd(50)} ${String(count).padStart(6)}`);
}

function failed(seed: string, error: unknown): TortureReport {
  return {
    seed,
    kills: {},
    ends: {},
    trades: 0,
    durationMs: 0,
    wrong: [error instanceof Error ? error.message : String(error)],
  };
}

function table({ kills, ends, trades, durationMs, wrong }: TortureReport): string[] {
  const rows = (counts: Readonly<Record<string, number>>): string[] =>
    Object.entries(counts).map(([name, count]) => `  ${name.padEnd(24)} ${String(count).padStart(6)}`);
  const killed = Object.values(kills).reduce((sum, each) => sum + each, 0);
  return [
    `\n${killed} kills`,
    ...rows(kills),
    `\n${trades} trades`,
    ...rows(ends),
    `\n${(durationMs / 1000).toFixed(0)} s; ${wrong.length === 0 ? 'every trade came to its right end, every balance reconciles, nothing happened twice' : `${wrong.length} wrong`}`,
  ];
}

function wholeNumber(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high)
    throw new Error(`${name} is a whole number from ${low} to ${high}.`);
  return value;
}
