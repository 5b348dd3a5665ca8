import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import * as contract from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import type { SignedCall } from '@linkspan/protocol';
import { lodgeBody, sampleInstruction, sampleNetwork, SCENE_BEGIN } from '@linkspan/testkit';
import { FakePeer } from './fake-peer.ts';
import { LinkspanChaincode } from './linkspan-chaincode.ts';

const net = sampleNetwork();

test('a batch reads what its calls lack together, writes once and carries one event', async () => {
  const { peer, chaincode } = await registered();
  const trades = ['T1', 'T2', 'T3'].flatMap((tradeId) => lodges(tradeId));
  const before = new Map(peer.state);
  const done = await peer.simulate(chaincode, ['submit', JSON.stringify(trades)], SCENE_BEGIN);
  assert.equal(done.status, 200);
  assert.deepEqual(peer.state, before, 'a simulation commits nothing');
  const { changed, results } = JSON.parse(done.payload);
  assert.equal(changed, true, done.payload);
  assert.deepEqual(
    results.map((result: { value: { sequence: number } }) => result.value.sequence),
    [1, 2, 1, 2, 1, 2],
  );
  assert.deepEqual(
    done.questions.filter((type) => type !== '25'),
    ['24'],
  );
  const alone = await peer.simulate(chaincode, ['submit', JSON.stringify(lodges('T1'))], SCENE_BEGIN);
  assert.equal(done.questions.length, alone.questions.length, 'three trades ask no oftener than one');
  assert.ok(done.questions.length <= 4, 'what calls name themselves is fetched at once');
  const event = JSON.parse(done.event?.payload ?? '');
  assert.equal(event.time, SCENE_BEGIN);
  assert.deepEqual(
    event.events.map((each: { tradeId: string }) => each.tradeId),
    ['T1', 'T1', 'T2', 'T2', 'T3', 'T3'],
  );
});

test('calls may come packed; what cannot be unpacked is refused', async () => {
  const { peer, chaincode } = await registered();
  const text = JSON.stringify(lodges('T1'));
  const plain = await peer.simulate(chaincode, ['submit', text], SCENE_BEGIN);
  const packed = deflateSync(text);
  assert.deepEqual(await peer.simulate(chaincode, ['submit', packed], SCENE_BEGIN), plain);
  const broken = await peer.simulate(chaincode, ['submit', packed.subarray(0, packed.length - 9)], SCENE_BEGIN);
  assert.match(broken.message, /^internal\|/);
});

test('what changes nothing writes nothing and has no event', async () => {
  const { peer, chaincode } = await registered();
  const [lodge] = lodges('T1');
  assert.ok(lodge);
  await submit(peer, chaincode, [lodge]);
  const forged = { ...lodge, signature: { ...lodge.signature, signature: '0'.repeat(128) } };
  const again = await peer.simulate(chaincode, ['submit', JSON.stringify([lodge, forged])], SCENE_BEGIN + 1);
  const { changed, results } = JSON.parse(again.payload);
  assert.deepEqual([changed, again.writes.size, again.event], [false, 0, undefined]);
  assert.deepEqual([results[0].ok, results[1].refusal.code], [true, 'signature-invalid']);
});

