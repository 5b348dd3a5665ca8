import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { OpenApi, Operation } from './api-description.ts';
import { docsPage, PAGE_POLICY } from './docs-page.ts';
import { askToken, configFor, holdOf, id, ISIN, recordOf, signed, signedEpoch, startFor } from './test-support.ts';
import type { Api, Reply } from './test-support.ts';

/** The document as it is served; of its form the tests below check what they use. */
async function documentOf(url: string): Promise<OpenApi> {
  const response = await fetch(`${url}/openapi.json`);
  assert.equal(response.status, 200);
  const text = await response.text();
  assert.equal(recordOf(JSON.parse(text))['openapi'], '3.1.0');
  return JSON.parse(text);
}

test('every route of the server is in the document, which needs no token', async (t) => {
  const { url } = await startFor(t);
  const document = await documentOf(url);
  const source = readFileSync(new URL('routes.ts', import.meta.url), 'utf8');
  const written = [...source.matchAll(/url: '([^']+)'/g)].map(([, path = '']) => path);
  const closing = ['execute', 'deliver', 'release'].map((verb) => `/holds/:id/${verb}`);
  const open = ['/healthz', '/oauth/token', '/openapi.json', '/docs'];
  const paths = [...written, ...closing, ...open].map((path) => path.replace(':id', '{id}'));
  assert.ok(written.length >= 14);
  assert.deepEqual(Object.keys(document.paths).toSorted(), [...new Set(paths)].toSorted());
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const asked = await fetch(url + path.replace('{id}', id('a')), { method: method.toUpperCase() });
      await asked.text();
      const isOpen = operation.security.length === 0;
      assert.equal(asked.status === 401, !isOpen, `${method} ${path} answers ${asked.status}`);
      assert.notEqual(asked.status, 404);
      assert.deepEqual(
        operation.parameters.filter((each) => each.in === 'path').map((each) => `{${each.name}}`),
        path.match(/\{[a-z]+\}/g) ?? [],
      );
    }
  }
});

test('what a request takes is what its reader reads', async (t) => {
  const { paths, components } = await documentOf((await startFor(t)).url);
  const { HoldRequest, FenceRequest, TradeKey } = components.schemas;
  const bytes = { type: 'string', pattern: '^0x[0-9a-fA-F]{64}$' };
  const { id: hold, amount } = recordOf(HoldRequest?.['properties']);
  assert.deepEqual({ ...recordOf(hold), description: '' }, { ...bytes, description: '' });
  assert.equal(recordOf(amount)['pattern'], '^[1-9][0-9]{0,18}$');
  assert.deepEqual(HoldRequest?.['required'], ['id', 'settlement', 'from', 'to', 'asset', 'amount']);
  assert.deepEqual(FenceRequest?.['required'], ['reason']);
  assert.deepEqual(recordOf(FenceRequest?.['properties'])['await'], { $ref: '#/components/schemas/TradeKey' });
  assert.deepEqual(TradeKey?.['required'], ['filter', 'trade', 'from', 'to']);
  const events = paths['/events']?.['get']?.parameters.map(({ name, required, schema }) => [name, required, schema]);
  assert.deepEqual(events?.at(-1), ['waitMs', false, { type: 'integer', minimum: 0, maximum: 25_000 }]);
});

test('every reference leads to a schema, and the page needs no script and no other host', async (t) => {
  const { url } = await startFor(t);
  const document = await documentOf(url);
  for (const [, name = ''] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    assert.ok(Object.hasOwn(document.components.schemas, name), name);
  const response = await fetch(`${url}/docs`);
  assert.deepEqual(
    ['content-type', 'content-security-policy'].map((name) => response.headers.get(name)),
    ['text/html; charset=utf-8', PAGE_POLICY],
  );
  const page = await response.text();
  assert.equal(page, docsPage(document));
  assert.doesNotMatch(page, /<script|<link|<img|@import|url\(|src=|https?:/);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, each]) => each);
  for (const [, target = ''] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target), target);
});

