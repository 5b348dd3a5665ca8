import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

import { isObject } from './json-rpc.ts';
import { messageOf, StartError } from './start-error.ts';

/** A chain node that lives in memory only, so it may be killed at any time. */
export type AnvilProcess = {
  port: number;
  pid: number;
  /** Resolves with a sentence when the node ended without having been asked to; never rejects. */
  died: Promise<string>;
  /** Ends the node and waits until it is gone. */
  stop(): Promise<void>;
};

/** What a chain's genesis depends on; another value makes other block hashes. */
export type GenesisSettings = { chainId: number; mnemonic: string };

/** The genesis block's time, in seconds since 1970. It is fixed, because block hashes depend on it. */
export const genesisTimestamp = 1_700_000_000;

/** How many accounts of the mnemonic have native currency from the genesis on. */
export const mnemonicAccounts = 64;

// As many past states as Geth keeps: what is read at a final block, a little behind the head, is answered.
const keptStates = 128;

const readyWithinMs = 20_000;
const keptOutputLines = 3;

// The keeper outlives neither of the two: it waits for the end of its standard input, which the kernel closes when this
// process ends in whatever way, and then kills the node. Being the node's parent, it cannot hit a reused process id.
const keeperScript =
  '"$@" </dev/null & child=$!; echo "keeper $child"; exec >/dev/null 2>&1; read -r line; kill -9 "$child"; wait';

/**
 * Starts anvil as a child that mines only when told to, and waits until it listens on a loopback port of its own choice.
 * A node that an earlier process left behind in the same data folder is killed first. Throws a StartError.
 */
export async function startAnvil(dataDir: string, settings: GenesisSettings): Promise<AnvilProcess> {
  const pidFile = join(dataDir, 'anvil.pid');
  killLeftOver(pidFile);
  const keeper = spawn('/bin/sh', ['-c', keeperScript, 'keeper', anvilBinary(), ...anvilArguments(settings)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A session of its own: Ctrl-C in a terminal reaches this process only, which then ends the node in order.
    detached: true,
  });
  const output: string[] = [];
  const found: { pid?: number; port?: number } = {};
  const { promise: ready, resolve: markReady } = Promise.withResolvers<void>();
  const { promise: died, resolve: markDied } = Promise.withResolvers<string>();

  function takeLine(line: string): void {
    const pid = /^keeper (\d+)$/.exec(line)?.[1];
    if (pid !== undefined) {
      found.pid = Number(pid);
      try {
        writeFileSync(pidFile, JSON.stringify({ pid: found.pid, startTime: startTimeOf(found.pid) }));
      } catch (error) {
        markDied(`${pidFile} cannot be written: ${messageOf(error)}.`);
      }
    }
    const port = /^Listening on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) found.port = Number(port);
    if (found.pid !== undefined && found.port !== undefined) markReady();
    if (line.trim() !== '') output.push(line);
    if (output.length > keptOutputLines) output.shift();
  }

  // Both pipes are the node's alone once the keeper has redirected its own: their end is the node's end.
  const lines = createInterface({ input: keeper.stdout });
  lines.on('line', takeLine);
  lines.on('close', () => markDied(`The chain node (anvil) ended unexpectedly. ${output.join(' ')}`.trim()));
  createInterface({ input: keeper.stderr }).on('line', takeLine);
  keeper.on('error', (error) => markDied(`The chain node cannot be started: ${error.message}.`));
  keeper.on('exit', () => killLeftOver(pidFile));
  keeper.stdin.on('error', () => {});

  const timer = setTimeout(() => markDied(`The chain node was not ready within ${readyWithinMs} ms.`), readyWithinMs);
  const failure = await Promise.race([ready, died]);
  clearTimeout(timer);
  const { pid, port } = found;
  if (failure !== undefined || pid === undefined || port === undefined) {
    keeper.stdin.end();
    throw new StartError(failure ?? 'The chain node gave no port.');
  }

  async function stop(): Promise<void> {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => keeper.once('close', () => resolve()));
    keeper.stdin.end();
    await gone;
  }

  return { port, pid, died, stop };
}

function anvilArguments({ chainId, mnemonic }: GenesisSettings): string[] {
  const fees = ['--block-base-fee-per-gas', '0', '--gas-price', '0', '--disable-min-priority-fee'];
  // The fee of a block rises when it is more than half full; this limit is never half full, so it stays zero.
  const limits = ['--gas-limit', '1000000000', '--prune-history', `${keptStates}`];
  const genesis = ['--timestamp', `${genesisTimestamp}`, '--chain-id', `${chainId}`, '--hardfork', 'prague'];
  const accounts = ['--mnemonic', mnemonic, '--accounts', `${mnemonicAccounts}`];
  return [
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--no-mining',
    '--no-cors',
    ...fees,
    ...limits,
    ...genesis,
    ...accounts,
  ];
}

/** The native program, without the package's wrapper, which would be one more process to lose. */
function anvilBinary(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const platformPackage = `@foundry-rs/anvil-${process.platform}-${architecture}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${platformPackage}/package.json`);
    return join(dirname(manifest), 'bin', 'anvil');
  } catch (error) {
    throw new StartError(`The package ${platformPackage} is not installed: run npm ci.`, error);
  }
}

/** Kills the node that the pid file names, unless that id now belongs to another process. */
function killLeftOver(pidFile: string): void {
  if (!existsSync(pidFile)) return;
  const left = readPidFile(pidFile);
  if (left !== undefined && left.startTime === startTimeOf(left.pid)) killIfAlive(left.pid);
  rmSync(pidFile, { force: true });
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isObject(error) || error.code !== 'ESRCH') throw error;
  }
}

function readPidFile(pidFile: string): { pid: number; startTime: string } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(pidFile, 'utf8'));
    if (!isObject(value) || typeof value.pid !== 'number' || typeof value.startTime !== 'string') return undefined;
    return { pid: value.pid, startTime: value.startTime };
  } catch (error) {
    // A file that was torn by a crash names nobody; the keeper has ended that node.
    if (error instanceof SyntaxError) return undefined;
    throw new StartError(`${pidFile} cannot be read: ${messageOf(error)}.`, error);
  }
}

/** When a process started, as the kernel counts it (field 22 of /proc/PID/stat); undefined where that is not told. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
