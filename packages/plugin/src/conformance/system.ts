import assert from 'node:assert/strict';
import {
  type Hash,
  hashOf,
  type Operation,
  operationId,
  type SignedCertificate,
  type Terms,
  type Verb,
} from '@linkspan/protocol';
import type { Connector, Observation } from '../connector.ts';
import { pause } from '../pause.ts';
import { createFaultyProxy, type FaultyProxy } from './proxy.ts';

/** A real system under test, and what the suite must know about it. It serves one run of the suite. */
export type ConformanceSystem = AsyncDisposable & {
  readonly network: Hash;
  readonly system: string;
  /** Where the system answers, also after it was started again. */
  readonly url: string;
  /** A new connector that reaches the system at `url`, which may be a proxy's. Two executors are registered: 0 and 1. */
  connect(url: string, executor?: 0 | 1): Promise<Connector>;
  /**
   * A proxy in front of the system that knows how it is spoken to. Needed where an effect takes several requests: what is lost or late must then be the one
   * that has the effect. Without it, a plain TCP proxy stands there.
   */
  readonly proxy?: () => Promise<FaultyProxy>;
  /** Kills the system as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it on the same data and address. */
  start(): Promise<void>;
  readonly payer: string;
  readonly payee: string;
  /** Terms of a hold from payer to payee of this many indivisible units. */
  terms(units: bigint): Terms;
  /** How many units the payer has in the beginning; at least 10 000. */
  readonly opening: bigint;
  /** MONY or LACK. */
  readonly shortReason: string;
  /** The verb that ends a hold by delivery. */
  readonly complete: 'execute' | 'deliver';
  /** Terms that no system may accept, such as an account that does not exist. */
  readonly wrongTerms: readonly Terms[];
  /** A certificate with so many signatures of organisations; the quorum is `quorum`. */
  certify(
    kind: 'commit' | 'abort' | 'fence',
    settlement: Hash,
    operations: readonly Hash[],
    signatures: number,
  ): SignedCertificate;
  readonly quorum: number;
  /** Ends a hold as somebody without any operation id. */
  closeAsStranger(verb: 'execute' | 'deliver' | 'release', hold: Hash, certificate: SignedCertificate): Promise<void>;
  /** Has the system kill an id as an executor that does not look first. */
  fenceBlindly(operation: Hash, reason: string): Promise<void>;
};

export function proxyOf({ proxy, url }: ConformanceSystem): Promise<FaultyProxy> {
  return proxy ? proxy() : createFaultyProxy(url);
}

export const DEADLINE_MS = 20_000;

let settlements = 0;

/** A settlement of its own for one test, with what it asks of the system. */
export type Trade = {
  readonly settlement: Hash;
  hold(units?: bigint, name?: string): Operation;
  /** The operation that ends a hold; a further attempt is a further id. */
  close(verb: 'execute' | 'deliver' | 'release', hold: Operation, attempt?: number): Operation;
  /** Names all holds that this trade has made up so far, unless it is told what to name. */
  certificate(kind: 'commit' | 'abort' | 'fence', signatures?: number, operations?: readonly Hash[]): SignedCertificate;
};

export function newTrade(of: ConformanceSystem): Trade {
  const settlement = hashOf({ conformance: of.system, pid: process.pid, number: ++settlements, run: RUN });
  const holds = new Set<Hash>();
  return {
    settlement,
    hold(units = 1n, name = 'cash') {
      const hold = operation(of, settlement, 'hold', name, 1, of.terms(units));
      holds.add(hold.id);
      return hold;
    },
    close: (verb, hold, attempt = 1) =>
      operation(of, settlement, verb, 'cash', attempt, { ...hold.terms, hold: hold.id }),
    certificate: (kind, signatures = of.quorum, operations = [...holds]) =>
      of.certify(kind, settlement, operations, signatures),
  };
}

const RUN = hashOf({ random: [...crypto.getRandomValues(new Uint8Array(16))] });

function operation(
  of: ConformanceSystem,
  settlement: Hash,
  verb: Verb,
  name: string,
  attempt: number,
  terms: Terms,
): Operation {
  const { network, system } = of;
  return {
    id: operationId({ network, settlement, stage: verb, name, leg: 0, verb, attempt }),
    network,
    settlement,
    system,
    verb,
    terms,
  };
}

/** Asks until there is an answer. The deadline is a limit for a broken system, not a measure of a working one. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const limit = AbortSignal.timeout(DEADLINE_MS);
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    assert.ok(!limit.aborted, `no ${what} within ${DEADLINE_MS} ms`);
    await pause(5, limit);
  }
}

export function untilSeen(connector: Connector, operation: Operation): Promise<Observation> {
  return until(`outcome of ${operation.verb}`, () => connector.lookup(operation));
}

export async function sent(
  connector: Connector,
  operation: Operation,
  certificate?: SignedCertificate,
): Promise<Observation> {
  assert.deepEqual(await connector.submit(operation, certificate), { status: 'sent' });
  return untilSeen(connector, operation);
}

/** Balance and held amount of the payer or payee. */
export async function position(
  of: ConformanceSystem,
  connector: Connector,
  whose: 'payer' | 'payee',
): Promise<{ balance: bigint; held: bigint }> {
  const account = of[whose];
  const asset = of.terms(1n)['currency'] ?? of.terms(1n)['isin'] ?? '';
  const { positions } = await connector.read({ type: 'balances', accounts: [account] });
  const row = positions.find((one) => one.account === account && one.asset === asset);
  assert.ok(row, `${account} has no position in ${asset}`);
  return { balance: row.balance, held: row.held };
}

export function assertEffective(of: ConformanceSystem, observation: Observation, operation: Operation): void {
  const { transaction, ...facts } = observation;
  assert.deepEqual(facts, { operation: operation.id, status: 'effective', terms: operation.terms, reason: '' });
  assert.notEqual(transaction, '', `${of.system} names no transaction`);
}

export function assertDead(observation: Observation, operation: Operation, reason: string): void {
  const { transaction: _, ...facts } = observation;
  assert.deepEqual(facts, { operation: operation.id, status: 'dead', terms: {}, reason });
}
