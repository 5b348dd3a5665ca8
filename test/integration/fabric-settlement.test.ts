import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as contract from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { type ArchivedLedger, openFabricLedger } from '@linkspan/ledger';
import { hashOf } from '@linkspan/protocol';
import { type InProcessNetwork, inProcessNetwork, MemoryWorld, sampleInstruction } from '@linkspan/testkit';
import { Random } from '../simulation/random.ts';
import { act, type Deed } from '../simulation/workload.ts';
import { startTestNetwork, type TestNetwork, whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();
const WHAT = 'settlements on Fabric, every organisation with its own node';

if (missing === undefined) describe(WHAT, settlements);
else test(WHAT, { skip: missing }, () => undefined);

function settlements(): void {
  let fabric: TestNetwork;
  let ledgers: readonly ArchivedLedger[];
  let net: InProcessNetwork;

  before(async () => {
    fabric = await startTestNetwork(4);
    ledgers = await Promise.all(
      fabric.network.organisations.map((each) => openFabricLedger(fabric.ledgerOptions(each))),
    );
    const [ledger] = ledgers;
    assert.ok(ledger);
    net = await inProcessNetwork({ ledger, ledgerOf: (organisation) => ledgers[placeOf(organisation)] ?? ledger });
  });

  after(async () => {
    await net[Symbol.asyncDispose]();
    for (const ledger of ledgers) await ledger[Symbol.asyncDispose]();
    await fabric[Symbol.asyncDispose]();
  });

  test('the default trade settles in three ledger transactions', async () => {
    const [ledger] = ledgers;
    assert.ok(ledger);
    const from = await ledger.height();
    const proposal = await net.lodge(sampleInstruction('FABRIC-1', Date.now()));
    const { state } = await net.until(proposal, ['settled'], 60_000);
    assert.equal(state.phase, 'settled');
    const seen: number[] = [];
    for await (const { block, events } of ledger.events(from, AbortSignal.timeout(30_000))) {
      seen.push(block);
      if (events.some(({ phase }) => phase === 'settled')) break;
    }
    assert.equal(seen.length, 3);
  });

  test('twenty trades at once all settle, and nothing stays held', async () => {
    const trades = Array.from({ length: 20 }, (_, i) => sampleInstruction(`FABRIC-MANY-${i}`, Date.now(), 120_000));
    const proposals = await Promise.all(trades.map((trade) => net.lodge(trade)));
    for (const proposal of proposals) await net.until(proposal, ['settled'], 90_000);
    for (const system of ['fcy-evm', 'rtgs', 'csd'])
      for (const { held } of Object.values(net.totals(system))) assert.equal(held, 0n);
  });

  test('the same seeded workload ends alike on the embedded ledger: every phase and every balance', async () => {
    const seed = 20;
    await using embedded = await inProcessNetwork();
    const onFabric = await workload(net, seed);
    assert.ok(['settled', 'cancelled', 'rejected'].every((end) => Object.values(onFabric.ends).includes(end)));
    assert.deepEqual(onFabric, await workload(embedded, seed));
  });

  test('every organisation’s archive is the same, and its calls, run again in memory, end in equal canonical state', async () => {
    const [first, ...others] = await Promise.all(ledgers.map(({ archive }) => callsOf(archive)));
    assert.ok(first && first.length > 60);
    for (const other of others) assert.deepEqual(other, first);
    const world = new MemoryWorld(createVerify({ memoize: 10_000 }), 0);
    for (const transaction of Map.groupBy(first, (archived) => archived.block).values()) {
      world.tx.time = transaction[0]?.time ?? 0;
      const results = contract.applyCalls(
        world,
        transaction.map(({ call }) => call),
      );
      for (const result of results) assert.ok(result.ok, JSON.stringify(result));
    }
    const again: Questions = { evaluate: async (type, args) => contract.runQuery(world, type, args) };
    const expected = await digestOf(again);
    for (const ledger of ledgers) assert.equal(await digestOf(ledger), expected);
  });
}

/** Deeds whose end does not hang on who is faster. */
const DEEDS = [
  'settle',
  'settle',
  'payer-short',
  'copies-differ',
  'one-side-only',
  'retract',
] as const satisfies Deed[];

/** Trades drawn from a seed, all at once: how each ended, and what moved in every system. */
async function workload(network: InProcessNetwork, seed: number): Promise<{ ends: object; moved: object }> {
  const random = new Random(seed);
  const before = positions(network);
  const lodged = await Promise.all(
    Array.from({ length: 16 }, async (_, i) => {
      const deed = DEEDS[i] ?? random.pick(DEEDS);
      // What settles must not meet its deadline on a slow machine; what cannot is over when it comes.
      const dueInMs = deed === 'settle' ? 300_000 : 5_000;
      return { name: `${i} ${deed}`, proposal: await act(network, random, deed, `SEED-${seed}-${i}`, dueInMs) };
    }),
  );
  const ends: Record<string, string> = {};
  for (const { name, proposal } of lodged)
    ends[name] = (await network.until(proposal, ['settled', 'cancelled', 'rejected'], 90_000)).state.phase;
  const after = positions(network);
  const moved = Object.fromEntries(
    [...after].map(([name, amount]) => [name, String(amount - (before.get(name) ?? 0n))]),
  );
  return { ends, moved };
}

function positions(network: InProcessNetwork): Map<string, bigint> {
  return new Map(
    ['fcy-evm', 'rtgs', 'csd'].flatMap((system) =>
      Object.entries(network.totals(system)).flatMap(([name, { balance, held }]) => [
        [`${system} ${name}`, balance] as const,
        [`${system} ${name} held`, held] as const,
      ]),
    ),
  );
}

/** The sample network's three organisations are at home in the first three countries; the fourth only endorses. */
function placeOf(organisation: string): number {
  return ['central-bank-a', 'central-bank-b', 'csd-b'].indexOf(organisation);
}

async function callsOf(archive: ArchivedLedger['archive']) {
  const environment = await archive.environment();
  const { proposals } = await archive.period(0, Date.now() + 60_000, { limit: 500 });
  const about = await Promise.all(proposals.map((proposal) => archive.about(proposal)));
  return [...environment, ...about.flat()].toSorted((a, b) => a.block - b.block || a.index - b.index);
}

type Questions = Pick<ArchivedLedger, 'evaluate'>;

/** The hash of everything that questions show of a ledger's state: the register, every settlement, and its history. */
async function digestOf(ledger: Questions): Promise<string> {
  const register = await ledger.evaluate('register', {});
  const listed = await ledger.evaluate('settlements', { limit: 500 });
  assert.ok(register.ok && listed.ok);
  const settled = await Promise.all(
    listed.value.settlements.map(async ({ proposal }) => {
      const view = await ledger.evaluate('settlement', { id: proposal });
      const history = await ledger.evaluate('history', { id: proposal, limit: 500 });
      return [view, history];
    }),
  );
  return hashOf([register, listed, settled]);
}
