import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@linkspan/coordinator';
import { type ArchivedLedger, type Ledger, openFabricLedger } from '@linkspan/ledger';
import { ENDS, Fault, type Hash, type Phase } from '@linkspan/protocol';
import {
  type InProcessNetwork,
  inProcessNetwork,
  type NetworkInvariants,
  sampleInstruction,
  watchInvariants,
} from '@linkspan/testkit';
import type { FabricOrganisation } from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout, type OrganisationLayout } from '../../apps/cli/src/network/network-layout.ts';
import { networkStatus } from '../../apps/cli/src/network/network-status.ts';
import { notedProcesses, stopProcess } from '../../apps/cli/src/network/node-process.ts';
import { channelsUrl } from '../../apps/cli/src/network/node-requests.ts';
import { type LinkedNetwork, startLinkedNetwork } from './linked-network.ts';

export type NodeName = 'peer' | 'orderer' | 'chaincode';
export const NODE_NAMES = ['peer', 'orderer', 'chaincode'] as const;

/** The sample network's organisations are at home in the first three countries; the fourth one only endorses, orders and watches. */
const HOMES = ['central-bank-a', 'central-bank-b', 'csd-b'];
const COUNTRIES = 4;
const WATCHER = 3;
/** Enough of everything for thousands of trades. */
const BALANCES = {
  'fcy-evm': { '0x71be63f3384f5fb98995898a86b02fb2426c5788': { USD: '900000000.00' } },
  rtgs: { '9001': { JPY: '900000000000' } },
  csd: { '0042': { XS0000000009: '900000000000' } },
};
const LOOK_EVERY_MS = 100;
const SAID = 40;

/**
 * Four countries on real Fabric, each with its own peer, orderer, contract, archive and signing journal; three of them with an organisation of the sample
 * network, whose coordinators, validators and systems run in this process on their own country's peer alone.
 */
export class FabricScene implements AsyncDisposable {
  readonly fabric: LinkedNetwork;
  readonly net: InProcessNetwork;
  readonly journals: string;
  readonly #ledgers: (ArchivedLedger | undefined)[];
  readonly #invariants: NetworkInvariants;
  readonly #lodged: Hash[] = [];
  readonly #children = new Set<ChildProcess>();
  readonly #watcher: { index: number };
  readonly #said: readonly string[];

  constructor(parts: Parts) {
    this.fabric = parts.fabric;
    this.net = parts.net;
    this.journals = parts.journals;
    this.#ledgers = parts.ledgers;
    this.#watcher = parts.watcher;
    this.#said = parts.said;
    this.#invariants = watchInvariants(parts.net);
  }

  get countries(): readonly FabricOrganisation[] {
    return this.fabric.network.organisations;
  }

  country(index: number): FabricOrganisation {
    return this.countries[index] ?? assert.fail(`there is no country ${index}`);
  }

  layoutOf(index: number): OrganisationLayout {
    return networkLayout(this.fabric.directory).organisation(this.country(index));
  }

  ledger(index: number): ArchivedLedger {
    return this.#ledgers[index] ?? assert.fail(`there is no country ${index}`);
  }

  /** The organisation of the sample network that is at home in a country. */
  organisationIn(index: number): string | undefined {
    return HOMES[index];
  }

  /** From now on the test looks at the ledger from this country. */
  watchFrom(index: number): void {
    this.#watcher.index = index;
  }

  /** A ledger of this country that soon gives up. */
  hastyLedger(index: number, patienceMs: number): Promise<ArchivedLedger> {
    const options = this.fabric.ledgerOptions(this.country(index));
    return openFabricLedger({ ...options, archiveFile: `${options.archiveFile}.hasty-${patienceMs}`, patienceMs });
  }

  /** Lodges both sides of a new trade, again and again until the ledger has taken them. */
  async lodge(tradeId: string, inMs = 600_000): Promise<Hash> {
    const instruction = sampleInstruction(tradeId, Date.now(), inMs);
    for (const signal = AbortSignal.timeout(120_000); ;) {
      try {
        const proposal = await this.net.lodge(instruction);
        this.#lodged.push(proposal);
        return proposal;
      } catch (error) {
        if (!(error instanceof Fault) || signal.aborted) throw error;
      }
    }
  }

