import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../torture/random.ts';
import type { ApiDescription } from './api-description.ts';
import type { Judge } from './judge.ts';
import { makeGarbage, makeRequest, type MadeRequest, type RequestMaker } from './make-request.ts';
import { exchange, type RawAnswer } from './raw-http.ts';

/** A running server and what is known about it. */
export type ApiTarget = AsyncDisposable & {
  readonly name: string;
  readonly port: number;
  readonly api: ApiDescription;
  readonly judge: Judge;
  /** The maker of one run: what it draws follows from the random numbers alone. */
  maker(random: Random): RequestMaker;
  /** Fails unless the server answers a right request rightly. */
  alive(): Promise<void>;
};

export type FuzzReport = {
  readonly target: string;
  readonly cases: number;
  readonly casesPerSecond: number;
  /** How often each status came; `closed` for connections that ended without an answer. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Growth of the heap after garbage collection, in bytes, between the first tenth of the cases and the end. */
  readonly heapGrowth: number;
  /** Sockets of the process that are still open at the end, beyond those that were open before. */
  readonly sockets: number;
  /** Timers that the requests left behind. */
  readonly timers: number;
  readonly findings: readonly Finding[];
};

export type Finding = { readonly case: number; readonly what: string; readonly how: string; readonly request: string };

export type FuzzOptions = {
  readonly seed: string;
  /** Ends after so many cases, or when the signal fires. */
  readonly cases: number;
  readonly signal?: AbortSignal;
  readonly onFinding?: (finding: Finding) => void;
};

/** Sends requests, eight at a time, and judges every answer. A case follows from seed and number alone, so each can be repeated by itself. */
export async function fuzzApi(target: ApiTarget, options: FuzzOptions): Promise<FuzzReport> {
  const statuses = new Map<string, number>();
  const findings: Finding[] = [];
  const started = performance.now();
  let next = 0;
  let heapBefore = 0;
  const before = { sockets: resources('TCPSocketWrap'), timers: resources('Timeout') };
  async function work(): Promise<void> {
    while (next < options.cases && !options.signal?.aborted && findings.length < MOST_FINDINGS) {
      const number = next++;
      if (number === Math.floor(options.cases / 10)) heapBefore = heapAfterCollection();
      const request = makeCase(target, options.seed, number);
      const answer = await exchange(target.port, request.raw, DEADLINE_MS);
      const status = answer.kind === 'answer' ? String(answer.status) : answer.kind;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const what = target.judge(request, answer);
      if (what !== undefined) note(number, what, request, answer);
    }
  }
  function note(number: number, what: string, request: MadeRequest, answer: RawAnswer): void {
    const body = request.raw.body.toString('latin1').slice(0, 400);
    const sent = `${request.raw.head.slice(0, 400)}${body}`;
    const back = answer.kind === 'answer' ? ` -> ${answer.status} ${answer.body.toString('latin1').slice(0, 200)}` : '';
    const finding = {
      case: number,
      what,
      how: `${request.operation?.id ?? 'no operation'}: ${request.how}`,
      request: sent + back,
    };
    findings.push(finding);
    options.onFinding?.(finding);
  }
  await Promise.all(Array.from({ length: CONCURRENT }, work));
  const seconds = (performance.now() - started) / 1000;
  await target.alive();
  return {
    target: target.name,
    cases: next,
    casesPerSecond: Math.round(next / seconds),
    statuses: Object.fromEntries([...statuses].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    heapGrowth: heapAfterCollection() - heapBefore,
    sockets: await leftOver('TCPSocketWrap', before.sockets),
    timers: await leftOver('Timeout', before.timers),
    findings,
  };
}

const CONCURRENT = 8;
const DEADLINE_MS = 10_000;
/** Enough to see what is wrong; a server that is broken would otherwise fill the screen. */
const MOST_FINDINGS = 30;

/** The request of a case. */
export function makeCase(target: ApiTarget, seed: string, number: number): MadeRequest {
  const random = new Random(seed, `${target.name} ${number}`);
  if (random.chance(0.03)) return makeGarbage(random);
  return makeRequest(random, random.pick(target.api.operations), target.maker(random));
}

let collect: (() => void) | undefined;

/** Bytes that are really in use: whatever only waits for collection says nothing about a leak. */
export function heapAfterCollection(): number {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    collect = () => void (typeof gc === 'function' && gc());
  }
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

function resources(name: string): number {
  return process.getActiveResourcesInfo().filter((each) => each === name).length;
}

/** Resources of a kind beyond those that were there before, once those that are closing have had their time. */
async function leftOver(name: string, before: number): Promise<number> {
  for (let tries = 0; tries < 100 && resources(name) > before; tries++) await delay(50);
  return Math.max(0, resources(name) - before);
}
