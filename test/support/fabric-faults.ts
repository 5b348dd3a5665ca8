import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fabricPrograms } from '../../apps/cli/src/network/fabric-programs.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { notedProcesses } from '../../apps/cli/src/network/node-process.ts';
import { upgradeContract } from '../../apps/cli/src/network/upgrade-contract.ts';
import { type FabricScene, NODE_NAMES, type NodeName } from './fabric-scene.ts';

/** Ends a fault: afterwards everything runs that should, and every line is whole. */
export type Heal = () => Promise<void>;

/** Something that goes wrong on a real network. `pick` answers a number below the one it is given, at random or as a test wants it. */
export type FabricFault = {
  readonly name: string;
  readonly strike: (scene: FabricScene, pick: (below: number) => number) => Promise<Heal>;
};

export const SHIFTED_CLOCK = new URL('shifted-clock.ts', import.meta.url).href;

export const FABRIC_FAULTS: readonly FabricFault[] = [
  {
    name: 'one country is cut off',
    async strike(scene, pick) {
      scene.partition([pick(scene.countries.length)]);
      return async () => scene.join();
    },
  },
  {
    name: 'split in two and two',
    async strike(scene, pick) {
      scene.partition([0, 1 + pick(scene.countries.length - 1)]);
      return async () => scene.join();
    },
  },
  {
    name: 'long lines between the countries',
    async strike(scene, pick) {
      scene.join(5 + pick(60));
      return async () => scene.join();
    },
  },
  ...NODE_NAMES.map((name) => ({
    name: `one ${name} is killed`,
    strike: async (scene: FabricScene, pick: (below: number) => number) =>
      killed(scene, [[pick(scene.countries.length), name]]),
  })),
  {
    name: 'one coordinator is killed',
    async strike(scene, pick) {
      const index = pick(scene.countries.length - 1);
      scene.killCoordinator(index);
      return () => scene.startCoordinator(index);
    },
  },
  {
    name: 'the leader among the orderers is killed',
    strike: async (scene) => killed(scene, [[await scene.leader(), 'orderer']]),
  },
  {
    name: 'two of four orderers are killed',
    async strike(scene, pick) {
      const one = pick(scene.countries.length);
      const other = (one + 1 + pick(scene.countries.length - 1)) % scene.countries.length;
      return killed(scene, [
        [one, 'orderer'],
        [other, 'orderer'],
      ]);
    },
  },
  ...(['peer', 'orderer'] as const).map((name) => ({
    name: `one ${name} keeps its connections and says nothing`,
    async strike(scene: FabricScene, pick: (below: number) => number) {
      const index = pick(scene.countries.length);
      scene.pause(index, name);
      return async () => scene.resume(index, name);
    },
  })),
  { name: 'the contract is agreed on anew, and changes over at every country', strike: upgraded },
  { name: 'everything everywhere is killed', strike: (scene) => killEverything(scene) },
  {
    name: 'the disks of a country are wiped',
    async strike(scene, pick) {
      const index = pick(scene.countries.length);
      await scene.wipe(index);
      return async () => {
        await scene.fabric.bringUp();
        await scene.reopen(index);
        await scene.startCoordinator(index);
      };
    },
  },
  { name: 'the disk of a country is full', strike: (scene, pick) => fillDisk(scene, pick(scene.countries.length)) },
  {
    name: 'the clock of a country is wrong',
    strike: (scene, pick) => shiftClock(scene, pick(scene.countries.length), (pick(2) === 0 ? 1 : -1) * 600_000),
  },
];

/** A rolling upgrade to the same code under the next sequence, which is all that can differ here. */
async function upgraded(scene: FabricScene): Promise<Heal> {
  const { network, directory } = scene.fabric;
  const programs = await fabricPrograms(process.env, () => undefined);
  await upgradeContract({ programs, layout: networkLayout(directory), say: () => undefined }, network, { again: true });
  return () => scene.fabric.bringUp();
}

/** Every process of every country, and every coordinator. */
export async function killEverything(scene: FabricScene): Promise<Heal> {
  const countries = [...scene.countries.keys()];
  for (const index of countries) scene.killCoordinator(index);
  await Promise.all(countries.flatMap((index) => NODE_NAMES.map((name) => scene.kill(index, name))));
  return async () => {
    await scene.fabric.bringUp();
    for (const index of countries) await scene.startCoordinator(index);
  };
}

