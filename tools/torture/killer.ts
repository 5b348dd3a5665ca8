import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { CORE_API, folderOf } from '../local-network/layout.ts';
import { JournalBackups } from './journal-backups.ts';
import type { Random } from './random.ts';
import type { TortureNetwork } from './torture-network.ts';

/** Between two strikes the network may be whole for this long, and a process that was killed stays away for up to so long. */
const LONGEST_QUIET_MS = 1000;
const LONGEST_AWAY_MS = 1200;
const LONGEST_OUTAGE_MS = 8000;
/** After this long without being ready a process counts as not coming back. */
const READY_WITHIN_MS = 60_000;

/** Processes that carry more are struck more often. */
const WEIGHTS: Readonly<Record<string, number>> = { 'core-api': 6, 'fcy-evm': 3, anvil: 3, rtgs: 3, csd: 3 };

/** Kills with SIGKILL and starts again, at moments and in an order that follow from the seed. */
export class Killer {
  /** Kills by process. */
  readonly kills = new Map<string, number>();
  readonly #network: TortureNetwork;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  readonly #backups: readonly JournalBackups[];
  readonly #rising = new Map<string, Promise<unknown>>();
  readonly #beganAt = performance.now();

  constructor(network: TortureNetwork, random: Random, say: (line: string) => void) {
    this.#network = network;
    this.#random = random;
    this.#say = say;
    const folder = folderOf(network.layout, CORE_API);
    this.#backups = network.definition.organisations.map(
      ({ id }) => new JournalBackups(join(folder, id, 'journal.sqlite'), join(network.layout.data, 'backups', id)),
    );
  }

  get killed(): number {
    return [...this.kills.values()].reduce((sum, each) => sum + each, 0);
  }

  /** Resolves when so many were killed and everything runs again. */
  async strike(kills: number): Promise<void> {
    const random = this.#random;
    while (this.killed < kills) {
      await delay(random.between(0, LONGEST_QUIET_MS));
      const victims = [this.#pick()];
      if (random.chance(0.25)) victims.push(this.#pick());
      const [away, outage] = [
        random.between(0, LONGEST_AWAY_MS),
        random.chance(0.08) ? random.between(0, LONGEST_OUTAGE_MS) : 0,
      ];
      const names = [...new Set(victims)].slice(0, kills - this.killed);
      await Promise.all(names.map((name) => this.#kill(name)));
      await delay(away + outage);
      for (const process of new Set(names.map((name) => this.#processOf(name)))) this.#rise(process);
      // Otherwise the next strike may hit it while it starts.
      if (random.chance(0.6)) await this.ready();
    }
    await this.ready();
  }

  /** Resolves when every process that was started again is ready. */
  async ready(): Promise<void> {
    const rising = [...this.#rising.keys()];
    await within(
      Promise.all(this.#rising.values()),
      READY_WITHIN_MS,
      `not ready after ${READY_WITHIN_MS} ms, among ${rising.join(', ')}`,
    );
  }

  #pick(): string {
    const { supervisor, chainNode } = this.#network;
    const names = [...supervisor.names, chainNode.name];
    return this.#random.pick(names.flatMap((name) => Array.from({ length: WEIGHTS[name] ?? 1 }, () => name)));
  }

  async #kill(name: string): Promise<void> {
    const { supervisor, chainNode } = this.#network;
    const isStarting = this.#rising.has(this.#processOf(name));
    const seconds = ((performance.now() - this.#beganAt) / 1000).toFixed(1).padStart(6);
    this.#say(
      `${seconds} s  kill ${String(this.killed + 1).padStart(3)}  ${name}${isStarting ? ' while it starts' : ''}`,
    );
    this.kills.set(name, (this.kills.get(name) ?? 0) + 1);
    if (name === chainNode.name) await this.#killChainNode();
    else await supervisor.kill(name);
  }

  /** The node is its keeper's child: the keeper ends by itself when the node is gone. Where there is no node yet, the keeper is struck. */
  async #killChainNode(): Promise<void> {
    const { supervisor, chainNode } = this.#network;
    const fallen = supervisor.fall(chainNode.keeper);
    const pid = runningNode(chainNode.pidFile);
    if (pid === undefined || !killNow(pid)) await supervisor.kill(chainNode.keeper);
    await within(fallen, READY_WITHIN_MS, `${chainNode.keeper} did not end when its node was gone`);
  }

  #processOf(name: string): string {
    const { chainNode } = this.#network;
    return name === chainNode.name ? chainNode.keeper : name;
  }

  #rise(process: string): void {
    const { supervisor } = this.#network;
    if (process === CORE_API) this.#disturbCoreApi();
    // A start that a later strike cuts short is no failure; one that fails by itself is told by the supervisor.
    const started = supervisor.start(process).catch(() => undefined);
    this.#rising.set(process, started);
    void started.then(() => {
      if (this.#rising.get(process) === started) this.#rising.delete(process);
    });
  }

  /** While nobody has them open: journals are copied, some come back from an old copy, and some starts have two loops of each organisation. */
  #disturbCoreApi(): void {
    const random = this.#random;
    const restored = this.#backups.flatMap((backups, i) => {
      const [restore, which] = [random.chance(0.2), random.next()];
      if (!restore || backups.count === 0) {
        backups.take();
        return [];
      }
      backups.restore(Math.floor(which * backups.count));
      return [this.#network.definition.organisations[i]?.id ?? ''];
    });
    const loops = random.chance(0.3) ? 'two' : 'one';
    writeFileSync(join(folderOf(this.#network.layout, CORE_API), 'loops'), loops);
    if (restored.length > 0) this.#say(`            ${restored.join(' and ')} from an old backup`);
    if (loops === 'two') this.#say('            two loops of every organisation');
  }
}

/** False where it ended in the same moment. */
function killNow(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** The chain's node, unless its id belongs to another process by now (field 22 of /proc/PID/stat is when a process started). */
function runningNode(pidFile: string): number | undefined {
  try {
    const { pid, startTime } = pidSchema.parse(JSON.parse(readFileSync(pidFile, 'utf8')));
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] === startTime ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function within<T>(work: Promise<T>, limitMs: number, otherwise: string): Promise<T> {
  const done = new AbortController();
  const late = delay(limitMs, undefined, { signal: done.signal }).then(() => {
    throw new Error(otherwise);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

const pidSchema = z.looseObject({ pid: z.int().min(2), startTime: z.string() });
