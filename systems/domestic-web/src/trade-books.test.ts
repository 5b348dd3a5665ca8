import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { configFor, id, ISIN, position, problem, signed, startFor } from './test-support.ts';
import type { Api, Reply } from './test-support.ts';

const TRADE = '2026-AB-000317';
const KEY = { filter: 'dvp', trade: TRADE, from: '0042', to: '0099' };
const PAYMENT = { filter: 'cash-transfer', trade: TRADE, from: '9001', to: '0099' };
const SECURITY = { from: '0042', to: '0099', asset: ISIN, amount: '500' };
const CASH = { from: '0099', to: '0042', asset: 'JPY', amount: '1000' };

type Clients = { kita: Api; minami: Api; central: Api; executor: Api };

/** The buyer has 50 of its own; the central bank provides what is missing. */
async function clientsOf(test: TestContext): Promise<Clients> {
  const usual = configFor('');
  const accounts = usual.accounts.map((account) =>
    account.id === '9001' ? { ...account, operators: ['central'], positions: { JPY: '5000' } } : account,
  );
  const clients = [...usual.clients, { id: 'central', secret: 'central secret', roles: ['participant' as const] }];
  const web = await startFor(test, { accounts, clients });
  const [kita, minami, central, executor] = await Promise.all(['kita', 'minami', 'central', 'executor'].map(web.as));
  assert.ok(kita && minami && central && executor);
  return { kita, minami, central, executor };
}

function lodgingOf(words: string, changes: object = {}): object {
  return { id: id(words), trade: TRADE, security: SECURITY, cash: CASH, hold: true, ...changes };
}

async function lodgeBoth({ kita, minami }: Clients, changes: object = {}): Promise<void> {
  assert.equal((await kita.post('/dvp', lodgingOf('seller', changes))).status, 201);
  assert.equal((await minami.post('/dvp', lodgingOf('buyer', changes))).status, 201);
}

function pay({ central }: Clients, words: string, amount: string): Promise<Reply> {
  return central.post('/transfers', { id: id(words), trade: TRADE, from: '9001', to: '0099', asset: 'JPY', amount });
}

function attempt(api: Api, changes: object = {}, kind: 'proceed' | 'commit' = 'proceed'): Promise<Reply> {
  const { filter: _, ...key } = KEY;
  const certificate = signed({ kind });
  return api.post('/dvp/try', { operation: id('op'), settlement: id('settlement'), ...key, certificate, ...changes });
}

async function lookUp(api: Api, key: Record<string, string>, operation = 'op'): Promise<Record<string, unknown>> {
  return (await api.get(`/awaited/${id(operation)}?${new URLSearchParams(key).toString()}`)).body;
}

function withdraw(api: Api, key: object, changes: object = {}): Promise<Reply> {
  return api.post(`/operations/${id('op')}/fence`, { reason: 'TIMO', await: key, ...changes });
}

test('a DvP that is lodged on hold by both sides moves both legs when proceed is brought, once', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await lodgeBoth(clients);
  assert.deepEqual(await position(clients.executor, '0099'), { free: '1050', held: '0' });
  assert.deepEqual(await lookUp(clients.executor, KEY), { operation: id('op'), status: 'open' });
  const first = await attempt(clients.executor);
  const { booking, ...rest } = first.body;
  assert.equal(typeof booking, 'string');
  const { filter, trade } = KEY;
  const effective = { operation: id('op'), status: 'effective', settlement: id('settlement'), filter, trade };
  assert.deepEqual([first.status, rest], [200, { ...effective, ...SECURITY, count: 1, cash: CASH }]);
  assert.deepEqual((await attempt(clients.executor)).body, first.body);
  assert.deepEqual(await lookUp(clients.executor, KEY), first.body);
  assert.deepEqual(await position(clients.executor, '0099', ISIN), { free: '500', held: '0' });
  assert.deepEqual(await position(clients.executor, '0099'), { free: '50', held: '0' });
  assert.deepEqual(await position(clients.executor, '0042'), { free: '2000', held: '0' });
});

test('leave to settle that comes before the second side stands until it has lodged', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await clients.kita.post('/dvp', lodgingOf('seller'));
  assert.equal((await attempt(clients.executor)).status, 202);
  const lodged = await clients.minami.post('/dvp', lodgingOf('buyer'));
  assert.equal(lodged.body['status'], 'settled');
  assert.equal((await lookUp(clients.executor, KEY))['status'], 'effective');
});