test('answers have the form that the document says', async (t) => {
  const usual = configFor('');
  const accounts = usual.accounts.map((each) => (each.id === '0099' ? { ...each, positions: { JPY: '5000' } } : each));
  const web = await startFor(t, { accounts });
  const document = await documentOf(web.url);
  const { schemas } = document.components;
  const [executor, kita, minami] = await Promise.all(['executor', 'kita', 'minami'].map(web.as));
  assert.ok(executor && kita && minami);
  const seen = new Set<string>();
  const check = (method: string, path: string, reply: Reply): void => {
    const operation = document.paths[path]?.[method];
    assert.ok(operation, path);
    const schema = schemaAt(operation, reply.status);
    assert.ok(hasForm(schemas, schema, reply.body), `${method} ${path}: ${JSON.stringify(reply.body)}`);
    if (reply.status < 300) seen.add(`${method} ${path}`);
  };
  const get = async (path: string, template: string, api: Api = executor) =>
    check('get', template, await api.get(path));
  const post = async (path: string, template: string, body: object, api: Api = executor) =>
    check('post', template, await api.post(path, body));

  const bond = { from: '0042', to: '0099', asset: ISIN, amount: '5' };
  const cash = { from: '0099', to: '0042', asset: 'JPY', amount: '100' };
  for (const asset of ['JPY', ISIN]) {
    const name = `hold ${asset}`;
    await post('/holds', '/holds', holdOf(name, { asset }));
    const certificate = signed({ operations: [id(name)] });
    const verb = asset === 'JPY' ? 'execute' : 'deliver';
    await post(`/holds/${id(name)}/${verb}`, `/holds/{id}/${verb}`, { operation: id(`do ${asset}`), certificate });
  }
  await post('/holds', '/holds', holdOf('undone'));
  const abort = signed({ kind: 'abort', operations: [id('undone')] });
  await post(`/holds/${id('undone')}/release`, '/holds/{id}/release', { certificate: abort });
  await post('/holds', '/holds', holdOf('short', { amount: '100000000' }));
  for (const name of ['undone', 'hold JPY', 'unknown']) await get(`/holds/${id(name)}`, '/holds/{id}');
  const trade = { trade: 'T-1', security: bond, cash, hold: true };
  await post('/transfers', '/transfers', { id: id('move'), trade: 'T-0', ...bond }, kita);
  await get(`/transfers/${id('move')}`, '/transfers/{id}', kita);
  await post('/dvp', '/dvp', { id: id('one'), ...trade }, kita);
  await post('/dvp', '/dvp', { id: id('other'), ...trade }, minami);
  const key = { trade: 'T-1', from: '0042', to: '0099' };
  const awaited = `/awaited/${id('dvp')}?${new URLSearchParams({ filter: 'dvp', ...key }).toString()}`;
  await get(awaited, '/awaited/{id}');
  const tried = {
    operation: id('dvp'),
    settlement: id('settlement'),
    ...key,
    certificate: signed({ kind: 'proceed' }),
  };
  await post('/dvp/try', '/dvp/try', tried);
  await get(awaited, '/awaited/{id}');
  await post(`/operations/${id('dead')}/fence`, '/operations/{id}/fence', { reason: 'TIMO' });
  const withdrawn = { reason: 'TIMO', await: { filter: 'cash-transfer', ...key, trade: 'T-9' } };
  await post(`/operations/${id('gone')}/fence`, '/operations/{id}/fence', withdrawn);
  for (const name of ['dead', 'gone', 'dvp', 'hold JPY', 'unknown'])
    await get(`/operations/${id(name)}`, '/operations/{id}');
  await post('/epochs', '/epochs', signedEpoch());
  for (const path of ['/assets', '/accounts', '/events', '/healthz', '/openapi.json']) await get(path, path);
  await get('/accounts/0042', '/accounts/{id}');
  check('post', '/oauth/token', await askToken(web.url, 'executor', 'executor secret'));
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(
    all.filter((each) => !seen.has(each)),
    ['get /docs'],
    'everything was answered once',
  );
});

function schemaAt(operation: Operation, status: number): Schema {
  const [content] = Object.values(operation.responses[status]?.content ?? {});
  assert.ok(content, `${operation.operationId} says nothing of ${status}`);
  return content.schema;
}

/** Whether a value has the form of a schema, as far as the answers' schemas go. */
function hasForm(schemas: OpenApi['components']['schemas'], schema: Schema, value: unknown): boolean {
  const inside = (other: unknown, part: unknown): boolean => hasForm(schemas, recordOf(other), part);
  const { $ref, oneOf, anyOf, type, pattern, minimum, properties, required, items } = schema;
  if (typeof $ref === 'string') return inside(schemas[$ref.split('/').at(-1) ?? ''], value);
  const choices = [oneOf ?? anyOf ?? []].flat();
  if (choices.length > 0) return choices.some((choice) => inside(choice, value));
  if ('const' in schema) return schema['const'] === value;
  if (Array.isArray(schema['enum'])) return schema['enum'].includes(value);
  if (type === 'integer') return Number.isSafeInteger(value) && Number(value) >= Number(minimum ?? 0);
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'string')
    return typeof value === 'string' && new RegExp(typeof pattern === 'string' ? pattern : '').test(value);
  if (type === 'array') return Array.isArray(value) && value.every((each) => inside(items, each));
  const [members, known] = [recordOf(value), recordOf(properties ?? {})];
  const isWhole = !Array.isArray(required) || required.every((name) => String(name) in members);
  const isOpen = schema['additionalProperties'] !== false;
  return (
    isWhole && Object.entries(members).every(([name, each]) => (name in known ? inside(known[name], each) : isOpen))
  );
}

type Schema = Readonly<Record<string, unknown>>;