  /** Lodges several at once, under names that begin alike. */
  lodgeMany(name: string, count: number): Promise<readonly Hash[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => this.lodge(`${name}-${i}`)));
  }

  async phaseOf(proposal: Hash): Promise<Phase> {
    return (await this.net.view(proposal)).state.phase;
  }

  /** Waits until everything that was lodged has ended, everybody's node has every block, every balance reconciles, and all countries see the same. */
  async everythingEnds(limitMs = 120_000): Promise<ReadonlyMap<Hash, Phase>> {
    const ends = new Map<Hash, Phase>();
    for (const proposal of this.#lodged) ends.set(proposal, await this.#endOf(proposal, limitMs));
    await this.allCatchUp();
    await this.#invariants.checkEnded();
    for (const proposal of this.#lodged) {
      const views = await Promise.all(
        [...this.countries.keys()].map((index) => this.ledger(index).evaluate('settlement', { id: proposal })),
      );
      for (const view of views) assert.deepEqual(view, views[0], 'all countries hold the same history');
    }
    return ends;
  }

  /** Everything that was lodged has settled in full, and so on. */
  async everythingSettles(): Promise<void> {
    for (const [proposal, phase] of await this.everythingEnds()) assert.equal(phase, 'settled', proposal);
  }

  /** Waits until all peers and orderers have the same blocks. What an orderer got from another one is in no metric of its own, so it is asked itself. */
  async allCatchUp(): Promise<void> {
    await this.waitFor('all nodes have every block', async () => {
      const nodes = await networkStatus(this.fabric.network, this.fabric.directory);
      const orderers = await Promise.all(this.countries.map((each) => this.#ordererHeight(each)));
      const heights = [...nodes.map(({ peerHeight }) => peerHeight), ...orderers];
      return heights.every((height) => height !== undefined && height === heights[0]);
    });
  }

  /** The country whose orderer leads. One that was cut off may still say so of itself, with a lower height. */
  async leader(): Promise<number> {
    const nodes = await networkStatus(this.fabric.network, this.fabric.directory);
    const highest = Math.max(...nodes.map(({ isLeader, ordererHeight }) => (isLeader ? (ordererHeight ?? 0) : 0)));
    const leader = nodes.findIndex(({ isLeader, ordererHeight }) => isLeader && (ordererHeight ?? 0) === highest);
    return leader === -1 ? assert.fail('no orderer says that it leads') : leader;
  }

  async waitFor(what: string, isSo: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    for (const signal = AbortSignal.timeout(limitMs); !(await isSo()); await delay(LOOK_EVERY_MS))
      if (signal.aborted) assert.fail(`${what}: not within ${limitMs} ms`);
  }

  /** Cuts every line between the countries of these and the others: peers, orderers, and what organisations tell each other directly. */
  partition(side: readonly number[]): void {
    const isInside = (country: string): boolean => side.some((index) => this.country(index).id === country);
    this.fabric.setLinks((from, to) => ({ isCut: isInside(from) !== isInside(to) }));
    const isAtHomeInside = (organisation: string): boolean => side.includes(HOMES.indexOf(organisation));
    this.net.onCrossing = ({ organisation, port, when, to }) => {
      const isBetween = port === 'send-shares' || port === 'send-statements' || port === 'ask-shares';
      return isBetween && when === 'before' && isAtHomeInside(organisation) !== isAtHomeInside(to)
        ? 'no-answer'
        : undefined;
    };
  }

  /** All lines are whole, and as long as is said. */
  join(delayMs = 0): void {
    this.net.onCrossing = undefined;
    this.fabric.setLinks(() => ({ delayMs }));
  }

  /** Ends a process without a word. */
  async kill(index: number, name: NodeName): Promise<void> {
    const layout = this.layoutOf(index);
    const noted = notedProcesses(layout).find((each) => each.name === name);
    if (!noted) return;
    signal(noted.pid, 'SIGKILL');
    await stopProcess(layout, noted);
  }

  /** A paused process keeps its connections and says nothing. */
  pause(index: number, name: NodeName): void {
    signal(this.#pidOf(index, name), 'SIGSTOP');
  }

  resume(index: number, name: NodeName): void {
    signal(this.#pidOf(index, name), 'SIGCONT');
  }

  killCoordinator(index: number): void {
    const organisation = HOMES[index];
    if (organisation !== undefined) this.net.kill(organisation);
  }

  /** Starts the coordinator of a country that has one and where it does not run. */
  async startCoordinator(index: number): Promise<void> {
    const organisation = HOMES[index];
    if (organisation === undefined || this.net.state(organisation) !== 'gone') return;
    await this.#retried(() => this.net.start(organisation));
  }

  /** Ends everything of a country and makes its disks empty: ledgers of peer and orderer, archive, signing journal. Nothing runs afterwards. */
  async wipe(index: number): Promise<void> {
    this.killCoordinator(index);
    await this.close(index);
    for (const name of NODE_NAMES) await this.kill(index, name);
    const { peerData, ordererData, folder } = this.layoutOf(index);
    const gone = [peerData, ordererData, join(folder, 'core-api')];
    const organisation = HOMES[index];
    if (organisation !== undefined)
      gone.push(...['', '-wal', '-shm'].map((end) => `${this.net.journalPath(organisation)}${end}`));
    for (const path of gone) rmSync(path, { recursive: true, force: true });
  }

  /** Closes the country's ledger, as the end of its CoreAPI does. */
  async close(index: number): Promise<void> {
    const ledger = this.#ledgers[index];
    this.#ledgers[index] = undefined;
    await ledger?.[Symbol.asyncDispose]();
  }

  /** Starts the country's ledger anew, on whatever its disk has. */
  async reopen(index: number): Promise<void> {
    this.#ledgers[index] = await openFabricLedger(this.fabric.ledgerOptions(this.country(index)));
  }

  /** A process that a fault has started in the place of one of the network's. It ends with the scene. */
  attach(child: ChildProcess): void {
    this.#children.add(child);
  }

  /** Ends such a process. */
  async detach(child: ChildProcess): Promise<void> {
    this.#children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.join();
    for (const child of this.#children) await this.detach(child);
    await this.net[Symbol.asyncDispose]();
    for (const index of this.countries.keys()) await this.close(index);
    await this.fabric[Symbol.asyncDispose]();
    rmSync(this.journals, { recursive: true, force: true });
  }

  async #endOf(proposal: Hash, limitMs: number): Promise<Phase> {
    try {
      return (await this.net.until(proposal, ENDS, limitMs)).state.phase;
    } catch (error) {
      const { state } = await this.net.view(proposal);
      const operations = state.operations.map(({ system, verb, status }) => `${system} ${verb} ${status}`);
      const about = { phase: state.phase, operations, attention: state.attention, said: this.#said };
      throw new Error(`It did not end: ${JSON.stringify(about, undefined, 1)}`, { cause: error });
    }
  }

  async #ordererHeight(country: FabricOrganisation): Promise<number | undefined> {
    try {
      const response = await fetch(`${channelsUrl(country)}/${this.fabric.network.channel}`);
      const said: unknown = await response.json();
      return typeof said === 'object' && said !== null && 'height' in said ? Number(said.height) : undefined;
    } catch {
      return undefined;
    }
  }

  #pidOf(index: number, name: NodeName): number {
    const noted = notedProcesses(this.layoutOf(index)).find((each) => each.name === name);
    return noted?.pid ?? assert.fail(`the ${name} of country ${index} does not run`);
  }

  async #retried(work: () => Promise<void>): Promise<void> {
    for (const limit = AbortSignal.timeout(60_000); ; await delay(LOOK_EVERY_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Fault) || limit.aborted) throw error;
      }
    }
  }
}

