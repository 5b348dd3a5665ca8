import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AccountRecord, ENDPOINTS, parse, type SettlementBody } from '@linkspan/protocol';
import {
  type Answer,
  get,
  isObject,
  lodge,
  lodgeBoth,
  perform,
  performAll,
  post,
  problemOf,
  showSettlement,
  startTestNetwork,
  type TestNetwork,
  valid,
} from './test-support.ts';

let network: TestNetwork;

before(async () => {
  network = await startTestNetwork();
});

after(() => network[Symbol.asyncDispose]());

test('a copy is taken back while nothing has begun, by whoever lodged it, and the history names the person', async () => {
  await lodge(url('central-bank-a'), network.instruction('RETRACT-1'), 'r1');
  const { proposal } = await showSettlement(network, 'RETRACT-1');
  const stranger = await act('csd-b', proposal, 'retract', 'r0');
  assert.deepEqual([stranger.status, problemOf(stranger).code], [403, 'not-entitled']);
  const answer = await act('central-bank-a', proposal, 'retract', 'r2', undefined, 'mary');
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(valid(parse(ENDPOINTS.retract.answer, answer.body, 'internal')).phase, 'rejected');
  const again = await act('central-bank-a', proposal, 'retract', 'r2', undefined, 'mary');
  assert.deepEqual([again.status, again.body], [200, answer.body], 'the same request has the same answer');
  const { body } = await get(url('csd-b'), `/settlements/${proposal}/history`);
  const { entries } = valid(parse(ENDPOINTS.history.answer, body, 'internal'));
  assert.deepEqual(entries.at(-1)?.by, { organisation: 'central-bank-a', actor: 'mary' });
});

test('a settlement is cancelled when both sides have asked', async () => {
  const { id } = await lodgeBoth(network, network.instruction('CANCEL-1'));
  const first = await act('central-bank-a', id, 'cancel', 'c1');
  assert.equal(valid(parse(ENDPOINTS.cancel.answer, first.body, 'internal')).phase, 'preparing');
  const twice = await act('central-bank-a', id, 'cancel', 'c2');
  assert.deepEqual([twice.status, twice.body], [200, first.body], 'what was asked before stands');
  assert.deepEqual((await showSettlement(network, id)).cancelRequestedBy, ['central-bank-a']);
  const stranger = await act('central-bank-b', id, 'cancel', 'c3');
  assert.equal(problemOf(stranger).code, 'not-entitled');
  const second = await act('csd-b', id, 'cancel', 'c1');
  assert.equal(valid(parse(ENDPOINTS.cancel.answer, second.body, 'internal')).phase, 'aborting');
  const late = await act('csd-b', id, 'retract', 'c4');
  assert.deepEqual([late.status, problemOf(late).code], [409, 'illegal-edge']);
});

