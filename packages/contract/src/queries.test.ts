import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flatten, type Hash, hashOf, unflatten } from '@linkspan/protocol';
import { ContractScene, lodgeBody, sampleNetwork } from '@linkspan/testkit';
import { MAXIMUM_PAGE, type Queries, type QueryType, runQuery } from './queries.ts';

const net = sampleNetwork();

function ask<T extends QueryType>(scene: ContractScene, type: T, args: Queries[T]['args']): Queries[T]['answer'] {
  const found = runQuery(scene.world, type, args);
  assert.ok(found.ok, `${type} was refused`);
  return found.value;
}

/** Five trades, one second after the other; the second one settles. */
function five() {
  const scene = new ContractScene(net);
  const proposals: Hash[] = [];
  for (const trade of ['T-1', 'T-2', 'T-3', 'T-4', 'T-5']) {
    proposals.push(scene.begin(trade));
    scene.world.tx.time += 1000;
  }
  const second = proposals[1];
  assert.ok(second);
  scene.answerAll(second);
  scene.answerAll(second);
  return { scene, proposals };
}

test('a settlement is found by its own id and by its proposal’s', () => {
  const { scene, proposals } = five();
  const [proposal] = proposals;
  assert.ok(proposal);
  const { state } = scene.view(proposal);
  assert.ok(state.settlement);
  assert.deepEqual(ask(scene, 'settlement', { id: state.settlement }), scene.view(proposal));
  for (const type of ['settlement', 'history'] as const) {
    const missing = runQuery(scene.world, type, { id: hashOf('none'), limit: 1 });
    assert.equal(!missing.ok && missing.refusal.code, 'not-found');
  }
});

test('settlements are listed newest first, page by page, without one twice or left out', () => {
  const { scene, proposals } = five();
  const seen: Hash[] = [];
  let before: string | undefined;
  for (let page = 0; page < 10; page++) {
    const { settlements, next } = ask(scene, 'settlements', { limit: 2, before });
    seen.push(...settlements.map(({ proposal }) => proposal));
    if (next === null) break;
    before = next;
  }
  assert.deepEqual(seen, proposals.toReversed());
  const settled = ask(scene, 'settlements', { limit: 10, phase: 'settled' });
  assert.deepEqual(
    settled.settlements.map(({ tradeId, phase, attention }) => [tradeId, phase, attention]),
    [['T-2', 'settled', 0]],
  );
  assert.equal(settled.next, null);
});

test('a page of one phase is filled across others', () => {
  const { scene, proposals } = five();
  const first = ask(scene, 'settlements', { limit: 3, phase: 'preparing' });
  const [, second, , , fifth] = proposals;
  assert.equal(first.settlements[0]?.proposal, fifth);
  const rest = ask(scene, 'settlements', { limit: 3, phase: 'preparing', before: first.next ?? undefined });
  const all = [...first.settlements, ...rest.settlements].map(({ proposal }) => proposal);
  assert.deepEqual(
    all,
    proposals.toReversed().filter((proposal) => proposal !== second),
  );
});

test('settlements are found by party, by system and by the time of their opening', () => {
  const { scene } = five();
  const instruction = scene.instruction('T-6');
  const trades = (args: Omit<Queries['settlements']['args'], 'limit'>, limit = 10): string[] =>
    ask(scene, 'settlements', { limit, ...args }).settlements.map(({ tradeId }) => tradeId);
  const all = ['T-5', 'T-4', 'T-3', 'T-2', 'T-1'];
  for (const filter of [{ party: instruction.seller.lei }, { party: instruction.buyer.lei }, { system: 'rtgs' }]) {
    assert.deepEqual(trades(filter), all);
  }
  assert.deepEqual(trades({ party: '999900NOBODY00000000' }), []);
  assert.deepEqual(trades({ system: 'rtg' }), []);
  assert.deepEqual(trades({ system: 'csd', phase: 'settled' }), ['T-2']);
  const times = ask(scene, 'settlements', { limit: 10 }).settlements.map((each) => each.openedAt);
  const [fifth = 0, fourth = 0, , second = 0] = times;
  assert.deepEqual(trades({ openedFrom: fourth }), ['T-5', 'T-4']);
  assert.deepEqual(trades({ openedTo: fourth }), ['T-3', 'T-2', 'T-1']);
  assert.deepEqual(trades({ openedFrom: second, openedTo: fifth }), ['T-4', 'T-3', 'T-2']);
  const first = ask(scene, 'settlements', { limit: 2, openedFrom: second, openedTo: fifth });
  const rest = ask(scene, 'settlements', { limit: 2, openedFrom: second, openedTo: fifth, before: first.next ?? '' });
  assert.deepEqual([rest.settlements.map(({ tradeId }) => tradeId), rest.next], [['T-2'], null]);
});

test('a proposal is found by what either copy says', () => {
  const scene = new ContractScene(net);
  const instruction = scene.instruction('T-7');
  scene.do('central-bank-a', lodgeBody(instruction));
  const found = ask(scene, 'settlements', { limit: 10, party: instruction.buyer.lei, system: 'fcy-evm' });
  assert.deepEqual(
    found.settlements.map(({ tradeId, phase }) => [tradeId, phase]),
    [['T-7', 'proposed']],
  );
});

test('what is open is listed until it ends', () => {
  const { scene, proposals } = five();
  const open = ask(scene, 'open', { limit: 10 });
  assert.deepEqual(open, proposals.filter((_, index) => index !== 1).toSorted());
  assert.deepEqual(ask(scene, 'open', { limit: 10, after: open[1] }), open.slice(2));
});

test('the history of a settlement is read from any entry on', () => {
  const { scene, proposals } = five();
  const [, second] = proposals;
  assert.ok(second);
  const sequences = (after: number | undefined, limit: number) =>
    ask(scene, 'history', { id: second, after, limit }).map(({ sequence }) => sequence);
  assert.deepEqual(sequences(undefined, 10), [1, 2, 3, 4]);
  assert.deepEqual(sequences(2, 10), [3, 4]);
  assert.deepEqual(sequences(1, 2), [2, 3]);
  assert.deepEqual(sequences(4, MAXIMUM_PAGE + 1), []);
});

test('what is registered, and what is not', () => {
  const { scene } = five();
  const { systems, parties, accounts, instruments, scenarios } = ask(scene, 'register', {});
  const counts = [systems, parties, accounts, instruments, scenarios].map(({ length }) => length);
  const types = ['register-system', 'register-party', 'register-account', 'register-instrument', 'propose-scenario'];
  assert.deepEqual(
    counts,
    types.map((type) => net.plan.calls.filter(({ body }) => body.type === type).length),
  );
  assert.equal(ask(scene, 'system', { id: 'rtgs' })?.owner, 'central-bank-b');
  assert.equal(ask(scene, 'system', { id: 'none' }), null);
  assert.equal(ask(scene, 'request', { organisation: 'csd-b', client: 'operator', key: 'K' }), null);
});

test('an instruction can be checked without lodging it, in any form', () => {
  const { scene } = five();
  const plain = (tradeId: string) => unflatten(flatten(scene.instruction(tradeId))) ?? null;
  assert.deepEqual(ask(scene, 'check-instruction', { instruction: plain('T-6') }), []);
  const used = ask(scene, 'check-instruction', { instruction: plain('T-1') });
  assert.deepEqual(
    used.map(({ pointer, code }) => [pointer, code]),
    [['/tradeId', 'trade-id-used']],
  );
  for (const instruction of [null, 7, 'text', [], {}, { seller: [] }]) {
    assert.ok(ask(scene, 'check-instruction', { instruction }).length > 0);
  }
});
