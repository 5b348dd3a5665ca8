import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdOf, id, ISIN, listOf, position, problem, signed, startFor } from './test-support.ts';

test('a hold earmarks the amount, leaves it with the payer, and says what was fixed', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const reply = await executor.post('/holds', holdOf('a'));
  const { booking, ...rest } = reply.body;
  assert.equal(reply.status, 201);
  assert.deepEqual(rest, { ...holdOf('a'), status: 'held', epoch: 1 });
  assert.deepEqual(await position(executor, '0042'), { free: '900', held: '100' });
  assert.deepEqual(await position(executor, '0099'), { free: '50', held: '0' });
  const found = await executor.get(`/holds/${id('a')}`);
  assert.deepEqual([found.status, found.body], [200, { ...rest, booking }]);
  const operation = await executor.get(`/operations/${id('a')}`);
  const { id: hold, ...terms } = holdOf('a');
  assert.deepEqual(operation.body, { operation: hold, status: 'effective', verb: 'hold', hold, ...terms, booking });
});

test('the same hold again, also by another executor and in capitals, is answered with the same body', async (t) => {
  const web = await startFor(t);
  const executor = await web.as('executor');
  const first = await executor.post('/holds', holdOf('a'));
  const capitals = `0x${id('a').slice(2).toUpperCase()}`;
  for (const client of [executor, await web.as('second')]) {
    const again = await client.post('/holds', holdOf('a', { id: capitals }));
    assert.deepEqual([again.status, again.body], [200, first.body]);
  }
  assert.deepEqual(await position(executor, '0042'), { free: '900', held: '100' });
});

test('a used id with any other content is refused', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  await executor.post('/holds', holdOf('a'));
  const others = { settlement: id('other'), from: '0099', to: '9001', asset: ISIN, amount: '101' };
  for (const [name, value] of Object.entries(others)) {
    const reply = await executor.post('/holds', holdOf('a', { [name]: value }));
    assert.deepEqual(problem(reply), [409, 'id-used', 'DUPL'], name);
  }
  const { id: _, settlement, ...terms } = holdOf('a');
  assert.deepEqual(problem(await executor.post('/transfers', { id: id('a'), ...terms })), [409, 'id-used', 'DUPL']);
  const asOperation = { operation: id('a'), certificate: signed({ settlement }) };
  const execute = await executor.post(`/holds/${id('a')}/execute`, asOperation);
  assert.deepEqual(problem(execute), [409, 'id-used', 'DUPL']);
});

test('a hold that may not be is refused, and its id stays free', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const cases: [Record<string, string>, [number, string, string]][] = [
    [{ from: '7777' }, [422, 'account-unknown', 'AC01']],
    [{ to: '7777' }, [422, 'account-unknown', 'AC01']],
    [{ to: '0042' }, [422, 'accounts-equal', 'NARR']],
    [{ asset: 'USD' }, [422, 'asset-unknown', 'AM03']],
    [{ asset: 'XS0000000017' }, [422, 'asset-unknown', 'DSEC']],
    [{ amount: '1001' }, [422, 'cash-short', 'MONY']],
    [{ asset: ISIN, amount: '501' }, [422, 'securities-short', 'LACK']],
    [{ from: '9001', to: '0042', amount: '1' }, [403, 'not-operator', 'NARR']],
  ];
  for (const [changes, expected] of cases) {
    assert.deepEqual(problem(await executor.post('/holds', holdOf('a', changes))), expected, JSON.stringify(changes));
  }
  assert.equal((await executor.get(`/operations/${id('a')}`)).status, 404);
  assert.equal((await executor.post('/holds', holdOf('a', { amount: '1000' }))).status, 201);
});

test('only a registered operator who is an executor may hold', async (t) => {
  const web = await startFor(t);
  for (const client of ['kita', 'reader']) {
    assert.deepEqual(problem(await (await web.as(client)).post('/holds', holdOf('a'))), [403, 'role-missing', 'NARR']);
  }
  const second = await (await web.as('second')).post('/holds', holdOf('a'));
  assert.deepEqual(problem(second), [403, 'not-operator', 'NARR']);
});

