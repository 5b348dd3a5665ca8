import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createVerify } from '@linkspan/keys';
import { type Entry, hashOf } from '@linkspan/protocol';
import { operationNamesIn } from '@linkspan/scenario';
import { type Evidence, FABRIC_HOST } from './evidence.ts';
import { mergeEvidence } from './merge-evidence.ts';
import { parseEvidence, readEvidence } from './read-evidence.ts';
import { namesIn, tellStory } from './story.ts';
import { verifyEvidence } from './verify-evidence.ts';

function vector(name: string): Evidence {
  const read = readEvidence(
    readFileSync(new URL(`../../../test/vectors/audit/valid/${name}.json`, import.meta.url), 'utf8'),
  );
  assert.ok(read.ok);
  return read.value;
}

const verify = createVerify({ memoize: 1000 });

test('Fabric blocks of several files are there once each, in their order', () => {
  const settled = vector('settled');
  const blocks = (...numbers: number[]) => numbers.map((number) => ({ number, content: '' }));
  const onFabric = (...numbers: number[]): Evidence => ({
    ...settled,
    host: FABRIC_HOST,
    fabric: { chaincode: 'cc', blocks: blocks(...numbers) },
  });
  const merged = mergeEvidence([onFabric(0, 5), { ...settled, host: FABRIC_HOST }, onFabric(0, 3, 5)]);
  assert.ok(merged.ok);
  assert.deepEqual(merged.value.fabric, { chaincode: 'cc', blocks: blocks(0, 3, 5) });
  assert.ok(parseEvidence(merged.value).ok);
  const embedded = parseEvidence({ ...merged.value, host: settled.host });
  assert.ok(!embedded.ok);
  assert.equal(embedded.finding.where, '/fabric');
});

test('the parts of a period, merged in any order, are the period', () => {
  const period = vector('period');
  const parts = period.settlements.map((settlement): Evidence => ({ ...period, settlements: [settlement] }));
  for (const order of [parts, parts.toReversed(), [...parts, ...parts]]) {
    const merged = mergeEvidence(order);
    assert.ok(merged.ok);
    assert.deepEqual(merged.value, period);
    assert.equal(verifyEvidence(merged.value, { verify, network: period.network }).verdict, 'complete');
  }
});

test('a settlement in several files is taken from where it went furthest, and as asked for if one asked for it', () => {
  const whole = vector('settled');
  const [settlement] = whole.settlements;
  assert.ok(settlement);
  const earlier = { ...settlement, calls: settlement.calls.slice(0, 2), entries: settlement.entries.slice(0, 2) };
  const context = { ...settlement, role: 'context' } as const;
  const merged = mergeEvidence([
    { ...whole, settlements: [earlier] },
    { ...whole, settlements: [context] },
  ]);
  assert.ok(merged.ok);
  assert.deepEqual(merged.value, whole);
});

test('files of different networks are not merged', () => {
  const whole = vector('settled');
  const other = mergeEvidence([whole, { ...whole, network: hashOf('other') }]);
  assert.ok(!other.ok);
  assert.equal(other.refusal.code, 'network-mismatch');
  const genesis = mergeEvidence([whole, { ...whole, genesis: { ...whole.genesis, name: 'Other' } }]);
  assert.ok(!genesis.ok);
  assert.ok(!mergeEvidence([]).ok);
});

test('the story is told with the names that the evidence itself registered', () => {
  const whole = vector('settled');
  const [settlement] = whole.settlements;
  assert.ok(settlement);
  const story = tellStory(settlement, namesIn(whole));
  assert.deepEqual(
    story.map(({ sequence, by }) => [sequence, by]),
    [
      [1, 'Central Bank of A'],
      [2, 'CSD of B'],
      [3, 'Central Bank of B'],
      [4, 'Central Bank of B'],
    ],
  );
  assert.equal(story[0]?.time, '2027-01-15T08:00:00.000Z');
  assert.deepEqual(story.at(-1)?.words.at(-1), 'now settled');
  assert.ok(story.flatMap(({ words }) => words).includes('fcy-evm: 6,711.41 USD held for Central Bank of A'));
});

test('people’s word is told with the name of the operation, which the evidence has under its id', () => {
  const whole = vector('settled');
  const [settlement] = whole.settlements;
  const last = settlement?.entries.at(-1);
  assert.ok(settlement?.settlement && last);
  const changes = settlement.entries.flatMap((entry) => entry.changes);
  const operations = operationNamesIn(whole.network, settlement.settlement, changes);
  const stated = settlement.calls.flatMap(({ call: { call } }) =>
    call.body.type === 'record' ? call.body.statements.map(({ statement }) => statement.operation) : [],
  );
  assert.deepEqual([...operations.keys()].toSorted(), [...new Set(stated)].toSorted());
  const [[operation, name] = ['', '']] = operations;
  const said: Entry = {
    ...last,
    changes: [{ what: 'opinion', organisation: 'csd-b', actor: 'aiko', operation, status: 'dead' }],
  };
  const story = tellStory({ ...settlement, entries: [...settlement.entries, said] }, namesIn(whole));
  assert.deepEqual(story.at(-1)?.words, [`CSD of B (aiko) says that ${name} never happened`]);
});
