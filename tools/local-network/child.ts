import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A process of the local network. */
export type ChildDefinition = { readonly name: string; readonly script: string; readonly config: string };

/** What ended a process, its last words that say why (empty where it said nothing), and the file with all that it said. */
export type ChildEnd = {
  readonly name: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly message: string;
  readonly log: string;
};

/** Most of a start is compiling the same modules in nine processes: every later one takes what the first ones left. Node checks that it is fresh. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/linkspan', import.meta.url));
const KILL_AFTER_MS = 8000;
const KEPT_CHARACTERS = 16_384;

/** One running process: when it was ready, when it ended, and what it said last. Its output goes to a log file of its own. */
export class Child {
  readonly name: string;
  /** None where it could not even be started. */
  readonly pid: number | undefined;
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;

  constructor(definition: ChildDefinition, logs: string) {
    const { name, script, config } = definition;
    this.name = name;
    mkdirSync(logs, { recursive: true });
    const path = join(logs, `${name}.log`);
    const log = createWriteStream(path, { flags: 'a' });
    // A log that cannot be written (a full disk) must not end the process that it is about.
    log.on('error', () => undefined);
    const preload = new URL('end-with-parent.ts', import.meta.url).href;
    // In a group of its own, so that Ctrl-C at the terminal reaches the supervisor alone, which ends its children in order.
    this.#process = spawn(process.execPath, ['--import', preload, script, '--config', config], {
      stdio: 'pipe',
      detached: true,
      env: { NODE_COMPILE_CACHE, ...process.env },
    });
    this.pid = this.#process.pid;
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on('error', () => undefined);
    let said = '';
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      said = (said + text).slice(-KEPT_CHARACTERS);
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) =>
        resolve({ name, code: null, signal: null, message: error.message, log: path }),
      );
      this.#process.once('close', (code, signal) => {
        log.end();
        resolve({ name, code, signal, message: signal === null ? lastWords(said) : '', log: path });
      });
    });
    this.ready = new Promise((resolve, reject) => {
      let text = '';
      stdout?.setEncoding('utf8').on('data', (part: string) => {
        log.write(part);
        text = (text + part).slice(-65_536);
        const line = text.split('\n').find((each) => each.startsWith('{"ready":true'));
        if (line !== undefined && text.includes(`${line}\n`)) resolve(parseObject(line));
      });
      void this.ended.then((end) => reject(new ChildFailed(end)));
    });
    // Whoever does not wait for readiness learns of the end by `ended`.
    this.ready.catch(() => undefined);
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): void {
    this.#process.kill(signal);
  }

  /** Asks it to end, and makes it end when it does not; says whether it had to. */
  async stop(): Promise<{ readonly forced: boolean }> {
    let forced = false;
    const timer = setTimeout(() => {
      forced = true;
      this.kill('SIGKILL');
    }, KILL_AFTER_MS);
    this.kill('SIGTERM');
    await this.ended;
    clearTimeout(timer);
    return { forced };
  }
}

/** A process ended that should not have; the message says which, how and why, and where there is more to read. */
export class ChildFailed extends Error {
  override readonly name = 'ChildFailed';

  constructor({ name, code, signal, message, log }: ChildEnd) {
    const how = signal ? `was ended by ${signal}` : code === null ? 'could not be started' : `ended with code ${code}`;
    const why = message === '' ? '.' : `: ${message.replace(/\.*$/, '.')}`;
    super(`${name} ${how}${why} Its log is ${log}`);
  }
}

/**
 * The line of what a process wrote that says why it ended: after an uncaught error the one with its message, else the last one. Lines of the log
 * and stacks tell nothing to people.
 */
export function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s+at |^\{|^\}|^Node\.js v[0-9]/.test(line));
  const uncaught = /^(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Fault|Broken)\b[^:]*: (.*)/;
  const line = lines.findLast((each) => uncaught.test(each)) ?? lines.at(-1) ?? '';
  return (uncaught.exec(line)?.[1] ?? line).trim();
}

function parseObject(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