test('too little cash, or too few securities, makes the DvP dead for ever with its reason', async (t) => {
  for (const [reason, changes] of Object.entries({
    MONY: {},
    LACK: { security: { ...SECURITY, amount: '501' }, cash: { ...CASH, amount: '50' } },
  })) {
    const clients = await clientsOf(t);
    await lodgeBoth(clients, changes);
    const dead = { operation: id('op'), status: 'dead', reason };
    assert.deepEqual((await attempt(clients.executor)).body, dead);
    await pay(clients, 'late', '1000');
    assert.deepEqual((await attempt(clients.executor)).body, dead, 'money that comes later changes nothing');
    assert.deepEqual(await lookUp(clients.executor, KEY), dead);
    assert.deepEqual((await withdraw(clients.executor, KEY)).body, dead, 'the first reason stays');
    assert.deepEqual(problem(await clients.kita.post('/dvp', lodgingOf('again', changes))), [
      409,
      'trade-closed',
      reason,
    ]);
  }
});

test('what is not lodged on hold the system settles by itself, at once', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '950');
  await lodgeBoth(clients, { hold: false });
  const { operation: _, ...found } = await lookUp(clients.executor, KEY);
  assert.deepEqual([found['status'], found['settlement']], ['effective', undefined]);
  const failed = await clientsOf(t);
  await lodgeBoth(failed, { hold: false });
  assert.deepEqual(await lookUp(failed.executor, KEY), { operation: id('op'), status: 'dead', reason: 'MONY' });
});

test('one side on hold holds the other', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await clients.kita.post('/dvp', lodgingOf('seller', { hold: false }));
  assert.equal((await clients.minami.post('/dvp', lodgingOf('buyer'))).body['status'], 'on-hold');
});

test('sides that differ do not match, and neither settles', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await clients.kita.post('/dvp', lodgingOf('seller'));
  const cheaper = lodgingOf('buyer', { cash: { ...CASH, amount: '999' } });
  assert.equal((await clients.minami.post('/dvp', cheaper)).body['status'], 'unmatched');
  assert.equal((await attempt(clients.executor)).status, 202);
});

test('an instruction is lodged by its own side, once, with legs that are what they are called', async (t) => {
  const { kita, minami, central, executor } = await clientsOf(t);
  assert.deepEqual(problem(await central.post('/dvp', lodgingOf('x'))), [403, 'not-operator', 'NARR']);
  assert.deepEqual(problem(await executor.post('/dvp', lodgingOf('x'))), [403, 'role-missing', 'NARR']);
  const swapped = lodgingOf('x', { security: { ...SECURITY, asset: 'JPY' } });
  assert.deepEqual(problem(await kita.post('/dvp', swapped)), [422, 'asset-kind-wrong', 'NARR']);
  const othersMoney = lodgingOf('x', { cash: { ...CASH, from: '9001' } });
  assert.deepEqual(problem(await minami.post('/dvp', othersMoney)), [403, 'not-operator', 'NARR']);
  const first = await kita.post('/dvp', lodgingOf('seller'));
  const again = await kita.post('/dvp', lodgingOf('seller'));
  assert.deepEqual([again.status, again.body], [200, first.body]);
  assert.deepEqual(problem(await kita.post('/dvp', lodgingOf('seller', { hold: false }))), [409, 'id-used', 'DUPL']);
  assert.deepEqual(problem(await kita.post('/dvp', lodgingOf('twice'))), [409, 'side-lodged', 'DUPL']);
});

test('only an operator of both accounts who brings proceed of the settlement has a DvP tried', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await lodgeBoth(clients);
  const { kita, executor } = clients;
  assert.deepEqual(problem(await attempt(kita)), [403, 'role-missing', 'NARR']);
  assert.deepEqual(problem(await attempt(executor, { from: '9001' })), [403, 'not-operator', 'NARR']);
  assert.deepEqual(problem(await attempt(executor, {}, 'commit')), [403, 'certificate-wrong-kind', 'NARR']);
  const other = { settlement: id('other') };
  assert.deepEqual(problem(await attempt(executor, other)), [403, 'certificate-wrong-settlement', 'NARR']);
  const without = { certificate: undefined };
  assert.deepEqual(problem(await attempt(executor, without)), [403, 'certificate-missing', 'NARR']);
  assert.deepEqual(await position(executor, '0042', ISIN), { free: '500', held: '0' });
});

