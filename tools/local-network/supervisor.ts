import { join } from 'node:path';
import { CannotRun } from './cannot-run.ts';
import { Child, type ChildDefinition, ChildFailed } from './child.ts';

/**
 * Starts the processes of the local network and ends them. A process that dies unasked fails the whole, and its name and last words are said; a
 * sample may take one down and bring it back. From `keepUp` on, what dies is started again.
 */
export class Supervisor {
  /** Rejects when a process ends that nobody asked to end. */
  readonly failed: Promise<never>;
  readonly #definitions: ReadonlyMap<string, ChildDefinition>;
  readonly #logs: string;
  readonly #children = new Map<string, Child>();
  readonly #asked = new Set<Child>();
  readonly #onProcesses: (processes: ReadonlyMap<string, number>) => void;
  readonly #restarts: number[] = [];
  #say: ((line: string) => void) | undefined;
  #stopping = false;
  #fail: (error: Error) => void = () => undefined;

  /** `onProcesses` is told the ids of all processes whenever one more was started. */
  constructor(
    definitions: readonly ChildDefinition[],
    data: string,
    onProcesses: (processes: ReadonlyMap<string, number>) => void = () => undefined,
  ) {
    this.#onProcesses = onProcesses;
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#logs = join(data, 'log');
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  get names(): readonly string[] {
    return [...this.#definitions.keys()];
  }

  /** Process ids by name, also of those that have ended. */
  pids(): ReadonlyMap<string, number> {
    const pids = [...this.#children].flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid] as const]));
    return new Map(pids);
  }

  /** Starts all at once; resolves when every one is ready, rejects with the first one's words that is not. */
  async startAll(): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
    const ready = [...this.#definitions.keys()].map(async (name) => [name, await this.start(name)] as const);
    return new Map(await Promise.all(ready));
  }

  async start(name: string): Promise<Readonly<Record<string, unknown>>> {
    const definition = this.#definitions.get(name);
    if (!definition) throw new Error(`there is no process ${name}`);
    if (this.#stopping) throw new Error(`${name} is not started any more`);
    const child = new Child(definition, this.#logs);
    this.#children.set(name, child);
    void child.ended.then((end) => {
      if (!this.#asked.has(child)) this.#endedUnasked(new ChildFailed(end), name);
    });
    this.#onProcesses(this.pids());
    const late = setTimeout(
      () => this.#fail(new CannotRun(`${name} was not ready within ${READY_WITHIN_MS / 1000} seconds.`)),
      READY_WITHIN_MS,
    );
    return child.ready.finally(() => clearTimeout(late));
  }

  /**
   * From now on a process that ends unasked is started again, and `say` is told; so whoever looks at the network may kill what they like. What ends
   * too often in a minute would do so for ever, and fails the whole.
   */
  keepUp(say: (line: string) => void): void {
    this.#say = say;
  }

  #endedUnasked(failure: ChildFailed, name: string): void {
    const now = performance.now();
    const recent = this.#restarts.filter((at) => now - at < 60_000);
    if (!this.#say || recent.length >= RESTARTS_IN_A_MINUTE) return this.#fail(failure);
    this.#restarts.splice(0, Infinity, ...recent, now);
    const say = this.#say;
    say(`${name} is started again: ${failure.message}`);
    // One that ends before it is ready has ended unasked again.
    this.start(name).then(
      () => say(`${name} is back`),
      () => undefined,
    );
  }

  /** Takes a process down as a crash would. */
  async kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (!child) throw new Error(`${name} is not running`);
    this.#asked.add(child);
    child.kill('SIGKILL');
    await child.ended;
  }

  /** Resolves when a process has ended that somebody takes down by another way: its end is as good as asked for. */
  async fall(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (!child) throw new Error(`${name} is not running`);
    this.#asked.add(child);
    await child.ended;
  }

  /** Ends all: those that call others first, so that nobody waits for somebody who is gone. Gives the names of those that had to be forced. */
  async stopAll(): Promise<string[]> {
    this.#stopping = true;
    const children = [...this.#children.values()];
    for (const child of children) this.#asked.add(child);
    const systems = children.filter(
      (child) => !child.name.startsWith('validator') && !child.name.startsWith('core-api'),
    );
    const callers = children.filter((child) => !systems.includes(child));
    const stopped = [...(await stopEach(callers)), ...(await stopEach(systems))];
    return stopped.filter(({ forced }) => forced).map(({ name }) => name);
  }
}

const READY_WITHIN_MS = 60_000;
const RESTARTS_IN_A_MINUTE = 5;

function stopEach(children: readonly Child[]): Promise<{ readonly name: string; readonly forced: boolean }[]> {
  return Promise.all(children.map(async (child) => ({ name: child.name, forced: (await child.stop()).forced })));
}
