import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { CannotRun } from './cannot-run.ts';
import { isAlive } from './is-alive.ts';

/** The data directory, held by this process alone until it is disposed of or the process ends, however that happens. */
export type DataDirectory = Disposable & {
  readonly path: string;
  /** Whether an earlier start left data here. */
  readonly continues: boolean;
  /** Forgets the data: what this program writes here (`names` of its files and folders), and nothing else. */
  forget(names: readonly string[]): void;
  /** Notes the running processes, so that the next start can wait for those that a crash leaves behind. */
  note(processes: ReadonlyMap<string, number>): void;
};

/**
 * Opens a data directory, made where it is missing. Waits for processes of a start that was killed: they end by themselves within seconds. Throws
 * CannotRun where another start has the directory, or where it cannot be written.
 */
export async function openDataDirectory(
  path: string,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<DataDirectory> {
  makeDirectory(path);
  const known = existsSync(join(path, LOCK)) || existsSync(join(path, 'genesis.json'));
  const lock = takeLock(path);
  const running = join(path, RUNNING);
  await leftBehind(readPids(running), say, stop);
  return {
    path,
    continues: known && existsSync(join(path, 'genesis.json')),
    forget(names) {
      if (known) for (const name of [...names, RUNNING]) rmSync(join(path, name), { recursive: true, force: true });
    },
    note: (processes) =>
      writeFileSync(running, `${JSON.stringify({ pid: process.pid, processes: Object.fromEntries(processes) })}\n`),
    [Symbol.dispose]() {
      rmSync(running, { force: true });
      lock.close();
    },
  };
}

const LOCK = 'lock';
const RUNNING = 'running.json';
const SQLITE_BUSY = 5;
const PATIENCE_MS = 15_000;
const LOOK_AGAIN_MS = 50;

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Node says so for a directory that cannot be made on a read-only file system, too.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new CannotRun(`The directory ${path} cannot be made.`);
    throw error;
  }
}

/** An open SQLite transaction is the only lock that Node can take on a file and that the operating system takes back by itself. */
function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(path, LOCK), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    const why = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY))
      throw new CannotRun(`${path} cannot be written: ${why}.`);
    const [pid] = readPids(join(path, RUNNING)).keys();
    const who = pid === undefined ? '' : ` (process ${pid})`;
    throw new CannotRun(
      `A local network runs on ${path} already${who}: end it, or start another with --data and --port-base.`,
    );
  }
}

/** Process ids with their names, the supervisor's first; none where the last start ended in order. */
function readPids(file: string): ReadonlyMap<number, string> {
  const pids = new Map<number, string>();
  if (!existsSync(file)) return pids;
  const add = (pid: unknown, name: string): void => void (Number.isInteger(pid) && pids.set(Number(pid), name));
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('processes' in value)) return pids;
    add(value.pid, 'npm start');
    for (const [name, pid] of Object.entries(value.processes ?? {})) add(pid, name);
  } catch {
    // The crash may have come while it was written; then the locks of the processes themselves have the last word.
  }
  return pids;
}

async function leftBehind(
  pids: ReadonlyMap<number, string>,
  say: (line: string) => void,
  stop: AbortSignal,
): Promise<void> {
  const alive = (): string[] =>
    [...pids].filter(([pid]) => pid !== process.pid && isAlive(pid)).map(([, name]) => name);
  if (alive().length === 0) return;
  say(`The last start was killed; waiting for its processes to end: ${alive().join(', ')}.`);
  const until = performance.now() + PATIENCE_MS;
  while (alive().length > 0 && performance.now() < until && !stop.aborted) await delay(LOOK_AGAIN_MS);
}
