import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyCalls, runQuery } from '@linkspan/contract';
import { CallWriter } from '@linkspan/coordinator';
import { createVerify } from '@linkspan/keys';
import { type Ledger, openEmbeddedLedger } from '@linkspan/ledger';
import { hashSchema, type Signer } from '@linkspan/protocol';
import { type InProcessNetwork, inProcessNetwork, lodgeBody, sampleInstruction } from '@linkspan/testkit';
import { Ends, runCallers } from './callers.ts';
import { countSignatures } from './count-signatures.ts';
import { databaseBytes } from './ledger-bytes.ts';
import { profiled, type TimeTable } from './profile.ts';
import { quantiles, type Round } from './report.ts';

const WARM_UP = 100;
const DUE_IN_MS = 600_000;

export type Callers = { readonly callers: number; readonly seconds: number; readonly settlements: number | undefined };

/** What the machinery itself costs: three coordinators, five validators and the embedded ledger in one process, systems that answer at once. */
export async function benchInProcess(plan: Callers): Promise<Round> {
  const counts = countSignatures();
  return withNetwork(async (network, folder, settle) => {
    const byKind = countByKind(network);
    await runCallers(plan.callers, WARM_UP, (i) => settle(`warm-${i}`));
    const bytes = databaseBytes(folder);
    const before = { ...counts, ...byKind, blocks: await network.ledger.height() };
    const cpu = process.cpuUsage();
    const until = performance.now() + plan.seconds * 1000;
    const isOver = plan.settlements === undefined ? () => performance.now() >= until : undefined;
    const work = (i: number): Promise<void> => settle(`bench-${i}`);
    const done = await runCallers(plan.callers, plan.settlements ?? Infinity, work, isOver);
    const used = process.cpuUsage(cpu);
    const settlements = done.latenciesMs.length;
    const cpuSeconds = (used.user + used.system) / 1e6;
    return {
      network: 'in-process',
      callers: plan.callers,
      settlements,
      seconds: done.seconds,
      latenciesMs: quantiles(done.latenciesMs),
      ledgerTransactions: (await network.ledger.height()) - before.blocks,
      ledgerBytes: databaseBytes(folder) - bytes,
      signatures: {
        calls: byKind.calls - before.calls,
        statements: byKind.statements - before.statements,
        shares: counts.secp256k1Signed - before.secp256k1Signed,
        verified: counts.ed25519Verified + counts.secp256k1Verified - before.ed25519Verified - before.secp256k1Verified,
      },
      processes: [{ name: 'all', cpuSeconds, memoryMb: process.memoryUsage.rss() / 2 ** 20 }],
    };
  });
}

/** Where the time of such a round goes: a round of its own, since looking makes it slower. */
export async function profileInProcess(callers: number, settlements: number): Promise<ReadonlyMap<string, TimeTable>> {
  return withNetwork(async (_, __, settle) => {
    await runCallers(callers, WARM_UP, (i) => settle(`warm-${i}`));
    const table = await profiled(async () => {
      await runCallers(callers, settlements, (i) => settle(`bench-${i}`));
    });
    return new Map([['all', table]]);
  });
}

export type Settle = (tradeId: string) => Promise<void>;

/** A network on a ledger of its own; all is closed and removed behind the work. */
async function withNetwork<T>(
  work: (network: InProcessNetwork, folder: string, settle: Settle) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-bench-'));
  try {
    const contract = { applyCalls, runQuery };
    const verify = createVerify({ memoize: 20_000 });
    await using ledger = await openEmbeddedLedger({ directory: folder, contract, verify, now: Date.now });
    await using network = await inProcessNetwork({ ledger });
    return await withSettle(network, (settle) => work(network, folder, settle));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Gives the work a way to lodge a trade on both sides, each through its own node where they have one, and wait for its end. */
export async function withSettle<T>(
  network: InProcessNetwork,
  work: (settle: Settle) => Promise<T>,
  ledgerOf?: (organisation: string) => Ledger,
): Promise<T> {
  const ends = new Ends();
  const stopped = new AbortController();
  const height = await network.ledger.height();
  const following = (async () => {
    for await (const { events } of network.ledger.events(height, stopped.signal)) {
      for (const { proposal, phase } of events) ends.took(proposal, phase);
    }
  })();
  const writers = ['central-bank-a', 'csd-b'].map((organisation) => {
    const signers = network.sample.organisations[organisation];
    if (!signers) throw new Error(`there is no organisation ${organisation}`);
    return new CallWriter(ledgerOf?.(organisation) ?? network.ledger, network.sample.id, organisation, signers.call);
  });
  try {
    return await work(async (tradeId) => {
      const body = lodgeBody(sampleInstruction(tradeId, Date.now(), DUE_IN_MS));
      const write = (writer: CallWriter): ReturnType<CallWriter['write']> => writer.write('bench', tradeId, body);
      // On one node both copies share a transaction. On nodes of their own the second one would only meet the first.
      const [lodged] = ledgerOf ? [await inTurn(writers, write)] : await Promise.all(writers.map(write));
      if (!lodged?.ok) throw new Error(lodged?.refusal.message ?? 'nobody lodged');
      await ends.settled(hashSchema.parse(lodged.value['proposal']));
    });
  } finally {
    stopped.abort();
    await following;
  }
}

async function inTurn<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R | undefined> {
  let last: R | undefined;
  for (const one of all) last = await work(one);
  return last;
}

/** Signatures that were made from now on; which key made one says what it signed. */
function countByKind({ sample }: InProcessNetwork): { calls: number; statements: number } {
  const made = { calls: 0, statements: 0 };
  for (const { call } of Object.values(sample.organisations)) count(call, () => (made.calls += 1));
  for (const signer of Object.values(sample.validators).flat()) count(signer, () => (made.statements += 1));
  return made;
}

function count(signer: Signer, made: () => void): void {
  const { sign } = signer;
  const counted: Signer['sign'] = (bytes) => {
    made();
    return sign(bytes);
  };
  Object.defineProperty(signer, 'sign', { value: counted });
}
