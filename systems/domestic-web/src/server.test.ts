import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Api, askToken, holdOf, id, listOf, problem, replyOf, startFor, text } from './test-support.ts';

test('health needs no token, everything else does', async (t) => {
  const web = await startFor(t);
  const health = await replyOf(await fetch(`${web.url}/healthz`));
  assert.deepEqual([health.status, health.body], [200, { status: 'ok', name: 'rtgs' }]);
  const paths = ['/accounts', '/events', `/holds/${id('a')}`, `/operations/${id('a')}`, '/nothing', '/healthz/x'];
  for (const path of paths) {
    const reply = await replyOf(await fetch(`${web.url}${path}`));
    assert.deepEqual(problem(reply), [401, 'token-missing', 'NARR'], path);
    assert.equal(reply.headers.get('www-authenticate'), 'Bearer');
  }
  const posted = await replyOf(await fetch(`${web.url}/holds`, { method: 'POST', body: '{' }));
  assert.deepEqual(problem(posted), [401, 'token-missing', 'NARR']);
  const unknown = await new Api(web.url, 'guessed').get('/accounts');
  assert.deepEqual(problem(unknown), [401, 'token-invalid', 'NARR']);
  assert.equal(unknown.headers.get('www-authenticate'), 'Bearer error="invalid_token"');
});

test('a token is given to who proves itself by HTTP Basic', async (t) => {
  const clients = [{ id: 'a.b', secret: 'a:b + 100% ü', roles: ['reader' as const] }];
  const web = await startFor(t, { clients, accounts: [] });
  const granted = await askToken(web.url, 'a.b', 'a:b + 100% ü');
  assert.deepEqual([granted.status, granted.body['token_type'], granted.body['expires_in']], [200, 'Bearer', 600]);
  assert.equal(granted.headers.get('cache-control'), 'no-store');
  assert.equal((await new Api(web.url, text(granted.body, 'access_token')).get('/accounts')).status, 200);
  for (const [client, secret] of [
    ['a.b', 'wrong'],
    ['a.b', ''],
    ['nobody', ''],
    ['', ''],
  ] as const) {
    const refused = await askToken(web.url, client, secret);
    assert.deepEqual([refused.status, refused.body], [401, { error: 'invalid_client' }]);
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic /);
  }
  const ask = async (body: string, type: string, authorization?: string) => {
    const headers = { 'content-type': type, ...(authorization && { authorization }) };
    return replyOf(await fetch(`${web.url}/oauth/token`, { method: 'POST', headers, body }));
  };
  const form = 'application/x-www-form-urlencoded';
  assert.deepEqual((await ask('grant_type=password', form)).body, { error: 'unsupported_grant_type' });
  assert.deepEqual((await ask('{}', 'application/json')).body, { error: 'invalid_request' });
  assert.equal((await ask('grant_type=client_credentials', form)).status, 401);
  assert.equal((await ask('grant_type=client_credentials', form, 'Basic !')).status, 401);
});

test('a token ends after its lifetime, and a client keeps its latest hundred only', async (t) => {
  let nowMs = 0;
  const web = await startFor(t, {}, { now: () => nowMs });
  const reader = await web.as('reader');
  nowMs = 599_999;
  assert.equal((await reader.get('/accounts')).status, 200);
  const other = await web.as('kita');
  for (let count = 0; count < 100; count++) await web.as('reader');
  assert.deepEqual(problem(await reader.get('/accounts')), [401, 'token-invalid', 'NARR']);
  assert.equal((await other.get('/accounts')).status, 200);
  nowMs += 600_000;
  assert.deepEqual(problem(await other.get('/accounts')), [401, 'token-invalid', 'NARR']);
});

