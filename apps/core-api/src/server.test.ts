import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { ENDPOINTS, parse } from '@linkspan/protocol';
import { sampleNetwork } from '@linkspan/testkit';
import {
  authorization,
  get,
  lodge,
  lodgeBoth,
  performAll,
  post,
  problemOf,
  showSettlement,
  SIDES,
  startTestNetwork,
  type TestNetwork,
  until,
  valid,
} from './test-support.ts';

let network: TestNetwork;
let a: string;
let csd: string;

before(async () => {
  network = await startTestNetwork({
    // Nothing listens on port 1, so this system is silent for ever.
    'central-bank-b': [
      {
        id: 'rtgs',
        validators: [{ key: sampleNetwork().validators['rtgs']?.[0]?.key ?? 'ed25519:', url: 'http://127.0.0.1:1' }],
      },
    ],
  });
  a = network.urls['central-bank-a'] ?? '';
  csd = network.urls['csd-b'] ?? '';
});

after(() => network[Symbol.asyncDispose]());

test('a settlement runs to its end over HTTP, and every answer on the way has its documented form', async () => {
  const instruction = network.instruction('HTTP/1');
  const first = await lodge(a, instruction, 'http-1');
  assert.equal(first.status, 202);
  const lodged = valid(parse(ENDPOINTS.lodge.answer, first.body, 'internal'));
  assert.equal(first.headers.get('location'), `/settlements/${lodged.id}`);
  assert.deepEqual([lodged.phase, lodged.settlement, lodged.id], ['proposed', null, lodged.proposal]);

  const second = valid(parse(ENDPOINTS.lodge.answer, (await lodge(csd, instruction, 'http-1')).body, 'internal'));
  assert.deepEqual([second.phase, second.proposal, second.id], ['preparing', lodged.proposal, second.settlement]);

  const committed = await performAll(network, second.id);
  assert.equal(committed.phase, 'committed');
  assert.deepEqual(committed.decision, { kind: 'commit', because: 'every leg is certain', sequence: 3 });
  const settled = await performAll(network, second.id);
  assert.equal(settled.phase, 'settled');
  assert.match(settled.end ?? '', /^The bond is the buyer's/);
  assert.deepEqual(
    settled.certificates.map(({ kind, quorum }) => [kind, quorum]),
    [['commit', 2]],
  );
  assert.ok(
    (settled.certificates[0]?.signatures ?? 0) >= 2,
    'the coordinators sent each other their signatures over HTTP',
  );
  assert.deepEqual(new Set(settled.operations.map(({ status }) => status)), new Set(['effective']));

  const { body } = await get(csd, `/settlements/${second.id}/history?limit=500`);
  const history = valid(parse(ENDPOINTS.history.answer, body, 'internal'));
  const words = history.entries.flatMap((entry) => entry.words);
  assert.equal(history.entries.length, settled.entries);
  assert.equal(words[0], 'Central Bank of A lodged its instruction');
  for (const line of [
    'both sides match',
    'rtgs: 1,000,000 JPY held for Kita Bank',
    'decided: commit - every leg is certain',
    'now settled',
  ]) {
    assert.ok(words.includes(line), `${line} in ${words.join('; ')}`);
  }
});

test('the history comes in pages that follow each other without gap', async () => {
  const { proposal, entries } = await showSettlement(network, 'HTTP/1');
  const sequences: number[] = [];
  for (let next: number | null = 0; next !== null;) {
    const { body } = await get(a, `/settlements/${proposal}/history?limit=1&after=${next}`);
    const page = valid(parse(ENDPOINTS.history.answer, body, 'internal'));
    sequences.push(...page.entries.map(({ sequence }) => sequence));
    next = page.next;
  }
  assert.deepEqual(
    sequences,
    Array.from({ length: entries }, (_, i) => i + 1),
  );
});

test('all problems of an instruction are answered at once, each at its pointer with its ISO reason', async () => {
  await lodgeBoth(network, network.instruction('USED-1'));
  const { uetr: _, ...rest } = network.instruction('USED-1');
  const wrong = {
    ...rest,
    security: { ...rest.security, isin: 'XS0000000008' },
    lcy: { amount: '1.50', currency: 'JPY' },
    deadline: '2020-01-01T00:00:00Z',
    seller: { ...rest.seller, accounts: { ...rest.seller.accounts, lcy: 'rtgs:4711' } },
  };
  const answer = await lodge(a, wrong, 'six');
  assert.equal(answer.status, 422);
  const { code, problems } = problemOf(answer);
  assert.equal(code, 'instruction-invalid');
  const found = problems.map((each) => [each.pointer, each.code, each.iso]);
  for (const expected of [
    ['/uetr', 'missing', 'NARR'],
    ['/security/isin', 'isin-check-digit', 'DSEC'],
    ['/lcy/amount', 'amount-too-precise', 'NCRR'],
    ['/deadline', 'deadline-passed', 'LATE'],
    ['/seller/accounts/lcy', 'account-unknown', 'CASH'],
    ['/tradeId', 'trade-id-used', 'REFE'],
  ]) {
    assert.ok(
      found.some((each) => each.join() === expected.join()),
      `${expected.join()} in ${JSON.stringify(found)}`,
    );
  }
  assert.equal(found.length, 6);
});

test('a refused instruction uses up neither its Idempotency-Key nor its trade id', async () => {
  const good = network.instruction('REFUSED-1');
  assert.equal((await lodge(a, { ...good, uetr: 'no' }, 'refused-1')).status, 422);
  assert.equal((await lodge(a, good, 'refused-1')).status, 202);
});

test('what cannot be an instruction at all is answered with its problems', async () => {
  for (const body of [[], 'text', 7, null, { tradeId: 1.5 }]) {
    const answer = await lodge(a, body, 'odd');
    assert.equal(answer.status, 422, JSON.stringify(body));
    assert.equal(problemOf(answer).code, 'instruction-invalid');
  }
});

test('an organisation that speaks for no debited side may not lodge', async () => {
  const answer = await lodge(network.urls['central-bank-b'] ?? '', network.instruction('STRANGER'), 'stranger');
  assert.deepEqual([answer.status, problemOf(answer).code], [403, 'not-entitled']);
});

test('bodies that cannot be read are refused with a code, whatever is wrong with them', async () => {
  const key = { 'idempotency-key': 'bad' };
  const cases: readonly (readonly [string, Record<string, string>, number, string])[] = [
    ['{"a":', key, 400, 'json-malformed'],
    ['', key, 400, 'json-malformed'],
    ['{"tradeId":"A","tradeId":"B"}', key, 400, 'json-malformed'],
    ['{}', { ...key, 'content-type': 'text/plain' }, 415, 'media-type-unsupported'],
    ['{"__proto__":{"a":"b"}}', key, 400, 'json-malformed'],
    [JSON.stringify('x'.repeat(300_000)), key, 413, 'body-too-large'],
    ['['.repeat(33) + ']'.repeat(33), key, 422, 'request-invalid'],
    ['['.repeat(100_000), key, 422, 'request-invalid'],
  ];
  for (const [body, headers, status, code] of cases) {
    const answer = await post(a, '/instructions', body, headers);
    assert.deepEqual([answer.status, problemOf(answer).code], [status, code], body.slice(0, 40));
  }
});

test('what does not exist is 404, another method is 405, unknown parameters are named', async () => {
  assert.deepEqual([(await get(a, '/nothing')).status, problemOf(await get(a, '/nothing')).code], [404, 'not-found']);
  assert.deepEqual(
    [(await get(a, '/settlements/NONE')).status, problemOf(await get(a, '/settlements/NONE')).code],
    [404, 'not-found'],
  );
  const unknown = `/settlements/sha256:${'0'.repeat(64)}`;
  assert.equal((await get(a, unknown)).status, 404);
  assert.equal((await get(a, `${unknown}/history`)).status, 404);
  const wrongMethod = await get(a, '/instructions');
  assert.deepEqual([wrongMethod.status, wrongMethod.headers.get('allow')], [405, 'POST']);
  assert.equal(problemOf(wrongMethod).code, 'method-not-allowed');
  for (const path of [
    '/balances?all=1',
    '/settlements?colour=red',
    '/settlements?limit=0',
    '/settlements?limit=1&limit=2',
    '/settlements?phase=odd',
    '/settlements?before=zzz',
    '/settlements?party=kita',
    '/settlements?system=No',
    '/settlements?openedFrom=yesterday',
    '/settlements?openedTo=2026-13-01T00:00:00Z',
    '/events?colour=red',
    '/events?from=-1',
    '/events?from=999999',
  ]) {
    const answer = await get(a, path);
    assert.deepEqual(
      [answer.status, problemOf(answer).code, problemOf(answer).problems.length],
      [422, 'request-invalid', 1],
      path,
    );
  }
  const several = await get(a, '/settlements?limit=100000&openedFrom=yesterday&before=zzz');
  assert.deepEqual(
    problemOf(several).problems.map(({ pointer, code, message }) => [pointer, code, message]),
    [
      ['/limit', 'out-of-range', '"limit": a whole number from 1 to 500.'],
      ['/before', 'type-wrong', '"before": the "next" of an earlier page.'],
      ['/openedFrom', 'type-wrong', '"openedFrom": an instant such as 2026-11-24T00:00:00Z.'],
    ],
  );
  assert.equal((await get(a, '/settlements/%ff')).status, 422);
});

test('F51 a client that asks too much is told to come back, and others are served all the while', async () => {
  await using strict = await startTestNetwork({}, { limits: { requestsPerSecond: 1, burst: 3, concurrent: 2 } });
  const url = strict.urls['csd-b'] ?? '';
  const asked = await Promise.all(Array.from({ length: 6 }, () => get(url, '/balances')));
  const turnedAway = asked.filter(({ status }) => status === 429);
  assert.ok(turnedAway.length >= 3, 'three of six are more than a burst');
  for (const answer of turnedAway) {
    assert.equal(problemOf(answer).code, 'too-many-requests');
    assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.equal((await get(url, '/healthz')).status, 200);
  const peer = await post(url, '/organisations/shares/ask', '{}');
  assert.equal(peer.status, 422, 'what operators ask does not shut other organisations out');
});

test('clients behind one address do not shut each other out, and each has a limited number of streams', async () => {
  await using strict = await startTestNetwork({}, { limits: { requestsPerSecond: 1, burst: 20, concurrent: 30 } });
  const url = strict.urls['csd-b'] ?? '';
  const ended = new AbortController();
  const open = async (client: string): Promise<number> => {
    const { signal } = ended;
    const stream = await fetch(`${url}/events`, { headers: await authorization(url, client), signal });
    return stream.status;
  };
  const opened = await Promise.all(Array.from({ length: 17 }, () => open('ada')));
  assert.deepEqual(
    opened.toSorted((one, other) => one - other),
    [...Array.from({ length: 16 }, () => 200), 429],
  );
  assert.deepEqual(await Promise.all([0, 1, 2, 3].map(() => open('ada'))), [429, 429, 429, 429]);
  assert.equal((await get(url, '/balances', 'bo')).status, 200);
  assert.equal(await open('bo'), 200);
  ended.abort();
});

test('a trace that a client brings is answered with it; another form of it gives a new one', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traced = async (header: string): Promise<string> => {
    const response = await fetch(`${a}/healthz`, { headers: { traceparent: header } });
    await response.body?.cancel();
    return response.headers.get('traceparent') ?? '';
  };
  const mine = `00-${trace}-00f067aa0ba902b7-01`;
  const answered = await traced(mine);
  assert.match(answered, new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  assert.notEqual(answered, mine);
  assert.match(await traced('00-nonsense'), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('event streams count as under way until they end', async () => {
  await using strict = await startTestNetwork({}, { limits: { requestsPerSecond: 1000, burst: 1000, concurrent: 1 } });
  const url = strict.urls['csd-b'] ?? '';
  const ended = new AbortController();
  const stream = await fetch(`${url}/events`, { headers: await authorization(url), signal: ended.signal });
  assert.equal(stream.status, 200);
  assert.equal((await get(url, '/balances')).status, 429);
  ended.abort();
  await until(
    () => get(url, '/balances'),
    ({ status }) => status === 200,
  );
});

test('what is no HTTP is answered with a problem and the connection ends', async () => {
  const socket = connect(Number(new URL(a).port), '127.0.0.1');
  socket.end('this is not HTTP\r\n\r\n');
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 400 .*\r\ncontent-type: application\/problem\+json/s);
});

test('settlements are listed newest first, in pages and by phase', async () => {
  const ids: string[] = [];
  for (let before = ''; ;) {
    const { body } = await get(a, `/settlements?limit=2${before}`);
    const page = valid(parse(ENDPOINTS.settlements.answer, body, 'internal'));
    ids.push(...page.settlements.map(({ tradeId }) => tradeId));
    if (page.next === null) break;
    before = `&before=${encodeURIComponent(page.next)}`;
  }
  assert.deepEqual(ids, ['REFUSED-1', 'USED-1', 'HTTP/1']);
  const { body } = await get(a, '/settlements?phase=settled');
  assert.deepEqual(
    valid(parse(ENDPOINTS.settlements.answer, body, 'internal')).settlements.map(({ tradeId }) => tradeId),
    ['HTTP/1'],
  );
});

test('settlements are found by party, by system and by the time of their opening', async () => {
  const list = async (query: string) =>
    valid(parse(ENDPOINTS.settlements.answer, (await get(a, `/settlements?${query}`)).body, 'internal')).settlements;
  const all = await list('');
  const trades = async (query: string): Promise<string[]> => (await list(query)).map(({ tradeId }) => tradeId);
  const every = all.map(({ tradeId }) => tradeId);
  assert.deepEqual(await trades('party=999900KITABANK00B013&system=rtgs'), every);
  assert.deepEqual(await trades('party=999900NOBODY00000000'), []);
  assert.deepEqual(await trades('system=elsewhere'), []);
  const last = all[0]?.openedAt ?? '';
  assert.deepEqual(await trades(`openedFrom=${last}`), every.slice(0, 1));
  assert.deepEqual(await trades(`openedTo=${last}`), every.slice(1));
});

test('differing copies show each field with both values, and a corrected copy begins the settlement', async () => {
  const instruction = network.instruction('DIFFERS');
  await lodge(a, instruction, 'differs-a');
  await lodge(csd, { ...instruction, security: { ...instruction.security, quantity: '999999' } }, 'differs-b');
  const apart = await showSettlement(network, 'DIFFERS');
  assert.equal(apart.phase, 'proposed');
  assert.deepEqual(apart.differences, [
    { path: '/security/quantity', values: { 'central-bank-a': '1000000', 'csd-b': '999999' } },
  ]);
  assert.deepEqual(apart.lodged, ['central-bank-a', 'csd-b']);
  await lodge(csd, instruction, 'differs-c');
  assert.equal((await showSettlement(network, 'DIFFERS')).phase, 'preparing');
});

test('a silent system is listed with its problem, and the answer is an answer all the same', async () => {
  const { status, body } = await get(network.urls['central-bank-b'] ?? '', '/balances');
  assert.equal(status, 200);
  const [rtgs] = valid(parse(ENDPOINTS.balances.answer, body, 'internal')).systems;
  assert.deepEqual([rtgs?.system, rtgs?.positions], ['rtgs', []]);
  assert.match(rtgs?.problem ?? '', /rtgs/);
  assert.deepEqual((await get(a, '/balances')).body, { systems: [] });
});

test('network and health tell who serves what', async () => {
  const health = valid(parse(ENDPOINTS.health.answer, (await get(a, '/healthz')).body, 'internal'));
  assert.deepEqual([health.status, health.organisation, health.network], ['up', 'central-bank-a', network.sample.id]);
  assert.ok(health.height > 0 && health.open > 0);
  const stranger = await get(a, '/network', null);
  assert.deepEqual([stranger.status, problemOf(stranger).code], [401, 'token-missing']);
  assert.equal(problemOf(await get(a, '/network', 'monitor')).code, 'scope-missing');
  const { body } = await get(a, '/network', 'auditor');
  const known = valid(parse(ENDPOINTS.network.answer, body, 'internal'));
  assert.deepEqual([known.id, known.epoch, known.systems.length], [network.sample.id, 1, 3]);
  const evidence = await get(a, `/settlements/${encodeURIComponent('HTTP/1')}/evidence`, 'auditor');
  assert.equal(valid(parse(ENDPOINTS.evidence.answer, evidence.body, 'internal')).network, network.sample.id);
  assert.ok(parse(ENDPOINTS.openapi.answer, (await get(a, '/openapi.json', null)).body, 'internal').ok);
});

test('other organisations are answered by the coordinator, and what has the wrong form is refused', async () => {
  const { proposal } = await showSettlement(network, 'DIFFERS');
  const asked = await post(a, '/organisations/shares/ask', JSON.stringify({ proposal }));
  assert.deepEqual([asked.status, asked.body], [200, { shares: [] }]);
  for (const path of ['/organisations/shares', '/organisations/shares/ask', '/organisations/statements']) {
    const answer = await post(a, path, '{}');
    assert.deepEqual([answer.status, problemOf(answer).code], [422, 'request-invalid'], path);
  }
});

test('a restart serves what was there before, and registers nothing twice', async () => {
  const before = valid(parse(ENDPOINTS.health.answer, (await get(a, '/healthz')).body, 'internal'));
  await network.restart();
  a = network.urls['central-bank-a'] ?? '';
  csd = network.urls['csd-b'] ?? '';
  const after = valid(parse(ENDPOINTS.health.answer, (await get(a, '/healthz')).body, 'internal'));
  assert.equal(after.height, before.height);
  assert.equal((await showSettlement(network, 'HTTP/1')).phase, 'settled');
  assert.ok(SIDES.every((side) => network.urls[side] !== undefined));
});
