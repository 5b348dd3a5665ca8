import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '@linkspan/protocol';
import type { OrganisationLayout } from './network-layout.ts';
import { writeJson } from './write-json.ts';

export type NodeProcess = {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** A process that was started, as it is noted on disk. The time of its start tells it from another one that got its number later. */
export type NotedProcess = {
  readonly name: string;
  readonly pid: number;
  readonly started: string;
  /** What it was started with. */
  readonly args?: readonly string[];
};

const PATIENCE_MS = 8000;
const LOOK_EVERY_MS = 50;
const MOST_SAID = 300;

/** Starts a process that outlives this one, with its output in the organisation's logs, and notes it. One that runs already is left alone. */
export function startProcess(layout: OrganisationLayout, { name, program, args, env }: NodeProcess): NotedProcess {
  const running = notedProcesses(layout).find((each) => each.name === name);
  if (running && isRunning(running)) return running;
  mkdirSync(layout.logs, { recursive: true });
  const log = openSync(join(layout.logs, `${name}.log`), 'a');
  try {
    const child = spawn(program, [...args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...env },
      cwd: layout.folder,
    });
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new Fault('internal', `${program} could not be started.`);
    const noted = { name, pid: child.pid, started: startOf(child.pid) ?? '', args };
    writeJson(join(layout.processes, `${name}.json`), noted);
    return noted;
  } finally {
    closeSync(log);
  }
}

export function notedProcesses(layout: OrganisationLayout): NotedProcess[] {
  let files: string[];
  try {
    files = readdirSync(layout.processes);
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    const noted: unknown = JSON.parse(readFileSync(join(layout.processes, file), 'utf8'));
    return isNoted(noted) ? [noted] : [];
  });
}

/** Lets a process that runs on under another name, with its log; the log of the one that had the name before is kept beside it. */
export function renameProcess(layout: OrganisationLayout, noted: NotedProcess, name: string): void {
  const log = (of: string): string => join(layout.logs, `${of}.log`);
  if (existsSync(log(name))) renameSync(log(name), log(`${name}-before`));
  renameSync(log(noted.name), log(name));
  writeJson(join(layout.processes, `${name}.json`), { ...noted, name });
  rmSync(join(layout.processes, `${noted.name}.json`));
}

export function isRunning({ pid, started }: NotedProcess): boolean {
  const now = startOf(pid);
  return now !== undefined && now === started;
}

/** Whether one of an organisation's processes runs that was started from here. */
export function runsFromHere(layout: OrganisationLayout, name: string): boolean {
  return notedProcesses(layout).some((each) => each.name === name && isRunning(each));
}

/**
 * Throws a Fault `not-ready` with its last words where one of an organisation's processes was started from here and has ended since:
 * what answers at its port is then another program.
 */
export function checkRuns(layout: OrganisationLayout, { id }: { readonly id: string }, name: string): void {
  const ended = notedProcesses(layout).find((each) => each.name === name && !isRunning(each));
  if (!ended) return;
  throw new Fault('not-ready', `${ended.name} of ${id} ended: ${lastLine(join(layout.logs, `${ended.name}.log`))}`);
}

function lastLine(log: string): string {
  if (!existsSync(log)) return 'it said nothing.';
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.at(-1)?.slice(0, MOST_SAID) ?? 'it said nothing.';
}

/** Asks a process to end, makes it end when it does not, and forgets it. Only the very process that was started is touched. */
export async function stopProcess(layout: OrganisationLayout, noted: NotedProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isRunning(noted)) break;
    try {
      process.kill(noted.pid, signal);
    } catch {
      break;
    }
    for (let waitedMs = 0; waitedMs < PATIENCE_MS && isRunning(noted); waitedMs += LOOK_EVERY_MS)
      await delay(LOOK_EVERY_MS);
  }
  if (isRunning(noted)) throw new Fault('internal', `The process ${noted.pid} (${noted.name}) does not end.`);
  rmSync(join(layout.processes, `${noted.name}.json`), { force: true });
}

/** When a process began, in the system's own words; undefined where it does not run, or has ended and was not collected by its parent. */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // The name of the program, in brackets, may hold anything; the 22nd field is the time of the start.
      const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      return state === 'Z' ? undefined : fields[18];
    } catch {
      return undefined;
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

function isNoted(value: unknown): value is NotedProcess {
  return typeof value === 'object' && value !== null && 'name' in value && 'pid' in value && 'started' in value;
}
