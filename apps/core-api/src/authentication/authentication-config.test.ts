import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readDocument } from '@linkspan/plugin';
import { Fault, type Result } from '@linkspan/protocol';
import { type AuthenticationConfig, readAuthentication } from './authentication-config.ts';
import { readDevelopmentClients } from './development-clients.ts';
import { readOrMakeIssuerKeys } from './issuer-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'linkspan-authentication-'));
after(() => rmSync(folder, { recursive: true }));

const OWN = { kind: 'development', clients: 'clients.json', keys: 'keys.json' };
const OTHER = {
  kind: 'issuer',
  issuer: 'https://issuer.example',
  audience: 'urn:api',
  jwks: 'https://issuer.example/jwks',
};

function read(document: object, mode: 'development' | 'production'): Result<AuthenticationConfig> {
  const reader = readDocument(document);
  const config = readAuthentication(reader, { mode, at: (file) => `/etc/${file}` }, 'csd-b');
  return reader.finish('configuration-invalid', () => config);
}

function pointers(result: Result<unknown>): string[] {
  return result.ok ? [] : (result.refusal.problems ?? []).map(({ pointer }) => pointer).toSorted();
}

test('an issuer is named by its address, audience and keys; the own one by its files, in development only', () => {
  assert.deepEqual(read(OTHER, 'production'), { ok: true, value: OTHER });
  const own = read(OWN, 'development');
  const files = { clients: '/etc/clients.json', keys: '/etc/keys.json' };
  assert.deepEqual(own, { ok: true, value: { kind: 'development', audience: 'urn:linkspan:csd-b', ...files } });
  const refused = read(OWN, 'production');
  assert.deepEqual(pointers(refused), ['/kind']);
  assert.match(refused.ok ? '' : refused.refusal.message, /runs in development only/);
});

test('what is missing or unsafe is told at its place', () => {
  assert.deepEqual(pointers(read({ kind: 'issuer' }, 'development')), ['/audience', '/issuer', '/jwks']);
  assert.deepEqual(pointers(read({ ...OTHER, jwks: 'http://127.0.0.1:1/jwks' }, 'production')), ['/jwks']);
  assert.deepEqual(pointers(read({ ...OTHER, jwks: 'http://issuer.example/jwks' }, 'development')), ['/jwks']);
  assert.deepEqual(pointers(read({ ...OTHER, secret: 'x' }, 'production')), ['/secret']);
  assert.deepEqual(pointers(read({ kind: 'none' }, 'production')).includes('/kind'), true);
});

test('keys are made once, for their owner alone, and kept', () => {
  const path = join(folder, 'below', 'keys.json');
  const [made] = readOrMakeIssuerKeys(path);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readOrMakeIssuerKeys(path), [made]);
  chmodSync(path, 0o640);
  assert.throws(() => readOrMakeIssuerKeys(path), Fault);
  chmodSync(path, 0o600);
  writeFileSync(path, JSON.stringify({ keys: [{ ...made, kty: 'oct' }] }));
  assert.throws(() => readOrMakeIssuerKeys(path), /something else than Ed25519/);
  writeFileSync(path, '{"keys":[]}');
  assert.throws(() => readOrMakeIssuerKeys(path), /holds no key/);
});

test('clients have an id, a long secret and known scopes; what is wrong is told without any secret', () => {
  const path = join(folder, 'clients.json');
  const good = { id: 'ada', secret: 's'.repeat(32), scopes: ['settlements:read'] };
  const write = (clients: unknown, schema = 'clients/1'): string => {
    writeFileSync(path, JSON.stringify({ schema, clients }), { mode: 0o600 });
    return path;
  };
  assert.deepEqual(readDevelopmentClients(write([good])), [good]);
  const wrong: readonly unknown[] = [
    [{ ...good, id: 'Ada' }],
    [{ ...good, secret: 'short' }],
    [{ ...good, scopes: ['everything'] }],
    [good, good],
    [null],
    'none',
  ];
  for (const clients of wrong) {
    const error = thrown(() => readDevelopmentClients(write(clients)));
    assert.ok(error instanceof Fault && error.code === 'configuration-invalid');
    assert.ok(!error.message.includes('sss') && !error.message.includes('short'), error.message);
  }
  assert.ok(readFileSync(path, 'utf8').length > 0);
  assert.throws(() => readDevelopmentClients(write([good], 'clients/2')), Fault);
  assert.throws(() => readDevelopmentClients(join(folder, 'none.json')), /does not exist/);
});

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