/** The country's contract runs with a clock that is wrong by so much. */
export function shiftClock(scene: FabricScene, index: number, offMs: number): Promise<Heal> {
  return replaceContract(scene, index, ({ args }) => ['--import', `${SHIFTED_CLOCK}?ms=${offMs}`, ...args]);
}

/** The country's peer asks a contract that lies, see the program. */
export function replaceByLiar(scene: FabricScene, index: number, lie: 'endorsement' | 'answers'): Promise<Heal> {
  const program = fileURLToPath(new URL('lying-chaincode.ts', import.meta.url));
  return replaceContract(scene, index, ({ args: [, ...rest] }) => [program, ...rest, '--lie', lie]);
}

async function replaceContract(
  scene: FabricScene,
  index: number,
  argsOf: (honest: { readonly args: readonly string[] }) => readonly string[],
): Promise<Heal> {
  const noted = notedProcesses(scene.layoutOf(index)).find(({ name }) => name === 'chaincode');
  const args = noted?.args ?? assert.fail('the contract runs');
  await scene.kill(index, 'chaincode');
  const other = spawn(process.execPath, [...argsOf({ args })], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  scene.attach(other);
  await once(other.stdout, 'data', { signal: AbortSignal.timeout(30_000) });
  return async () => {
    await scene.detach(other);
    await scene.fabric.bringUp();
  };
}

/** Why no disk can be filled here, or undefined. */
export async function whyNoFullDisk(): Promise<string | undefined> {
  try {
    await promisify(execFile)('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/tmp']);
    return undefined;
  } catch {
    return 'needs to be allowed to mount a small file system in a namespace of its own';
  }
}

/** What a node runs in: a copy of its data on a file system that has hardly any room left, which only it sees and which goes with it. */
const ON_A_SMALL_DISK = `set -e
used=$(du -sk "$DATA" | cut -f1)
cp -a "$DATA" "$DATA.copy"
mount -t tmpfs -o size=$((used + ROOM_KB))k none "$DATA"
cp -a "$DATA.copy/." "$DATA/"
rm -rf "$DATA.copy"
exec "$@"`;
const ROOM_KB = 120;

/** The country's peer and orderer run on with hardly any room left on their disks. Healed, they run on the disks that they had before, as from an old backup. */
export async function fillDisk(scene: FabricScene, index: number): Promise<Heal> {
  const programs = await fabricPrograms(process.env, () => undefined);
  const { peerConfig, peerData, ordererConfig, ordererData, folder } = scene.layoutOf(index);
  const start = async (name: 'peer' | 'orderer', config: string, data: string): Promise<ChildProcess> => {
    await scene.kill(index, name);
    const log = openSync(fullDiskLog(scene, index, name), 'a');
    const args = name === 'peer' ? [programs.peer, 'node', 'start'] : [programs.orderer, 'start'];
    const child = spawn('unshare', ['-rm', 'sh', '-c', ON_A_SMALL_DISK, 'sh', ...args], {
      cwd: folder,
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'] ?? '',
        FABRIC_CFG_PATH: config,
        FABRIC_LOGGING_SPEC: 'warning',
        DATA: data,
        ROOM_KB: String(ROOM_KB),
      },
    });
    closeSync(log);
    scene.attach(child);
    return child;
  };
  const children = [await start('peer', peerConfig, peerData), await start('orderer', ordererConfig, ordererData)];
  return async () => {
    for (const child of children) await scene.detach(child);
    await scene.fabric.bringUp();
  };
}

/** Where a node on a full disk says so. */
function fullDiskLog(scene: FabricScene, index: number, name: 'peer' | 'orderer'): string {
  return join(scene.layoutOf(index).logs, `${name}-full-disk.log`);
}

async function killed(scene: FabricScene, nodes: readonly (readonly [number, NodeName])[]): Promise<Heal> {
  for (const [index, name] of nodes) await scene.kill(index, name);
  return () => scene.fabric.bringUp();
}
