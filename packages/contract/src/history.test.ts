import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerify } from '@linkspan/keys';
import {
  type CallBody,
  type Entry,
  ENDS,
  type Hash,
  hashOf,
  scenarioHash,
  scenarioReference,
} from '@linkspan/protocol';
import {
  ContractScene,
  lodgeBody,
  MemoryWorld,
  readRecordings,
  readScenario,
  replay,
  sampleNetwork,
} from '@linkspan/testkit';
import fc from 'fast-check';
import { stateHash } from '@linkspan/scenario';
import { applyCalls } from './apply-calls.ts';
import { runQuery } from './queries.ts';

const net = sampleNetwork();
const SCENARIOS = ['dvp-buyer-overseas', 'dvp-buyer-overseas-report'];

test('entries of a settlement form a chain: each names the hash of the one before and of the state after it', () => {
  const scene = new ContractScene(net);
  const proposal = scene.begin('T-1');
  scene.answerAll(proposal);
  scene.answerAll(proposal);
  const entries = history(scene, proposal);
  assert.deepEqual(
    entries.map(({ sequence }) => sequence),
    [1, 2, 3, 4],
  );
  entries.forEach((entry, index) => {
    const before = entries[index - 1];
    assert.equal(entry.previous, before ? hashOf(before) : null);
    const told = scene.world.events[index];
    assert.equal(told?.head, hashOf(entry));
    assert.deepEqual(told.changes, entry.changes);
  });
  const { state, head } = scene.view(proposal);
  assert.equal(entries.at(-1)?.state, stateHash(state));
  assert.equal(head, hashOf(entries.at(-1)));
});

for (const scenario of SCENARIOS) {
  test(`F47 F48 each recorded history of ${scenario} replays to the same entries, states and hashes`, () => {
    for (const [name, recording] of readRecordings(scenario)) {
      assert.deepEqual(replay(recording), recording.entries, name);
      assert.equal(recording.entries.at(-1)?.phase, name.split('-')[0]);
    }
  });

  test(`every end of ${scenario} has a recorded history of the document as it is`, () => {
    const recordings = [...readRecordings(scenario)];
    const ends = recordings.map(([, { entries }]) => entries.at(-1)?.phase);
    assert.deepEqual(
      ENDS.filter((end) => !ends.includes(end)),
      [],
    );
    const document = readScenario(scenario);
    for (const [, recording] of recordings) {
      assert.deepEqual(recording.scenario, { reference: scenarioReference(document), hash: scenarioHash(document) });
    }
  });
}

type Move = {
  readonly trade: number;
  readonly what: 'lodge a' | 'lodge b' | 'answer' | 'refuse' | 'expire' | 'cancel' | 'retract' | 'certify';
};
const move: fc.Arbitrary<Move> = fc.record({
  trade: fc.nat({ max: 2 }),
  what: fc.constantFrom(
    'lodge a',
    'lodge a',
    'lodge b',
    'lodge b',
    'answer',
    'answer',
    'answer',
    'refuse',
    'expire',
    'cancel',
    'retract',
    'certify',
  ),
});

test('whatever settlements do at the same time, no two write the same key, and their calls replay to the same world', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(move, fc.constantFrom(0, 500, 61_000)), { minLength: 10, maxLength: 40 }),
      (moves) => {
        const scene = new ContractScene(net);
        const written = new Map<string, number>();
        for (const [{ trade, what }, afterMs] of moves) {
          scene.world.tx.time += afterMs;
          const before = new Map(scene.world.state);
          const called = bodyOf(scene, `T-${trade}`, what);
          if (called) scene.do(...called);
          for (const key of new Set([...before.keys(), ...scene.world.state.keys()])) {
            if (before.get(key) === scene.world.state.get(key)) continue;
            assert.equal(written.get(key) ?? trade, trade, `two settlements wrote ${key}`);
            written.set(key, trade);
          }
        }
        const again = new MemoryWorld(createVerify({ memoize: 10_000 }), 0);
        for (const { time, calls } of scene.submitted) {
          again.tx.time = time;
          applyCalls(again, calls);
        }
        assert.deepEqual(again.state, scene.world.state);
        assert.deepEqual(again.events, scene.world.events);
      },
    ),
    { numRuns: 25 },
  );
});

function bodyOf(scene: ContractScene, tradeId: string, what: Move['what']): [string, CallBody] | undefined {
  if (what === 'lodge a' || what === 'lodge b') {
    return [what === 'lodge a' ? 'central-bank-a' : 'csd-b', lodgeBody(scene.instruction(tradeId, 100_000))];
  }
  const found = runQuery(scene.world, 'by-trade-id', { tradeId });
  const proposal = found.ok ? found.value.at(-1) : undefined;
  if (proposal === undefined) return undefined;
  const { state, certificates } = scene.view(proposal);
  const open = state.operations.filter(({ status }) => status === 'requested').slice(0, 2);
  switch (what) {
    case 'expire':
    case 'cancel':
    case 'retract':
      return ['csd-b', { type: what, proposal }];
    case 'certify': {
      const [certificate] = certificates;
      return certificate && ['csd-b', { type: 'certify', proposal, shares: [scene.share('csd-b', certificate)] }];
    }
    case 'answer':
    case 'refuse': {
      const status = what === 'answer' ? 'effective' : 'dead';
      const name = ({ stage, name: own, purpose, verb }: (typeof open)[number]) =>
        `${stage}/${own}${purpose === 'inverse' ? ` ${verb}` : ''}`;
      if (open.length === 0) return undefined;
      return ['csd-b', scene.recording(proposal, ...open.map((operation) => [name(operation), status] as const))];
    }
  }
}

function history(scene: ContractScene, proposal: Hash): readonly Entry[] {
  const found = runQuery(scene.world, 'history', { id: proposal, limit: 100 });
  assert.ok(found.ok);
  return found.value;
}
