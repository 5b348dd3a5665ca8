import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdOf, id, ISIN, listOf, number, problem, signed, startFor, text } from './test-support.ts';
import type { Api } from './test-support.ts';

test('accounts are read with a position in every asset', async (t) => {
  const reader = await (await startFor(t)).as('reader');
  const all = listOf((await reader.get('/accounts')).body, 'accounts');
  assert.deepEqual(
    all.map((account) => account['id']),
    ['0042', '0099', '9001'],
  );
  const { body } = await reader.get('/accounts/0099');
  assert.deepEqual(body, {
    id: '0099',
    name: 'Minami Bank',
    positions: [
      { asset: 'JPY', balance: '50', held: '0', free: '50' },
      { asset: ISIN, balance: '0', held: '0', free: '0' },
    ],
  });
  assert.deepEqual(all[1], body);
  assert.deepEqual(problem(await reader.get('/accounts/7777')), [404, 'account-not-found', 'AC01']);
  assert.deepEqual(listOf((await reader.get('/assets')).body, 'assets')[1], {
    id: ISIN,
    kind: 'securities',
    digits: 0,
  });
});

test('a participant sees its own accounts and what moves on them', async (t) => {
  const web = await startFor(t);
  const [minami, executor] = [await web.as('minami'), await web.as('executor')];
  const all = listOf((await minami.get('/accounts')).body, 'accounts');
  assert.deepEqual(
    all.map((account) => account['id']),
    ['0099'],
  );
  assert.deepEqual(problem(await minami.get('/accounts/0042')), [404, 'account-not-found', 'AC01']);
  await executor.post('/holds', holdOf('theirs', { to: '9001' }));
  await executor.post('/holds', holdOf('ours'));
  const { body } = await minami.get('/events');
  const seen = listOf(body, 'events').filter((event) => event['type'] === 'hold');
  assert.deepEqual(
    seen.map((event) => event['hold']),
    [id('ours')],
  );
  const next = number(body, 'next');
  await executor.post('/holds', holdOf('theirs again', { to: '9001' }));
  const page = await minami.get(`/events?after=${next}&limit=1`);
  assert.deepEqual(page.body, { events: [], next: next + 1 }, 'the cursor passes what may not be read');
});

test('what is unknown is said to be unknown', async (t) => {
  const reader = await (await startFor(t)).as('reader');
  for (const [path, code] of [
    [`/operations/${id('a')}`, 'operation-unknown'],
    [`/holds/${id('a')}`, 'hold-unknown'],
    [`/transfers/${id('a')}`, 'transfer-unknown'],
  ] as const) {
    const reply = await reader.get(path);
    assert.deepEqual([...problem(reply), reply.body['outcome']], [404, code, 'NARR', 'unknown']);
  }
});

test('every change stands in the feed, in order, with its terms', async (t) => {
  const web = await startFor(t, {}, { now: () => Date.UTC(2026, 10, 24, 6, 0, 0, 5) });
  const [executor, kita] = [await web.as('executor'), await web.as('kita')];
  const opened = listOf((await executor.get('/events')).body, 'events');
  const time = '2026-11-24T06:00:00.005Z';
  const first = { from: '*issue', to: '0042', asset: 'JPY', amount: '1000', booking: 1, time };
  assert.deepEqual(opened[0], { sequence: 1, type: 'open', ...first });
  await executor.post('/holds', holdOf('a'));
  await executor.post('/holds', holdOf('b'));
  await executor.post('/holds', holdOf('bond', { asset: ISIN }));
  await executor.post(`/holds/${id('a')}/execute`, { operation: id('x'), certificate: signed() });
  await executor.post(`/holds/${id('b')}/release`, { certificate: signed({ kind: 'abort', operations: [id('b')] }) });
  await executor.post(`/holds/${id('bond')}/deliver`, {
    operation: id('y'),
    certificate: signed({ operations: [id('bond')] }),
  });
  await kita.post('/transfers', { id: id('z'), from: '0042', to: '9001', asset: 'JPY', amount: '1' });
  await executor.post(`/operations/${id('f')}/fence`, { reason: 'TIMO' });
  await executor.post('/holds', holdOf('a'));
  await executor.post(`/operations/${id('f')}/fence`, { reason: 'NARR' });
  const { settlement, id: a, ...terms } = holdOf('a');
  const bond = { ...terms, asset: ISIN };
  const expected = [
    { type: 'hold', operation: a, hold: a, settlement, ...terms, epoch: 1 },
    { type: 'hold', operation: id('b'), hold: id('b'), settlement, ...terms, epoch: 1 },
    { type: 'hold', operation: id('bond'), hold: id('bond'), settlement, ...bond, epoch: 1 },
    { type: 'execute', operation: id('x'), hold: a, settlement, ...terms },
    { type: 'release', hold: id('b'), settlement, ...terms },
    { type: 'deliver', operation: id('y'), hold: id('bond'), settlement, ...bond },
    { type: 'transfer', reference: id('z'), from: '0042', to: '9001', asset: 'JPY', amount: '1' },
    { type: 'fence', operation: id('f'), reason: 'TIMO' },
  ];
  const start = opened.length;
  const { body } = await executor.get(`/events?after=${start}`);
  const numbered = expected.map((event, index) => {
    const sequence = start + 1 + index;
    return { sequence, ...event, booking: sequence, time };
  });
  assert.deepEqual(body, { events: numbered, next: start + expected.length });
});

