import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { SignatureCounts } from './count-signatures.ts';
import type { Signatures } from './report.ts';

export type Usage = { readonly cpuSeconds: number; readonly memoryMb: number };

/** What the kernel counts processor time in, per second. */
const TICKS = 100;
const PAGE_BYTES = 4096;
const ANSWER_WITHIN_MS = 5000;

const countsSchema = z.object({
  ed25519Signed: z.number(),
  secp256k1Signed: z.number(),
  ed25519Verified: z.number(),
  secp256k1Verified: z.number(),
});

/** Processor time and memory of each process with those that it started, as Linux counts them; elsewhere nothing. */
export function usageOf(pids: ReadonlyMap<string, number>): Map<string, Usage> {
  const all = readdirSync('/proc').flatMap((name) => (/^[0-9]+$/.test(name) ? statOf(Number(name)) : []));
  return new Map(
    [...pids].flatMap(([name, pid]) => {
      const own = all.filter((stat) => stat.pid === pid || stat.parent === pid);
      const sum = (of: (usage: Usage) => number): number => own.reduce((total, stat) => total + of(stat), 0);
      return own.length === 0
        ? []
        : [[name, { cpuSeconds: sum((stat) => stat.cpuSeconds), memoryMb: sum((stat) => stat.memoryMb) }] as const];
    }),
  );
}

/** Has every process write down what it has signed and verified so far. */
export async function askCounts(
  pids: ReadonlyMap<string, number>,
  folder: string,
): Promise<ReadonlyMap<string, SignatureCounts>> {
  for (const pid of pids.values()) {
    rmSync(join(folder, `${pid}.json`), { force: true });
    process.kill(pid, 'SIGUSR2');
  }
  const until = performance.now() + ANSWER_WITHIN_MS;
  const counts = new Map<string, SignatureCounts>();
  for (const [name, pid] of pids) {
    const path = join(folder, `${pid}.json`);
    let answer = readCounts(path);
    while (!answer) {
      if (performance.now() > until) throw new Error(`${name} did not say what it signed`);
      await delay(5);
      answer = readCounts(path);
    }
    counts.set(name, answer);
  }
  return counts;
}

/** What was signed between two answers. Organisations sign calls, all others that use Ed25519 are validators. */
export function difference(
  before: ReadonlyMap<string, SignatureCounts>,
  after: ReadonlyMap<string, SignatureCounts>,
  organisations: string,
): Signatures {
  const sum = { calls: 0, statements: 0, shares: 0, verified: 0 };
  for (const [name, now] of after) {
    const then = before.get(name);
    const signed = now.ed25519Signed - (then?.ed25519Signed ?? 0);
    if (name === organisations) sum.calls += signed;
    else sum.statements += signed;
    sum.shares += now.secp256k1Signed - (then?.secp256k1Signed ?? 0);
    sum.verified +=
      now.ed25519Verified + now.secp256k1Verified - (then?.ed25519Verified ?? 0) - (then?.secp256k1Verified ?? 0);
  }
  return sum;
}

/** Undefined while it is not there, or not whole. */
function readCounts(path: string): SignatureCounts | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return countsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function statOf(pid: number): (Usage & { readonly pid: number; readonly parent: number })[] {
  try {
    // The fields after the name in parentheses: the parent is the 2nd of them, user and system time the 12th and 13th, resident pages the 22nd.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS;
    return [{ pid, parent: Number(fields[1]), cpuSeconds, memoryMb: (Number(fields[21]) * PAGE_BYTES) / 2 ** 20 }];
  } catch {
    return [];
  }
}
