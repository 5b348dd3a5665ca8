import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A process of the local network. */
export type ChildDefinition = { readonly name: string; readonly script: string; readonly config: string };

/** What ended a process. */
export type ChildEnd = { readonly name: string; readonly code: number | null; readonly signal: string | null; readonly message: string };

const KILL_AFTER_MS = 8000;
const KEPT_LINES = 5;

/** One running process: when it was ready, when it ended, and what it said last. Its output goes to a log file of its own. */
export class Child {
  readonly name: string;
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;

  constructor(definition: ChildDefinition, logs: string) {
    const { name, script, config } = definition;
    this.name = name;
    mkdirSync(logs, { recursive: true });
    const log = createWriteStream(join(logs, `${name}.log`), { flags: 'a' });
    // A log that cannot be written (a full disk) must not end the process that it is about.
    log.on('error', () => undefined);
    const preload = new URL('end-with-parent.ts', import.meta.url).href;
    this.#process = spawn(process.execPath, ['--import', preload, script, '--config', config], { stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#process;
    stdin?.on('error', () => undefined);
    const said: string[] = [];
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      said.push(...text.split('\n').filter((line) => line.trim() !== ''));
      said.splice(0, said.length - KEPT_LINES);
    });
    this.ended = new Promise((resolve) => {
      this.#process.once('error', (error) => resolve({ name, code: null, signal: null, message: error.message }));
      this.#process.once('close', (code, signal) => {
        log.end();
        resolve({ name, code, signal, message: said.at(-1) ?? '' });
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

  /** Asks it to end, and makes it end when it does not. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.kill('SIGKILL'), KILL_AFTER_MS);
    this.kill('SIGTERM');
    await this.ended;
    clearTimeout(timer);
  }
}

export class ChildFailed extends Error {
  override readonly name = 'ChildFailed';

  constructor(end: ChildEnd) {
    const how = end.signal ? `was ended by ${end.signal}` : `ended with code ${end.code}`;
    super(end.message === '' ? `${end.name} ${how}.` : `${end.name}: ${end.message}`);
  }
}

function parseObject(line: string): Record<string, unknown> {
  const value: unknown = JSON.parse(line);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