test('people resolve an operation when they were asked to, and two persons of every owner say the same', async () => {
  const begun = await lodgeBoth(network, network.instruction('RESOLVE-1'));
  const early = { operation: operationNamed(begun, 'earmark/fcy'), status: 'dead', why: 'it must be so' };
  const unasked = await act('csd-b', begun.id, 'resolve', 'unasked', early);
  assert.deepEqual([unasked.status, problemOf(unasked).code], [409, 'illegal-edge']);
  await performAll(network, begun.id);
  const odd = await perform(network, begun.id, 'deliver/fcy', { amount: '1' });
  const operation = operationNamed(odd, 'deliver/fcy');
  const body = { operation, status: 'effective', why: 'the rest was paid by hand' };
  for (const owner of ['central-bank-a', 'central-bank-b', 'csd-b']) {
    for (const person of ['ada', 'ada', 'bo']) {
      assert.equal(statusOf(await showSettlement(network, begun.id), operation), 'irregular');
      const key = `${owner} ${person}`;
      const said = await act(owner, begun.id, 'resolve', key, body, person);
      assert.equal(said.status, 200, JSON.stringify(said.body));
      assert.equal(valid(parse(ENDPOINTS.resolve.answer, said.body, 'internal')).phase, 'committed');
    }
  }
  const resolved = await showSettlement(network, begun.id);
  assert.equal(statusOf(resolved, operation), 'effective');
  assert.deepEqual(resolved.opinions.at(0), {
    operation,
    name: 'deliver/fcy',
    organisation: 'central-bank-a',
    actor: 'ada',
    status: 'effective',
  });
  assert.deepEqual([resolved.opinions.length, resolved.resolvers.length, resolved.resolvers[0]?.persons], [6, 3, 2]);
  const late = await act('csd-b', begun.id, 'resolve', 'late', body);
  assert.equal(valid(parse(ENDPOINTS.resolve.answer, late.body, 'internal')).id, begun.id);
  const against = await act('csd-b', begun.id, 'resolve', 'against', { ...body, status: 'dead' });
  assert.deepEqual([against.status, problemOf(against).code], [409, 'already-recorded']);
  const nothing = await act('csd-b', begun.id, 'resolve', 'nothing', {
    ...body,
    operation: `sha256:${'0'.repeat(64)}`,
  });
  assert.equal(problemOf(nothing).code, 'statement-other-operation');
  const named = await act('csd-b', begun.id, 'resolve', 'named', { ...body, operation: 'deliver/fcy' });
  assert.match(problemOf(named).problems[0]?.message ?? '', /^"operation": the id of an operation \(sha256:/);
  const why = await act('csd-b', begun.id, 'resolve', 'why', { operation, status: 'gone' });
  assert.deepEqual(
    problemOf(why)
      .problems.map(({ pointer }) => pointer)
      .toSorted(),
    ['/status', '/why'],
  );
});

test('an action names the settlement by its own id, has a key, and a body only where there is something to say', async () => {
  await lodge(url('central-bank-a'), network.instruction('NAMES-1'), 'n1');
  const { proposal } = await showSettlement(network, 'NAMES-1');
  const byTrade = await act('central-bank-a', 'NAMES-1', 'retract', 'n2');
  assert.deepEqual([byTrade.status, problemOf(byTrade).problems[0]?.pointer], [422, '/id']);
  const none = await act('central-bank-a', `sha256:${'0'.repeat(64)}`, 'retract', 'n3');
  assert.deepEqual([none.status, problemOf(none).code], [404, 'not-found']);
  const keyless = await act('central-bank-a', proposal, 'retract', undefined);
  assert.deepEqual([keyless.status, problemOf(keyless).code], [400, 'idempotency-key-missing']);
  const talking = await act('central-bank-a', proposal, 'retract', 'n4', { why: 'because' });
  assert.deepEqual([talking.status, problemOf(talking).code], [422, 'request-invalid']);
  const reused = await act('central-bank-a', proposal, 'cancel', 'n1');
  assert.deepEqual(
    [reused.status, problemOf(reused).code],
    [422, 'idempotency-key-reused'],
    'the ledger knows the key',
  );
  assert.equal((await act('central-bank-a', proposal, 'retract', 'n5')).status, 200);
  const { id } = await lodgeBoth(network, network.instruction('NAMES-2'));
  assert.equal(problemOf(await act('central-bank-a', id, 'cancel', 'n5')).code, 'idempotency-key-reused');
});

test('an account is registered over HTTP by the owner of its system, and answers know it at once', async () => {
  const account: AccountRecord = { id: 'rtgs:4712', party: '999900KITABANK00B013', assets: ['JPY'] };
  const body = { type: 'register-account', account };
  const stranger = await register('csd-b', body, 'a1');
  assert.deepEqual([stranger.status, problemOf(stranger).code], [403, 'not-entitled']);
  const registered = await register('central-bank-b', body, 'a1');
  assert.deepEqual([registered.status, registered.body], [200, { id: 'rtgs:4712' }]);
  assert.deepEqual((await register('central-bank-b', body, 'a1')).body, registered.body);
  const other = await register('central-bank-b', { ...body, account: { ...account, assets: ['USD'] } }, 'a2');
  assert.deepEqual([other.status, problemOf(other).code], [409, 'already-registered']);
  const { body: known } = await get(url('csd-b'), '/network');
  assert.ok(isObject(known) && JSON.stringify(known['accounts']).includes('rtgs:4712'));
  assert.equal((await register('central-bank-b', { type: 'cancel' }, 'a3')).status, 422);
  assert.equal(problemOf(await register('central-bank-b', { type: 'genesis' }, 'a4')).code, 'request-invalid');
});

test('a scenario is proposed by one organisation and approved by the others', async () => {
  const first = network.sample.plan.calls.flatMap(({ body }) =>
    body.type === 'propose-scenario' ? [body.document] : [],
  )[0];
  assert.ok(first);
  const document = { ...first, version: 2 };
  const reference = `${first.name}@2`;
  assert.equal((await get(url('csd-b'), `/scenarios/${reference}`)).status, 404);
  const proposed = await register('central-bank-a', { type: 'propose-scenario', document }, 's1');
  const { scenario, hash } = isObject(proposed.body) ? proposed.body : {};
  assert.equal(scenario, reference, JSON.stringify(proposed.body));
  assert.deepEqual((await showScenario(reference)).approvals, ['central-bank-a']);
  const approved = await register('csd-b', { type: 'approve-scenario', scenario, hash }, 's1');
  assert.equal(approved.status, 200);
  const shown = await showScenario(reference);
  assert.deepEqual([shown.approvals, shown.proposedBy], [['central-bank-a', 'csd-b'], 'central-bank-a']);
  assert.deepEqual(shown.document, document);
  assert.match(shown.diagram, /^stateDiagram-v2\n/);
  const broken = await register(
    'central-bank-a',
    { type: 'propose-scenario', document: { ...document, version: 3, exchange: [] } },
    's2',
  );
  assert.equal(broken.status, 422);
  const { body } = await get(url('central-bank-b'), '/scenarios');
  const { scenarios } = valid(parse(ENDPOINTS.scenarios.answer, body, 'internal'));
  assert.ok(scenarios.some((each) => each.reference === reference));
});

test('the same key has the same answer after a restart too, and another body or person under it is refused', async () => {
  const { id } = await lodgeBoth(network, network.instruction('DURABLE-1'));
  const cancelled = await act('central-bank-a', id, 'cancel', 'd1');
  const account: AccountRecord = { id: 'rtgs:4713', party: '999900KITABANK00B013', assets: ['JPY'] };
  const registered = await register('central-bank-b', { type: 'register-account', account }, 'd2');
  assert.deepEqual([cancelled.status, registered.status], [200, 200]);
  await act('csd-b', id, 'cancel', 'd3');
  await network.restart();
  const again = await act('central-bank-a', id, 'cancel', 'd1');
  assert.deepEqual([again.status, again.body], [200, cancelled.body], 'as it was then, whatever happened since');
  const registeredAgain = await register('central-bank-b', { type: 'register-account', account }, 'd2');
  assert.deepEqual(registeredAgain.body, registered.body);
  const other = await act('central-bank-a', id, 'retract', 'd1');
  assert.deepEqual([other.status, problemOf(other).code], [422, 'idempotency-key-reused']);
  const body = { type: 'register-account', account: { ...account, id: 'rtgs:4714' } };
  assert.equal(problemOf(await register('central-bank-b', body, 'd2')).code, 'idempotency-key-reused');
  const elsewhere = await act('csd-b', id, 'cancel', 'd1');
  assert.equal(elsewhere.status, 200, 'another organisation has keys of its own');
});

test('systems are listed with their owners, validators and promises', async () => {
  const { body } = await get(url('central-bank-a'), '/systems');
  const { systems } = valid(parse(ENDPOINTS.systems.answer, body, 'internal'));
  assert.deepEqual(
    systems.map(({ id, owner }) => [id, owner]),
    [
      ['csd', 'csd-b'],
      ['fcy-evm', 'central-bank-a'],
      ['rtgs', 'central-bank-b'],
    ],
  );
});

function url(organisation: string): string {
  return network.urls[organisation] ?? '';
}

function act(
  organisation: string,
  id: string,
  verb: string,
  key: string | undefined,
  body?: object,
  client = 'operator',
): Promise<Answer> {
  const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
  return post(url(organisation), `/settlements/${id}/${verb}`, body && JSON.stringify(body), headers, client);
}

function register(organisation: string, body: object, key: string): Promise<Answer> {
  return post(url(organisation), '/register', JSON.stringify(body), { 'idempotency-key': key });
}

async function showScenario(reference: string) {
  const { status, body } = await get(url('csd-b'), `/scenarios/${reference}`);
  assert.equal(status, 200, JSON.stringify(body));
  return valid(parse(ENDPOINTS.scenario.answer, body, 'internal'));
}

function operationNamed({ operations }: SettlementBody, name: string): string {
  const operation = operations.find((each) => each.name === name);
  assert.ok(operation);
  return operation.id;
}

function statusOf({ operations }: SettlementBody, id: string): string | undefined {
  return operations.find((each) => each.id === id)?.status;
}
