import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from '../../tools/local-network/is-alive.ts';

export const root = resolve(import.meta.dirname, '../..');

const PATIENCE_MS = 120_000;
const LOOK_AGAIN_MS = 20;

/** What a start left: its exit code, and what it printed. */
export type Ended = {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: readonly string[];
};

/** One `npm start`, as somebody at a terminal runs it, in a process group of its own. */
export class NpmStart implements AsyncDisposable {
  readonly ended: Promise<Ended>;
  readonly #npm: ChildProcess;
  readonly #data: string;
  readonly #pids = new Map<number, string>();
  readonly #waiting = new Set<() => void>();
  #keeper: number | undefined;
  #output = '';

  constructor(data: string, portBase: number, args: readonly string[]) {
    this.#data = data;
    const options = ['--data', data, '--port-base', String(portBase), ...args];
    this.#npm = spawn('npm', ['start', '--silent', '--', ...options], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    this.#npm.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    this.#npm.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#notePids();
      for (const wake of this.#waiting) wake();
    });
    this.ended = new Promise((done, failed) => {
      this.#npm.once('error', failed);
      this.#npm.once('close', (code) => {
        // What npm itself has to say, about its own configuration for instance, is none of ours.
        const own = linesOf(errors).filter((line) => !line.startsWith('npm '));
        done({ code, lines: linesOf(this.#output), errors: own });
        for (const wake of this.#waiting) wake();
      });
    });
  }

  /** Resolves with the first match in what was printed; fails with all of it where the start ends before, or says nothing for too long. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.ended.then((end) => end);
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found) return found;
      const next = new Promise<undefined>((wake) => this.#waiting.add(() => wake(undefined)));
      const end = await Promise.race([next, ended, timeout(`${pattern} in ${this.#output}`)]);
      if (end && !pattern.test(this.#output))
        assert.fail(`ended without ${pattern}: ${this.#output}\n${end.errors.join('\n')}`);
    }
  }

  /** The id of a process of the network, `npm start` for the one that keeps the others. */
  pid(name: string): number {
    this.#notePids();
    const found = [...this.#pids].findLast(([, each]) => each === name);
    return found?.[0] ?? assert.fail(`${name} is not running`);
  }

  /** Ctrl-C at the terminal: every process of the group in the foreground gets it. */
  interrupt(): void {
    if (this.#npm.pid !== undefined) process.kill(-this.#npm.pid, 'SIGINT');
  }

  /** A signal to npm alone, and not to what it runs. */
  signalNpm(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#npm.kill(signal);
  }

  /** Resolves when every process that was ever seen has ended, the node of the chain too; fails with the names of those that stay. */
  async allGone(): Promise<void> {
    this.#notePids();
    assert.ok(this.#pids.size > 1, 'processes were seen');
    const left = (): string[] => [...this.#pids].flatMap(([pid, name]) => (isAlive(pid) ? [`${name} (${pid})`] : []));
    const until = performance.now() + PATIENCE_MS;
    while (left().length > 0 && performance.now() < until) await delay(LOOK_AGAIN_MS);
    assert.deepEqual(left(), [], 'processes are left behind');
  }

  /** Ends what a failed test left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#notePids();
    const group = this.#npm.pid;
    if (group !== undefined && this.#npm.exitCode === null && this.#npm.signalCode === null)
      process.kill(-group, 'SIGKILL');
    // Before the end is awaited: whoever is left holds the output open.
    for (const pid of this.#pids.keys()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await this.ended;
  }

  #notePids(): void {
    const running = readJson(join(this.#data, 'running.json'));
    if (!isObject(running) || !isObject(running['processes'])) return;
    // The starts before and after this one on the same data write the same file.
    const keeper = Number(running['pid']);
    if (this.#keeper === undefined && isAlive(keeper)) this.#keeper = keeper;
    if (keeper !== this.#keeper) return;
    this.#pids.set(keeper, 'npm start');
    for (const [name, pid] of Object.entries(running['processes'])) this.#pids.set(Number(pid), name);
    const chain = readText(join(this.#data, 'fcy-evm/data/anvil.pid'));
    const pid = Number(/[0-9]+/.exec(chain ?? '')?.[0]);
    if (pid > 0) this.#pids.set(pid, 'anvil');
  }
}

/** A folder for one test, and thirty free ports for each network in it. */
export class Workplace implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'linkspan-e2e-'));
  readonly #starts: NpmStart[] = [];
  readonly #bases = new Set<number>();

  async portBase(): Promise<number> {
    for (let tried = 0; tried < 200; tried++) {
      const base = FIRST_BASE + PORTS * Math.floor(Math.random() * BASES);
      if (this.#bases.has(base)) continue;
      this.#bases.add(base);
      const free = await Promise.all(Array.from({ length: PORTS }, (_, i) => isFree(base + i)));
      if (free.every(Boolean)) return base;
    }
    return assert.fail('no free ports in a row were found');
  }

  /** A directory with copies of these samples. */
  samples(...names: readonly string[]): string {
    const directory = mkdtempSync(join(this.folder, 'samples-'));
    for (const name of names) cpSync(join(root, 'deploy/samples', name), join(directory, name), { recursive: true });
    return directory;
  }

  start(data: string, portBase: number, ...args: readonly string[]): NpmStart {
    const start = new NpmStart(join(this.folder, data), portBase, args);
    this.#starts.push(start);
    return start;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#starts.map((start) => start[Symbol.asyncDispose]()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Below the ports that operating systems give to outgoing connections, which could take one of them at any moment. */
const FIRST_BASE = 30_000;
const PORTS = 40;
const BASES = 65;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Undefined where there is no such file, or only a part of it yet. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

async function timeout(what: string): Promise<never> {
  await delay(PATIENCE_MS, undefined, { ref: false });
  return assert.fail(`waited too long for ${what}`);
}