test('a fenced id never takes effect, whatever it was meant for, and keeps its first reason', async (t) => {
  const web = await startFor(t);
  const executor = await web.as('executor');
  const dead = { operation: id('a'), status: 'dead', reason: 'TIMO' };
  const fence = await executor.post(`/operations/${id('a')}/fence`, { reason: 'TIMO' });
  assert.deepEqual([fence.status, fence.body], [200, dead]);
  const again = await (await web.as('second')).post(`/operations/${id('a')}/fence`, { reason: 'NARR' });
  assert.deepEqual([again.status, again.body], [200, dead]);
  assert.deepEqual((await executor.get(`/operations/${id('a')}`)).body, dead);
  await executor.post('/holds', holdOf('b'));
  const { id: _, settlement: __, ...terms } = holdOf('a');
  const certificate = signed({ operations: [id('b')] });
  for (const reply of [
    await executor.post('/holds', holdOf('a')),
    await executor.post('/transfers', { id: id('a'), ...terms }),
    await executor.post(`/holds/${id('b')}/execute`, { operation: id('a'), certificate }),
    await executor.post(`/holds/${id('b')}/release`, { operation: id('a'), certificate: signed({ kind: 'abort' }) }),
  ]) {
    assert.deepEqual(problem(reply), [409, 'operation-dead', 'TIMO']);
    assert.equal(reply.body['outcome'], 'dead');
  }
  assert.deepEqual(await position(executor, '0042'), { free: '900', held: '100' });
  const other = await executor.post(`/holds/${id('b')}/execute`, { operation: id('c'), certificate });
  assert.equal(other.status, 200, 'the hold itself stays open for another operation');
  const hold = await executor.get(`/holds/${id('a')}`);
  assert.deepEqual([...problem(hold), hold.body['outcome']], [404, 'hold-unknown', 'TIMO', 'dead']);
});

test('a fence that comes too late says what took effect', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  await executor.post('/holds', holdOf('a'));
  const late = await executor.post(`/operations/${id('a')}/fence`, { reason: 'TIMO' });
  assert.deepEqual(late.body, (await executor.get(`/operations/${id('a')}`)).body);
  assert.deepEqual([late.status, late.body['status'], late.body['verb']], [200, 'effective', 'hold']);
  await executor.post(`/holds/${id('a')}/execute`, { operation: id('b'), certificate: signed() });
  const execute = await executor.post(`/operations/${id('b')}/fence`, { reason: 'TIMO' });
  assert.deepEqual(
    [execute.body['status'], execute.body['verb'], execute.body['hold']],
    ['effective', 'execute', id('a')],
  );
});

test('a stranger may fence only what an abort or fence certificate names', async (t) => {
  const web = await startFor(t);
  const stranger = await web.as('kita');
  const fence = (certificate?: object) =>
    stranger.post(`/operations/${id('a')}/fence`, { reason: 'TIMO', ...(certificate && { certificate }) });
  assert.deepEqual(problem(await fence()), [403, 'certificate-missing', 'NARR']);
  const other = await fence(signed({ kind: 'abort', operations: [id('b')] }));
  assert.deepEqual(problem(other), [403, 'certificate-operation-not-named', 'NARR']);
  const commit = await fence(signed({ kind: 'commit', operations: [id('a')] }));
  assert.deepEqual(problem(commit), [403, 'certificate-wrong-kind', 'NARR']);
  assert.equal((await stranger.get(`/operations/${id('a')}`)).status, 404);
  for (const kind of ['abort', 'fence'] as const) {
    const reply = await fence(signed({ kind, operations: [id('b'), id('a')] }));
    assert.deepEqual([reply.status, reply.body['status']], [200, 'dead']);
  }
});