test('a withdrawn DvP never settles, whatever comes later', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await clients.kita.post('/dvp', lodgingOf('seller'));
  const dead = { operation: id('op'), status: 'dead', reason: 'TIMO' };
  assert.deepEqual((await withdraw(clients.executor, KEY)).body, dead);
  assert.deepEqual(problem(await clients.minami.post('/dvp', lodgingOf('buyer'))), [409, 'trade-closed', 'TIMO']);
  assert.deepEqual((await attempt(clients.executor)).body, dead);
  const other = await attempt(clients.executor, { operation: id('other') });
  assert.deepEqual(other.body, { ...dead, operation: id('other') });
});

test('a DvP whose id was fenced without its key is not tried under it, and can still be withdrawn', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await clients.kita.post('/dvp', lodgingOf('seller'));
  assert.equal((await attempt(clients.executor)).status, 202);
  await clients.executor.post(`/operations/${id('op')}/fence`, { reason: 'NARR' });
  assert.equal((await clients.minami.post('/dvp', lodgingOf('buyer'))).body['status'], 'on-hold');
  assert.deepEqual(problem(await attempt(clients.executor)), [409, 'operation-dead', 'NARR']);
  const dead = { operation: id('op'), status: 'dead', reason: 'TIMO' };
  assert.deepEqual((await withdraw(clients.executor, KEY)).body, dead);
});

test('a settled DvP is found by its withdrawal, and is none that another operation may count on', async (t) => {
  const clients = await clientsOf(t);
  await pay(clients, 'pay', '1000');
  await lodgeBoth(clients);
  const settled = await attempt(clients.executor);
  assert.deepEqual((await withdraw(clients.executor, KEY)).body, settled.body);
  const other = { operation: id('other'), status: 'dead', reason: 'DUPL' };
  assert.deepEqual(await lookUp(clients.executor, KEY, 'other'), other);
  assert.deepEqual((await attempt(clients.executor, { operation: id('other') })).body, other);
});

test('strangers withdraw only what an executor has bound, with a certificate that names it', async (t) => {
  const clients = await clientsOf(t);
  const { minami, executor } = clients;
  const certificate = signed({ kind: 'abort', operations: [id('op')] });
  assert.deepEqual(problem(await withdraw(minami, KEY, { certificate })), [403, 'role-missing', 'NARR']);
  await attempt(executor);
  assert.deepEqual(problem(await withdraw(minami, KEY)), [403, 'certificate-missing', 'NARR']);
  assert.deepEqual(problem(await withdraw(minami, PAYMENT, { certificate })), [403, 'role-missing', 'NARR']);
  assert.equal((await withdraw(minami, KEY, { certificate })).body['status'], 'dead');
});

test('one payment under the key is found with its amount; two are counted and summed', async (t) => {
  const clients = await clientsOf(t);
  const { executor } = clients;
  assert.deepEqual(await lookUp(executor, PAYMENT), { operation: id('op'), status: 'open' });
  await pay(clients, 'first', '900');
  const { booking: _, ...one } = await lookUp(executor, PAYMENT);
  const effective = { operation: id('op'), status: 'effective', ...PAYMENT, asset: 'JPY' };
  assert.deepEqual(one, { ...effective, count: 1, amount: '900' });
  await pay(clients, 'second', '100');
  const { booking: __, ...two } = await lookUp(executor, PAYMENT);
  assert.deepEqual(two, { ...effective, count: 2, amount: '1000' });
  assert.equal((await lookUp(executor, { ...PAYMENT, trade: 'another' }))['status'], 'open');
});

test('a withdrawn payment can never be made; one that was made is told, and none follows it', async (t) => {
  const early = await clientsOf(t);
  const dead = { operation: id('op'), status: 'dead', reason: 'TIMO' };
  assert.deepEqual((await withdraw(early.executor, PAYMENT)).body, dead);
  assert.deepEqual(problem(await pay(early, 'late', '5')), [409, 'trade-closed', 'TIMO']);
  assert.deepEqual(await lookUp(early.executor, PAYMENT), dead);
  const late = await clientsOf(t);
  await pay(late, 'first', '5');
  const told = await withdraw(late.executor, PAYMENT);
  assert.deepEqual([told.body['status'], told.body['count'], told.body['amount']], ['effective', 1, '5']);
  assert.deepEqual(problem(await pay(late, 'second', '5')), [409, 'trade-closed', 'TIMO']);
  assert.equal((await pay(late, 'first', '5')).status, 200, 'a repetition is answered as before');
  assert.deepEqual((await withdraw(late.executor, PAYMENT)).body, told.body);
});