test('a proposal that is not of the present is refused by the clock of the organisation that is asked', async () => {
  const { peer, chaincode } = await registered();
  for (const offMs of [-2001, 2001]) {
    const refused = await peer.simulate(chaincode, ['submit', '[]'], SCENE_BEGIN + offMs);
    assert.equal(refused.status, 500);
    assert.match(refused.message, /^clock\|The proposal's time is -?2001 ms from/);
  }
  for (const offMs of [-2000, 2000])
    assert.equal((await peer.simulate(chaincode, ['submit', '[]'], SCENE_BEGIN + offMs)).status, 200);
});

test('whatever is no transaction of ours is answered with a code', async () => {
  const { peer, chaincode } = await registered();
  for (const args of [[], ['steal', '[]'], ['submit', 'x'], ['submit', '{}'], ['query', '{}'], ['query', 'x']]) {
    const refused = await peer.simulate(chaincode, args, SCENE_BEGIN);
    assert.equal(refused.status, 500);
    assert.match(refused.message, /^(request-invalid|internal)\|/);
  }
});

test('two trades at once commit both; two writers of one settlement do not', async () => {
  const { peer, chaincode } = await registered();
  const simulate = (calls: readonly SignedCall[]) =>
    peer.simulate(chaincode, ['submit', JSON.stringify(calls)], SCENE_BEGIN);
  const [first, second] = [await simulate(lodges('T1')), await simulate(lodges('T2'))];
  assert.deepEqual([peer.commit(first), peer.commit(second)], [true, true]);
  const [one, other] = lodges('T3');
  assert.ok(one && other);
  const [a, b] = [await simulate([one]), await simulate([other])];
  assert.deepEqual([peer.commit(a), peer.commit(b)], [true, false]);
});

test('questions are answered from committed state, pages backwards too', async () => {
  const { peer, chaincode, setTime } = await registered();
  let time = SCENE_BEGIN;
  // Gaps from nothing to years, so that pages lie within one window and across many.
  const gaps = [0, 1, 500, 59_000, 61_000, 3_600_000, 86_400_000, 1, 40_000_000_000, 0, 7];
  for (const [i, gap] of gaps.entries()) {
    time += gap;
    setTime(time);
    await submit(peer, chaincode, lodges(`T${i}`, time), time);
  }
  const ask = async (args: object) => {
    const [answered] = await query(peer, chaincode, [{ type: 'settlements', args }], time + 5);
    return JSON.parse(answered.text).value;
  };
  const seen: string[] = [];
  for (let next: string | undefined; ;) {
    const page = await ask({ limit: 3, ...(next === undefined ? {} : { before: next }) });
    seen.push(...page.settlements.map((each: { tradeId: string }) => each.tradeId));
    if (page.next === null) break;
    next = page.next;
  }
  assert.equal(seen.length, gaps.length);
  assert.deepEqual(new Set(seen.slice(0, 3)), new Set(['T10', 'T9', 'T8']));
  assert.equal(seen.at(-1) === 'T0' || seen.at(-1) === 'T1', true);
  const [register] = await query(peer, chaincode, [{ type: 'register', args: {} }], time);
  assert.equal(
    JSON.parse(register.text).value.accounts.length,
    net.plan.calls.filter(({ body }) => body.type === 'register-account').length,
  );
});

test('questions that come together read together, and one that breaks spoils no other', async () => {
  const { peer, chaincode } = await registered();
  await submit(peer, chaincode, lodges('T1'));
  const system = (id: string) => ({ type: 'system', args: { id } });
  const alone = await peer.simulate(chaincode, ['query', JSON.stringify([system('csd')])], SCENE_BEGIN);
  const questions = [system('csd'), { type: 'x', args: {} }, system('rtgs'), 'x', system('none')];
  const together = await peer.simulate(chaincode, ['query', JSON.stringify(questions)], SCENE_BEGIN);
  assert.deepEqual(together.questions, alone.questions);
  const answers = await query(peer, chaincode, questions, SCENE_BEGIN);
  const ids = answers.map((each: { text?: string }) =>
    each.text === undefined ? 'broken' : JSON.parse(each.text).value?.id,
  );
  assert.deepEqual(ids, ['csd', 'broken', 'rtgs', 'broken', undefined]);
  assert.equal(typeof answers[1]?.broken, 'string');
});

async function query(peer: FakePeer, chaincode: LinkspanChaincode, questions: readonly unknown[], time: number) {
  const answered = await peer.simulate(chaincode, ['query', JSON.stringify(questions)], time);
  assert.equal(answered.status, 200, answered.message);
  return JSON.parse(answered.payload);
}

async function registered() {
  const peer = new FakePeer();
  let time = SCENE_BEGIN;
  const chaincode = new LinkspanChaincode({
    version: 'this one',
    contract,
    verify: createVerify({ memoize: 1000 }),
    now: () => time,
    toleranceMs: 2000,
  });
  await submit(peer, chaincode, net.setUp());
  return { peer, chaincode, setTime: (value: number) => (time = value) };
}

async function submit(peer: FakePeer, chaincode: LinkspanChaincode, calls: readonly SignedCall[], time = SCENE_BEGIN) {
  const done = await peer.simulate(chaincode, ['submit', JSON.stringify(calls)], time);
  assert.equal(done.status, 200, done.message);
  for (const result of JSON.parse(done.payload).results) assert.ok(result.ok, JSON.stringify(result));
  assert.ok(peer.commit(done));
}

function lodges(tradeId: string, now = SCENE_BEGIN): SignedCall[] {
  const body = lodgeBody(sampleInstruction(tradeId, now));
  return ['central-bank-a', 'csd-b'].map((organisation) => net.call(organisation, body));
}