test('a request that is malformed is refused with every problem of it, and never with a stack', async (t) => {
  const web = await startFor(t);
  const { token, ...executor } = await web.as('executor');
  const send = async (body: string, type = 'application/json', path = '/holds') => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    return replyOf(await fetch(`${executor.url}${path}`, { method: 'POST', headers, body }));
  };
  assert.deepEqual(problem(await send('{"id":')), [400, 'json-malformed', 'NARR']);
  assert.deepEqual(problem(await send('')), [400, 'json-malformed', 'NARR']);
  assert.deepEqual(problem(await send('{}', 'text/plain')), [415, 'media-type-unsupported', 'NARR']);
  assert.deepEqual(problem(await send(`"${'x'.repeat(256 * 1024)}"`)), [413, 'body-too-large', 'NARR']);
  for (const body of ['[]', 'null', '7', '{"__proto__":{}}', 'grant_type=x']) {
    const type = body.startsWith('grant') ? 'application/x-www-form-urlencoded' : 'application/json';
    assert.equal((await send(body, type)).status, 400, body);
  }
  const bad = { ...holdOf('a'), id: '0x12', settlement: `0x${'0'.repeat(64)}`, from: '', amount: 100, extra: 1 };
  const { to: _, ...wrong } = bad;
  const reply = await send(JSON.stringify(wrong));
  assert.deepEqual(problem(reply), [400, 'request-invalid', 'NARR']);
  const pointers = listOf(reply.body, 'problems').map((each) => text(each, 'pointer'));
  assert.deepEqual(new Set(pointers), new Set(['/amount', '/extra', '/from', '/id', '/settlement', '/to']));
  assert.deepEqual(new Set(Object.keys(reply.body)), PROBLEM_MEMBERS);
});

test('an amount is a positive integer that can be booked', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  for (const amount of [
    '0',
    '-1',
    '1.0',
    '1e3',
    '01',
    ' 1',
    '',
    '9'.repeat(19),
    '9'.repeat(30),
    String(2n ** 62n + 1n),
  ]) {
    const reply = await executor.post('/holds', holdOf('a', { amount }));
    assert.deepEqual(problem(reply), [400, 'request-invalid', 'NARR'], amount);
  }
  const largest = await executor.post('/holds', holdOf('a', { amount: String(2n ** 62n) }));
  assert.deepEqual(problem(largest), [422, 'cash-short', 'MONY']);
});

test('paths and queries are checked like bodies', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const wrong = [
    '/holds/0x12',
    '/operations/x',
    `/operations/0x${'0'.repeat(64)}`,
    '/events?after=-1',
    '/events?after=x',
    '/events?limit=0',
    '/events?limit=1001',
    '/events?waitMs=25001',
    '/events?after=1&after=2',
    '/events?from=1',
    '/accounts?page=2',
  ];
  for (const path of wrong) {
    assert.deepEqual(problem(await executor.get(path)), [400, 'request-invalid', 'NARR'], path);
  }
  assert.deepEqual(problem(await executor.get('/holds/%zz')), [400, 'request-invalid', 'NARR']);
  assert.deepEqual(problem(await executor.get('/nothing')), [404, 'route-unknown', 'NARR']);
  const reason = await executor.post(`/operations/${id('a')}/fence`, { reason: 'because' });
  assert.deepEqual(problem(reason), [400, 'request-invalid', 'NARR']);
});

test('closing answers what is under way and waits for no idle or silent connection', async (t) => {
  const web = await startFor(t);
  const executor = await web.as('executor');
  const silent = await Promise.all(['', 'GET /healthz HTTP/1.1\r\n'].map((begun) => openSocket(web.url, begun)));
  const holds = Array.from({ length: 20 }, (_, index) => executor.post('/holds', holdOf(`hold ${index}`)));
  const first = await Promise.race(holds);
  await web.close();
  assert.equal(first.status, 201);
  await Promise.all(silent.map(async (socket) => socket.closed || once(socket, 'close')));
  await assert.rejects(executor.get('/accounts'));
  await Promise.allSettled(holds);
});

async function openSocket(url: string, begun: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(begun);
  socket.on('error', () => socket.destroy());
  return socket;
}

const PROBLEM_MEMBERS = new Set(['code', 'detail', 'problems', 'reason', 'status', 'title', 'type']);
