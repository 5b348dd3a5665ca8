import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesOf, PEER_NAME } from './peer-names.ts';

test('names are DNS names and URIs, and nothing that only looks like an entry', () => {
  assert.deepEqual(namesOf('DNS:A.Example, IP Address:127.0.0.1, URI:urn:a:b'), ['a.example', 'urn:a:b']);
  assert.deepEqual(namesOf('DNS:"x, URI:urn:a:b", DNS:c'), ['c']);
  assert.deepEqual(namesOf(String.raw`DNS:"x\", URI:urn:a:b", DNS:c`), ['c']);
  assert.deepEqual(namesOf('email:me@a.example'), []);
  assert.deepEqual(namesOf('DNS:a, b'), [], 'what cannot be read to its end is not believed in part');
  assert.deepEqual(namesOf('DNS:"a, URI:b'), []);
  assert.deepEqual(namesOf(undefined), []);
});

test('a configuration names exactly one host or URI', () => {
  for (const name of ['a', 'api.csd-b.example', 'urn:linkspan:organisation:csd-b', 'spiffe://a.example/core-api'])
    assert.ok(PEER_NAME.pattern.test(name), name);
  for (const name of ['', '*', '*.example', 'A.example', 'a..b', '-a', 'a b', 'urn:a, URI:urn:b'])
    assert.ok(!PEER_NAME.pattern.test(name), name);
});