type Parts = {
  readonly fabric: LinkedNetwork;
  readonly net: InProcessNetwork;
  readonly journals: string;
  readonly ledgers: (ArchivedLedger | undefined)[];
  readonly watcher: { index: number };
  /** What coordinators complained of last. */
  readonly said: readonly string[];
};

export async function openFabricScene(): Promise<FabricScene> {
  await using opened = new AsyncDisposableStack();
  const fabric = opened.use(await startLinkedNetwork(COUNTRIES));
  const ledgers: (ArchivedLedger | undefined)[] = [];
  opened.defer(async () => {
    for (const ledger of ledgers) await ledger?.[Symbol.asyncDispose]();
  });
  for (const each of fabric.network.organisations) ledgers.push(await openFabricLedger(fabric.ledgerOptions(each)));
  const journals = mkdtempSync(join(tmpdir(), 'linkspan-journals-'));
  opened.defer(() => rmSync(journals, { recursive: true, force: true }));
  const watcher = { index: WATCHER };
  const said: string[] = [];
  const log: Log = (level, message, context) => {
    if (level === 'info') return;
    said.push(`${new Date().toISOString()} ${message} ${JSON.stringify(context ?? {}).slice(0, 300)}`);
    if (said.length > SAID) said.shift();
  };
  const net = await inProcessNetwork({
    ledger: ledgerBehind(() => ledgers[watcher.index]),
    ledgerOf: (organisation) => ledgerBehind(() => ledgers[HOMES.indexOf(organisation)]),
    journals,
    balances: BALANCES,
    log,
  });
  opened.move();
  return new FabricScene({ fabric, net, journals, ledgers, watcher, said });
}

/** The ledger that is the present one whenever it is asked; a wiped one is opened anew. */
function ledgerBehind(present: () => Ledger | undefined): Ledger {
  const now = (): Ledger => present() ?? assert.fail('there is no such country');
  return {
    submit: (calls) => now().submit(calls),
    evaluate: (type, args) => now().evaluate(type, args),
    events: (from, aborted) => now().events(from, aborted),
    height: () => now().height(),
    async [Symbol.asyncDispose]() {},
  };
}

function signal(pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
