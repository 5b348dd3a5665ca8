import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as contract from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { type ContractCode, openEmbeddedLedger } from '@linkspan/ledger';
import { canonicalJson, type Hash, type SignedCall } from '@linkspan/protocol';
import { ContractScene, lodgeBody, SCENE_BEGIN } from '@linkspan/testkit';
import fc from 'fast-check';
import { FakePeer } from './fake-peer.ts';
import { LinkspanChaincode } from './linkspan-chaincode.ts';

const TRADES = 3;
const ORGANISATIONS = ['central-bank-a', 'central-bank-b', 'csd-b'] as const;

/** One thing that somebody does; most fit the state that they meet only sometimes, which is as it should be. */
type Deed = {
  readonly what: 'lodge' | 'lodge other' | 'answer' | 'refuse' | 'expire' | 'cancel' | 'retract' | 'forge' | 'again';
  readonly trade: number;
  readonly who: number;
};

const deed: fc.Arbitrary<Deed> = fc.record({
  what: fc.oneof(
    { weight: 5, arbitrary: fc.constant('lodge' as const) },
    { weight: 5, arbitrary: fc.constant('answer' as const) },
    fc.constantFrom('lodge other', 'refuse', 'expire', 'cancel', 'retract', 'forge', 'again'),
  ),
  trade: fc.nat(TRADES - 1),
  who: fc.nat(ORGANISATIONS.length - 1),
});
type Step = { readonly afterMs: number; readonly deeds: readonly Deed[] };

const transactions: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ afterMs: fc.constantFrom(0, 1, 700, 70_000), deeds: fc.array(deed, { minLength: 1, maxLength: 6 }) }),
  { minLength: 4, maxLength: 14 },
);

/** Both sides lodge, then every open operation takes effect. */
const ENDING: readonly Step[] = (['lodge', 'answer', 'answer', 'answer', 'answer', 'answer'] as const).map((what) => ({
  afterMs: 1,
  deeds: [{ what, trade: 0, who: 0 }],
}));

test('any workload ends in equal canonical state and equal results on a peer, on another one, and on the embedded host', async () => {
  let settled = 0;
  await fc.assert(
    fc.asyncProperty(transactions, async (steps) => {
      const scene = new ContractScene();
      for (const { afterMs, deeds } of steps) {
        scene.world.tx.time += afterMs;
        scene.submit(deeds.flatMap((each) => callsFor(scene, each)));
      }
      const expected = new Map([...scene.world.state].map(([key, value]) => [key, canonicalJson(value)]));
      if ([...expected.values()].some((value) => value.includes('"phase":"settled"'))) settled += 1;
      const first = await onPeer(scene);
      const second = await onPeer(scene);
      assert.deepEqual(first, second, 'organisations must agree to the byte');
      const embedded = await onEmbedded(scene);
      assert.deepEqual(sorted(first.state), sorted(expected));
      assert.deepEqual(sorted(embedded.state), sorted(expected));
      assert.deepEqual(embedded.results, first.results);
      assert.deepEqual(
        first.events,
        scene.world.events.map((event) => canonicalJson(event)),
      );
    }),
    { numRuns: 12, examples: [[ENDING]] },
  );
  assert.ok(settled > 0, 'some workload must come to an end');
});

type Ran = {
  readonly state: ReadonlyMap<string, string>;
  readonly results: readonly string[];
  readonly events: readonly string[];
};

async function onPeer(scene: ContractScene): Promise<Ran> {
  const peer = new FakePeer();
  let time = SCENE_BEGIN;
  const chaincode = new LinkspanChaincode({
    version: 'this one',
    contract,
    verify: createVerify({ memoize: 1000 }),
    now: () => time,
    toleranceMs: 2000,
  });
  const results: string[] = [];
  for (const [i, transaction] of scene.submitted.entries()) {
    time = transaction.time;
    const done = await peer.simulate(chaincode, ['submit', JSON.stringify(transaction.calls)], time, `tx-${i}`);
    assert.equal(done.status, 200, done.message);
    results.push(canonicalJson(JSON.parse(done.payload).results));
    assert.ok(peer.commit(done));
  }
  const events = peer.events.flatMap((payload) =>
    JSON.parse(payload).events.map((event: unknown) => canonicalJson(event)),
  );
  return { state: peer.state, results, events };
}

async function onEmbedded(scene: ContractScene): Promise<Pick<Ran, 'state' | 'results'>> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-equal-'));
  const state = new Map<string, string>();
  let time = SCENE_BEGIN;
  try {
    await using ledger = await openEmbeddedLedger({
      directory,
      contract: noting(state),
      verify: createVerify({ memoize: 1000 }),
      now: () => time,
      strict: true,
    });
    const results: string[] = [];
    for (const transaction of scene.submitted) {
      time = transaction.time;
      results.push(canonicalJson(await ledger.submit(transaction.calls)));
    }
    return { state, results };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The contract, with every write that it makes noted. */
function noting(state: Map<string, string>): ContractCode {
  return {
    ...contract,
    applyCalls: (world, calls) =>
      contract.applyCalls(
        {
          tx: world.tx,
          verify: world.verify,
          get: (key) => world.get(key),
          put: (key, value) => {
            state.set(key, canonicalJson(value));
            world.put(key, value);
          },
          delete: (key) => {
            state.delete(key);
            world.delete(key);
          },
          emit: (event) => world.emit(event),
        },
        calls,
      ),
  };
}

function callsFor(scene: ContractScene, { what, trade, who }: Deed): SignedCall[] {
  const tradeId = `TRADE-${trade}`;
  const organisation = ORGANISATIONS[who] ?? 'csd-b';
  const instruction = scene.instruction(tradeId);
  if (what === 'lodge')
    return ['central-bank-a', 'csd-b'].slice(who % 2).map((each) => scene.call(each, lodgeBody(instruction)));
  if (what === 'lodge other')
    return [scene.call(organisation, lodgeBody({ ...instruction, uetr: '11111111-1111-4111-8111-111111111111' }))];
  const proposal = proposalOf(scene, tradeId);
  if (proposal === undefined) return [];
  if (what === 'expire' || what === 'cancel' || what === 'retract')
    return [scene.call(organisation, { type: what, proposal })];
  if (what === 'again') return scene.submitted.at(-1)?.calls.slice(0, 2) ?? [];
  const open = scene.view(proposal).state.operations.filter(({ status }) => status === 'requested');
  const [first] = open;
  if (!first) return [];
  if (what === 'answer') {
    const said = open.map((operation) => [nameOf(operation), 'effective'] as const);
    return [scene.call(organisation, scene.recording(proposal, ...said))];
  }
  const call = scene.call(organisation, scene.recording(proposal, [nameOf(first), 'dead']));
  return what === 'refuse' ? [call] : [{ ...call, signature: { ...call.signature, signature: '0'.repeat(128) } }];
}

/** The proposal of a trade that was lodged last. */
function proposalOf(scene: ContractScene, tradeId: string): Hash | undefined {
  const found = contract.runQuery(scene.world, 'by-trade-id', { tradeId });
  return found.ok ? found.value.at(-1) : undefined;
}

type Operation = ReturnType<ContractScene['view']>['state']['operations'][number];

/** The name by which a scene finds an operation. */
function nameOf({ stage, name, leg, purpose, verb }: Operation): string {
  return `${stage}/${name}${leg === 0 ? '' : `[${leg}]`}${purpose === 'inverse' ? ` ${verb}` : ''}`;
}

function sorted(state: ReadonlyMap<string, string>): (readonly [string, string])[] {
  return [...state].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
