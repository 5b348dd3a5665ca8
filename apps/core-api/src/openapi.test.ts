import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Endpoint, ENDPOINTS, needsIdempotencyKey, parse } from '@linkspan/protocol';
import { docsPage } from './docs-page.ts';
import { EXAMPLES } from './examples.ts';
import { openApiDocument } from './openapi.ts';
import { get, isObject, startTestNetwork, type TestNetwork } from './test-support.ts';

const document = openApiDocument();
let network: TestNetwork;

before(async () => {
  network = await startTestNetwork();
});

after(() => network[Symbol.asyncDispose]());

test('the document has every endpoint once, under its own name', () => {
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  assert.deepEqual(operations.map(({ operationId }) => operationId).toSorted(), Object.keys(ENDPOINTS).toSorted());
  for (const [name, endpoint] of Object.entries<Endpoint>(ENDPOINTS)) {
    const path = endpoint.path.replaceAll(/:([a-z]+)/g, '{$1}');
    const operation = document.paths[path]?.[endpoint.method.toLowerCase()];
    assert.ok(operation && operation.operationId === name, name);
    assert.ok(Object.hasOwn(operation.responses, String(endpoint.status)), name);
    assert.ok(Object.hasOwn(operation.responses, 'default'), name);
    const scopes = operation.security.map((each) => Object.values(each).flat());
    assert.deepEqual(scopes, endpoint.scope === undefined ? [] : [[endpoint.scope], [endpoint.scope]], name);
    assert.equal(Object.hasOwn(operation.responses, '401'), endpoint.scope !== undefined, name);
    for (const scheme of operation.security.flatMap(Object.keys))
      assert.ok(Object.hasOwn(document.components.securitySchemes, scheme), scheme);
    assert.equal(operation.requestBody !== undefined, endpoint.body !== undefined, name);
    const parameters = operation.parameters.map((each) => `${each.in} ${each.name}`);
    assert.equal(new Set(parameters).size, parameters.length);
    assert.equal(parameters.includes('header Idempotency-Key'), needsIdempotencyKey(endpoint), name);
    const inPath = operation.parameters.filter((each) => each.in === 'path').map((each) => `{${each.name}}`);
    assert.deepEqual(inPath, path.match(/\{[a-z]+\}/g) ?? [], name);
    assert.ok(operation.parameters.every((each) => each.required || each.in !== 'path'));
  }
  const period = document.paths['/evidence']?.['get']?.parameters ?? [];
  assert.deepEqual(
    period.map((each) => [each.name, each.required]),
    [
      ['from', true],
      ['to', true],
      ['after', false],
      ['limit', false],
    ],
  );
});

test('every reference of the document leads to something in it', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g)].map(
    ([, reference = '']) => reference,
  );
  assert.ok(references.length > 20);
  for (const reference of references) assert.notEqual(resolve(reference), undefined, reference);
});

test('every example has the form that its schema demands', () => {
  for (const [name, example] of Object.entries(EXAMPLES)) {
    const endpoint = Object.entries<Endpoint>(ENDPOINTS).find(([each]) => each === name)?.[1];
    const form = endpoint?.form ?? endpoint?.body;
    assert.ok(form, name);
    const parsed = parse(form, example, 'request-invalid');
    assert.ok(parsed.ok, JSON.stringify(parsed));
  }
});

test('the document and the page are served, and the page needs nothing from elsewhere', async () => {
  const url = network.urls['csd-b'] ?? '';
  const served = await get(url, '/openapi.json');
  assert.ok(isObject(served.body) && served.body['openapi'] === '3.1.0');
  assert.deepEqual(served.body, JSON.parse(JSON.stringify(document)));
  const response = await fetch(`${url}/docs`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'unsafe-inline'/);
  const page = await response.text();
  assert.equal(page, docsPage());
  assert.doesNotMatch(page, /<script|<link|<img|@import|url\(|src=|https?:/);
  assert.match(page, /<html lang="en">/);
  assert.match(page, /prefers-color-scheme: dark/);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length, 'ids are unique');
  for (const [, target = ''] of page.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(target), target);
  for (const { method, path } of Object.values(ENDPOINTS))
    assert.ok(page.includes(`<h3>${method} ${path.replaceAll(/:([a-z]+)/g, '{$1}')}</h3>`), path);
});

function resolve(reference: string): unknown {
  let at: unknown = document;
  for (const name of reference.replace(/^#\//, '').split('/')) at = isObject(at) ? at[name] : undefined;
  return at;
}
