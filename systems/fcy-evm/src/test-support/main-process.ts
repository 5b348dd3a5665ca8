import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import type { FcyEvmConfig } from '../config.ts';
import { isObject } from '../launcher/json-rpc.ts';

export type Ended = { code: number | null; signal: NodeJS.Signals | null; stderr: string };
export type MainProcess = { url: string; token: string; nodePid: number; pid: number; ended: Promise<Ended> };

const mainFile = join(import.meta.dirname, '..', 'main.ts');
const goneWithinMs = 5_000;
const longestLifeMs = 60_000;
const pollEveryMs = 5;

/** Runs `main.ts`, which must refuse to start. */
export async function runMain(config: FcyEvmConfig): Promise<Ended> {
  const { pid, ended, ready } = spawnMain(config);
  const first = await Promise.race([ready, ended]);
  if (typeof first !== 'string') return first;
  process.kill(pid, 'SIGKILL');
  throw new Error(`main.ts started although it should not: ${first}`);
}

/** Runs `main.ts` and waits for its ready line. With a limit, no file of it may grow beyond so many blocks of 512 bytes. */
export async function startMain(config: FcyEvmConfig, fileBlocks?: number): Promise<MainProcess> {
  const { pid, ended, ready } = spawnMain(config, fileBlocks);
  const line = await Promise.race([ready, ended]);
  if (typeof line !== 'string') throw new Error(`main.ts ended with ${line.code}: ${line.stderr}`);
  const value: unknown = JSON.parse(line);
  if (!isObject(value) || value.ready !== true) throw new Error(`This is no ready line: ${line}`);
  if (typeof value.url !== 'string' || typeof value.token !== 'string') throw new Error(`Members are missing: ${line}`);
  const nodePid = pidIn(join(config.dataDir, 'anvil.pid'));
  return { url: value.url, token: value.token, nodePid, pid, ended };
}

/** The keeper of a node is its parent. */
export function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1]);
}

export async function waitUntilGone(pid: number): Promise<void> {
  const deadline = performance.now() + goneWithinMs;
  while (performance.now() < deadline) {
    // A process that ended but was not yet waited for by its parent (state Z) runs no more.
    const state = statOf(pid)?.[0];
    if (state === undefined || state === 'Z') return;
    await delay(pollEveryMs);
  }
  throw new Error(`Process ${pid} is still there after ${goneWithinMs} ms.`);
}

function spawnMain(config: FcyEvmConfig, fileBlocks?: number) {
  const configFile = `${config.dataDir}.json`;
  const text = JSON.stringify(config, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  writeFileSync(configFile, text);
  const limit = fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks}; `;
  const command = [process.execPath, mainFile, '--config', configFile];
  const child = spawn('/bin/sh', ['-c', `${limit}exec "$@"`, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A test that waits for an end that never comes fails by this, and leaves no process behind.
    timeout: longestLifeMs,
    killSignal: 'SIGKILL',
  });
  const { promise: ready, resolve } = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).once('line', resolve);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<Ended>((resolveEnd) => {
    child.once('close', (code, signal) => resolveEnd({ code, signal, stderr }));
  });
  if (child.pid === undefined) throw new Error('main.ts cannot be started.');
  return { pid: child.pid, ready, ended };
}

function pidIn(pidFile: string): number {
  const value: unknown = JSON.parse(readFileSync(pidFile, 'utf8'));
  if (!isObject(value) || typeof value.pid !== 'number') throw new Error(`${pidFile} names no process.`);
  return value.pid;
}

/** State and parent of a process, from /proc/PID/stat. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
