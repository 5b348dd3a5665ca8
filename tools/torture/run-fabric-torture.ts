import { setTimeout as delay } from 'node:timers/promises';
import { ENDS, Fault, type Hash } from '@linkspan/protocol';
import { FABRIC_FAULTS, type FabricFault, whyNoFullDisk } from '../../test/support/fabric-faults.ts';
import { type FabricScene, openFabricScene } from '../../test/support/fabric-scene.ts';
import { whyNoLinks } from '../../test/support/linked-network.ts';
import { Random } from './random.ts';

export type FabricTortureOptions = {
  readonly rounds: number;
  readonly seed: string;
  readonly say: (line: string) => void;
  /** Ends the run early. */
  readonly signal: AbortSignal;
};

export type FabricTortureReport = {
  readonly seed: string;
  /** How often each fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** Trades by their end. */
  readonly ends: Readonly<Record<string, number>>;
  readonly durationMs: number;
  /** What is wrong, in words; empty when everything came to its right end. */
  readonly wrong: readonly string[];
};

const TRADES_AT_ONCE = 4;
const LONGEST_FAULT_MS = 12_000;
/** After a fault something must end within this time, and at last everything. */
const PATIENCE_MS = 180_000;

/** Faults of every kind on a real network of four countries under load, one after the other; then every settlement must have ended and every balance reconcile. */
export async function runFabricTorture(options: FabricTortureOptions): Promise<FabricTortureReport> {
  const { rounds, seed, say, signal } = options;
  const missing = await whyNoLinks();
  if (missing !== undefined) throw new Error(`This cannot run here: it ${missing}.`);
  const began = performance.now();
  const [random, faults] = [new Random(seed, 'faults'), await possibleFaults(say)];
  await using scene = await openFabricScene();
  const load = new FabricLoad(scene, new Random(seed, 'load'), signal);
  const working = load.run();
  working.catch(() => undefined);
  const counts: Record<string, number> = {};
  const wrong: string[] = [];
  try {
    for (let round = 1; round <= rounds && !signal.aborted; round++) {
      const fault = random.pick(faults);
      counts[fault.name] = (counts[fault.name] ?? 0) + 1;
      await Promise.race([strike(scene, load, fault, { random, round, say }), working]);
    }
    load.stop();
    await working;
    say('            no more faults; now everything must end and the books are read');
    await scene.everythingEnds(PATIENCE_MS);
  } catch (error) {
    wrong.push(error instanceof Error ? error.message : String(error));
    load.stop();
  }
  if (signal.aborted) wrong.push('ended from outside');
  return { seed, faults: counts, ends: load.ends, durationMs: Math.round(performance.now() - began), wrong };
}

async function possibleFaults(say: (line: string) => void): Promise<readonly FabricFault[]> {
  const noFullDisk = await whyNoFullDisk();
  if (noFullDisk === undefined) return FABRIC_FAULTS;
  say(`No disk is filled: it ${noFullDisk}.`);
  return FABRIC_FAULTS.filter(({ name }) => !name.includes('full'));
}

type Round = { readonly random: Random; readonly round: number; readonly say: (line: string) => void };

async function strike(
  scene: FabricScene,
  load: FabricLoad,
  fault: FabricFault,
  { random, round, say }: Round,
): Promise<void> {
  const heal = await fault.strike(scene, (below) => random.between(0, below - 1));
  const lastsMs = random.between(500, LONGEST_FAULT_MS);
  await delay(lastsMs);
  const before = load.ended;
  await heal();
  const healed = performance.now();
  await scene.waitFor(`something ends after: ${fault.name}`, async () => load.ended > before, PATIENCE_MS);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  say(
    `${String(round).padStart(4)}  ${seconds(lastsMs).padStart(6)}  ${fault.name}; the next trade ended ${seconds(performance.now() - healed)} after it was mended`,
  );
}

/** Trades, a few at once, some of them with so little time that they may have to be cancelled. */
class FabricLoad {
  readonly ends: Record<string, number> = {};
  ended = 0;
  readonly #scene: FabricScene;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  #isStopped = false;
  #trades = 0;

  constructor(scene: FabricScene, random: Random, signal: AbortSignal) {
    this.#scene = scene;
    this.#random = random;
    this.#signal = signal;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: TRADES_AT_ONCE }, () => this.#one()));
  }

  async #one(): Promise<void> {
    while (!this.#isStopped && !this.#signal.aborted) {
      const inMs = this.#random.chance(0.2) ? 15_000 : 900_000;
      const tradeId = `TORTURE-${(this.#trades += 1)}`;
      const proposal = await this.#retried(() => this.#scene.lodge(tradeId, inMs).catch(tooLate));
      const phase = proposal === undefined ? 'too late' : await this.#retried(() => this.#endOf(proposal));
      this.ends[phase] = (this.ends[phase] ?? 0) + 1;
      this.ended += 1;
    }
  }

  async #endOf(proposal: Hash): Promise<string> {
    return (await this.#scene.net.until(proposal, ENDS, PATIENCE_MS)).state.phase;
  }

  /** The country from which the load looks may itself be struck; faults of its ledger pass. */
  async #retried<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Fault) || this.#signal.aborted) throw error;
        await delay(200);
      }
    }
  }
}

/** Nothing was lodged: the ledger gave no answer until the trade's own deadline. */
function tooLate(error: unknown): undefined {
  if (error instanceof Error && error.message.includes('deadline-passed')) return undefined;
  throw error;
}