test('a transfer moves free amount for who operates the account', async (t) => {
  const web = await startFor(t);
  const kita = await web.as('kita');
  const transfer = { id: id('a'), from: '0042', to: '9001', asset: 'JPY', amount: '30' };
  const first = await kita.post('/transfers', transfer);
  const { booking, ...rest } = first.body;
  assert.deepEqual([first.status, rest], [201, { ...transfer, status: 'transferred' }]);
  const again = await kita.post('/transfers', transfer);
  assert.deepEqual([again.status, again.body], [200, { ...rest, booking }]);
  assert.deepEqual((await kita.get(`/transfers/${id('a')}`)).body, first.body);
  assert.deepEqual(problem(await kita.post('/transfers', { ...transfer, amount: '31' })), [409, 'id-used', 'DUPL']);
  const reader = await web.as('reader');
  assert.deepEqual(await position(reader, '0042'), { free: '970', held: '0' });
  assert.deepEqual(await position(reader, '9001'), { free: '37', held: '0' });
  const stranger = await (await web.as('minami')).post('/transfers', transfer);
  assert.deepEqual(problem(stranger), [403, 'not-operator', 'NARR']);
  assert.deepEqual(problem(await reader.post('/transfers', transfer)), [403, 'role-missing', 'NARR']);
  await (await web.as('executor')).post('/holds', holdOf('b', { amount: '970' }));
  const held = await kita.post('/transfers', { ...transfer, id: id('c'), amount: '1' });
  assert.deepEqual(problem(held), [422, 'cash-short', 'MONY'], 'what is held cannot be paid away');
});

test("a participant's own id never stands in the way of an operation", async (t) => {
  const web = await startFor(t);
  const [kita, executor] = [await web.as('kita'), await web.as('executor')];
  await kita.post('/transfers', { id: id('a'), from: '0042', to: '9001', asset: 'JPY', amount: '30' });
  assert.equal((await executor.get(`/operations/${id('a')}`)).status, 404);
  assert.equal((await executor.post('/holds', holdOf('a'))).status, 201);
  const squat = await kita.post(`/holds/${id('a')}/execute`, { operation: id('b'), certificate: signed() });
  assert.deepEqual(problem(squat), [403, 'role-missing', 'NARR']);
});

test("an executor's transfer is an operation", async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const transfer = { id: id('a'), from: '0042', to: '9001', asset: 'JPY', amount: '30' };
  const { body } = await executor.post('/transfers', transfer);
  const { id: operation, ...terms } = transfer;
  const expected = { operation, status: 'effective', verb: 'transfer', ...terms, booking: body['booking'] };
  assert.deepEqual((await executor.get(`/operations/${operation}`)).body, expected);
});

test('F43 100 holds at once over one balance never hold more than there is', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const holds = Array.from({ length: 100 }, (_, index) => holdOf(`hold ${index}`, { amount: '30' }));
  const replies = await Promise.all(holds.map((hold) => executor.post('/holds', hold)));
  const held = replies.filter((reply) => reply.status === 201);
  const refused = replies.filter((reply) => reply.status !== 201);
  assert.equal(held.length, 33);
  for (const reply of refused) assert.deepEqual(problem(reply), [422, 'cash-short', 'MONY']);
  assert.deepEqual(await position(executor, '0042'), { free: '10', held: '990' });
});

test('of many at once with one id exactly one takes effect', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const amounts = Array.from({ length: 40 }, (_, index) => String(10 + (index % 2)));
  const replies = await Promise.all(amounts.map((amount) => executor.post('/holds', holdOf('a', { amount }))));
  const count = (status: number) => replies.filter((reply) => reply.status === status).length;
  assert.deepEqual([count(201), count(200), count(409)], [1, 19, 20]);
  const certificate = signed();
  const closers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0
        ? executor.post(`/holds/${id('a')}/execute`, { operation: id(`op ${index}`), certificate })
        : executor.post(`/holds/${id('a')}/release`, { certificate: signed({ kind: 'abort' }) }),
    ),
  );
  const events = listOf((await executor.get('/events')).body, 'events');
  const closings = events.filter((event) => event['type'] === 'execute' || event['type'] === 'release');
  assert.equal(closings.length, 1);
  assert.ok(closers.some((reply) => reply.status === 200));
});
