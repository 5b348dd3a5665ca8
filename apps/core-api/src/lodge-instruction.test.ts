import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CallWriter } from '@linkspan/coordinator';
import { ENDPOINTS, type Json, parse } from '@linkspan/protocol';
import { sampleInstruction } from '@linkspan/testkit';
import { createLodging } from './lodge-instruction.ts';
import { createRequests } from './requests.ts';
import {
  lodge,
  lodgeBoth,
  openTestLedger,
  post,
  problemOf,
  startTestNetwork,
  type TestNetwork,
  valid,
} from './test-support.ts';

let network: TestNetwork;
let a: string;

before(async () => {
  network = await startTestNetwork();
  a = network.urls['central-bank-a'] ?? '';
});

after(() => network[Symbol.asyncDispose]());

test('without an Idempotency-Key nothing is lodged', async () => {
  const answer = await post(a, '/instructions', JSON.stringify(network.instruction('NO-KEY')));
  assert.deepEqual([answer.status, problemOf(answer).code], [400, 'idempotency-key-missing']);
  const empty = await lodge(a, network.instruction('NO-KEY'), '');
  assert.equal(problemOf(empty).code, 'idempotency-key-missing');
  const long = await lodge(a, network.instruction('NO-KEY'), 'k'.repeat(101));
  assert.deepEqual([long.status, problemOf(long).code], [422, 'request-invalid']);
});

test('F6 the same key with the same body has the same answer, later and after a restart too', async () => {
  const instruction = network.instruction('SAME');
  const first = await lodge(a, instruction, 'same');
  const reordered = Object.fromEntries(Object.entries(instruction).toReversed());
  assert.deepEqual((await lodge(a, reordered, 'same')).body, first.body, 'the order of members means nothing');
  // From here on the trade id is used and the settlement has moved on; the answer stays.
  await lodge(network.urls['csd-b'] ?? '', instruction, 'same');
  await network.restart();
  a = network.urls['central-bank-a'] ?? '';
  const again = await lodge(a, instruction, 'same');
  assert.deepEqual(
    [again.status, again.headers.get('location'), again.body],
    [202, first.headers.get('location'), first.body],
  );
  assert.equal(valid(parse(ENDPOINTS.lodge.answer, again.body, 'internal')).phase, 'proposed');
});

test('F6 the same key with another body is refused, and both sides have keys of their own', async () => {
  await lodge(a, network.instruction('REUSED-1'), 'reused');
  const answer = await lodge(a, network.instruction('REUSED-2'), 'reused');
  assert.deepEqual([answer.status, problemOf(answer).code], [422, 'idempotency-key-reused']);
  const worse = await lodge(a, { nothing: 'right' }, 'reused');
  assert.equal(problemOf(worse).code, 'idempotency-key-reused', 'the key is looked at before the body is judged');
  assert.equal((await lodge(network.urls['csd-b'] ?? '', network.instruction('REUSED-2'), 'reused')).status, 202);
});

test('F38 a trade that has begun cannot be lodged again under another key', async () => {
  const instruction = network.instruction('BEGUN');
  await lodgeBoth(network, instruction);
  const answer = await lodge(a, instruction, 'begun again');
  assert.deepEqual([answer.status, problemOf(answer).code], [422, 'instruction-invalid']);
  assert.deepEqual(
    problemOf(answer).problems.map(({ code }) => code),
    ['trade-id-used'],
  );
});

test('a request that is still under way is answered as such, and once it is over with its own answer', async () => {
  await using ledger = await openTestLedger();
  const { sample } = ledger;
  const signer = sample.organisations['central-bank-a']?.call;
  assert.ok(signer);
  const organisation = 'central-bank-a';
  const requests = createRequests(organisation, ledger);
  const lodging = createLodging({ ledger, writer: new CallWriter(ledger, sample.id, organisation, signer), requests });
  const sender = { client: 'operator', actor: 'operator', key: 'k' };
  const first = lodging(sender, copyOf('SLOW'));
  const second = await lodging(sender, copyOf('SLOW'));
  assert.ok(!second.ok && second.refusal.code === 'request-in-progress');
  const other = await lodging(sender, copyOf('OTHER'));
  assert.ok(!other.ok && other.refusal.code === 'idempotency-key-reused');
  const stranger = await lodging({ ...sender, client: 'somebody else' }, copyOf('STRANGER'));
  assert.ok(stranger.ok, 'keys belong to the client that chose them');
  assert.deepEqual(await lodging(sender, copyOf('SLOW')), await first);
  const colleague = await lodging({ ...sender, actor: 'a colleague' }, copyOf('SLOW'));
  assert.ok(
    !colleague.ok && colleague.refusal.code === 'idempotency-key-reused',
    'what one person asked, another did not',
  );
});

test('a text that is no Unicode is refused before anything is hashed', async () => {
  const instruction = network.instruction('SURROGATE');
  const answer = await lodge(a, { ...instruction, rate: { ...instruction.rate, source: '\ud800' } }, 'surrogate');
  assert.deepEqual([answer.status, problemOf(answer).code], [422, 'request-invalid']);
});

const now = Date.now();

function copyOf(tradeId: string): Json {
  const copy: Json = JSON.parse(JSON.stringify(sampleInstruction(tradeId, now)));
  return copy;
}