test('the feed resumes at any cursor without gap or repetition, while it grows', async (t) => {
  const web = await startFor(t);
  const [executor, reader] = [await web.as('executor'), await web.as('reader')];
  const holds = Array.from({ length: 60 }, (_, index) => holdOf(`hold ${index}`, { amount: '1' }));
  const writing = Promise.all(holds.map((hold) => executor.post('/holds', hold)));
  const seen: number[] = [];
  let cursor = 0;
  for (let limit = 1; seen.length < 64; limit = (limit % 7) + 1) {
    const { body } = await reader.get(`/events?after=${cursor}&limit=${limit}&waitMs=5000`);
    const page = listOf(body, 'events');
    assert.ok(page.length > 0 && page.length <= limit);
    seen.push(...page.map((event) => number(event, 'sequence')));
    cursor = number(body, 'next');
  }
  await writing;
  assert.deepEqual(
    seen,
    Array.from({ length: 64 }, (_, index) => index + 1),
  );
});

test('a reader that waits is answered as soon as something happens', async (t) => {
  const web = await startFor(t);
  const [executor, reader] = [await web.as('executor'), await web.as('reader')];
  const start = await endOf(reader);
  const waiting = Promise.all([1, 2, 3].map(() => reader.get(`/events?after=${start}&waitMs=25000`)));
  await executor.post('/holds', holdOf('a'));
  for (const { body } of await waiting) assert.equal(text(listOf(body, 'events')[0] ?? {}, 'hold'), id('a'));
});

test('a wait ends empty when its time is over, and at once when the server closes', async (t) => {
  const web = await startFor(t);
  const reader = await web.as('reader');
  const start = await endOf(reader);
  assert.deepEqual((await reader.get(`/events?after=${start}&waitMs=20`)).body, { events: [], next: start });
  const waiting = Promise.all([1, 2].map(() => reader.get(`/events?after=${start}&waitMs=25000`)));
  await reader.get('/accounts');
  await web.close();
  for (const { body } of await waiting) assert.deepEqual(body, { events: [], next: start });
});

test('a reader that goes away while it waits is forgotten', async (t) => {
  const web = await startFor(t);
  const [executor, reader] = [await web.as('executor'), await web.as('reader')];
  const start = await endOf(reader);
  const gone = new AbortController();
  const headers = { authorization: `Bearer ${reader.token}` };
  const waiting = fetch(`${web.url}/events?after=${start}&waitMs=25000`, { headers, signal: gone.signal });
  await reader.get('/accounts');
  gone.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  assert.equal((await executor.post('/holds', holdOf('a'))).status, 201);
});

test('a cursor beyond the end of the feed is refused, since it saw what these books have lost', async (t) => {
  const reader = await (await startFor(t)).as('reader');
  const start = await endOf(reader);
  const reply = await reader.get(`/events?after=${start + 1}`);
  assert.deepEqual([...problem(reply), reply.body['newest']], [409, 'cursor-ahead', 'NARR', start]);
});

async function endOf(api: Api): Promise<number> {
  return number((await api.get('/events?limit=1000')).body, 'next');
}
