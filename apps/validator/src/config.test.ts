import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { loadConfig } from './config.ts';

const CONNECTOR = {
  kind: 'web-api',
  baseUrl: 'http://127.0.0.1:1',
  clientId: 'me',
  clientSecret: 'hunter2',
  assets: [{ id: 'JPY', kind: 'cash' }],
};
const RIGHT = {
  mode: 'development',
  network: `sha256:${'a'.repeat(64)}`,
  system: 'rtgs',
  listen: { port: 0 },
  keyFile: 'key.json',
  connector: CONNECTOR,
};

function load(document: unknown, env: Record<string, string> = {}) {
  return loadConfig(env, (path) => (path === 'c.json' ? JSON.stringify(document) : `contents of ${path}`), 'c.json');
}

test('a right configuration is read and frozen; its secrets do not print', async () => {
  const config = await load(RIGHT);
  assert.ok(config.ok);
  assert.ok(Object.isFrozen(config.value));
  assert.deepEqual(config.value.listen, { host: '127.0.0.1', port: 0, tls: undefined });
  assert.equal(config.value.logLevel, 'warn');
  assert.ok(!inspect(config.value, { depth: 10 }).includes('hunter2'));
  const verbose = await load(RIGHT, { LINKSPAN_LOG_LEVEL: 'debug' });
  assert.ok(verbose.ok && verbose.value.logLevel === 'debug');
});

test('all problems are reported at once, those of the connector too', async () => {
  const wrong = {
    mode: 'test',
    network: 'x',
    listen: { port: 70_000 },
    keyFile: '',
    connector: { ...CONNECTOR, kind: 'evm' },
    more: 1,
  };
  const config = await load(wrong);
  assert.ok(!config.ok && config.refusal.code === 'configuration-invalid');
  const pointers = new Set(config.refusal.problems?.map(({ pointer }) => pointer));
  for (const pointer of [
    '/mode',
    '/network',
    '/system',
    '/listen/port',
    '/keyFile',
    '/more',
    '/connector/rpcUrl',
    '/connector/token',
    '/connector/baseUrl',
  ]) {
    assert.ok(pointers.has(pointer), `${pointer} is not among ${[...pointers].join()}`);
  }
});

test('outside development, or beyond this machine, mutual TLS is demanded', async () => {
  const production = await load({ ...RIGHT, mode: 'production' });
  assert.ok(!production.ok && production.refusal.problems?.some(({ pointer }) => pointer === '/listen/tls'));
  const open = await load({ ...RIGHT, listen: { port: 0, host: '0.0.0.0' } });
  assert.ok(!open.ok);
  const tls = { certFile: 'cert.pem', keyFile: 'key.pem', caFile: 'ca.pem' };
  const secure = await load({ ...RIGHT, mode: 'production', listen: { port: 0, host: '0.0.0.0', tls } });
  assert.ok(secure.ok);
  assert.equal(secure.value.listen.tls?.ca, 'contents of ca.pem');
});

test('a file that is missing or no JSON is said in one sentence', async () => {
  const missing = await loadConfig(
    {},
    () => {
      throw new Error('no such file');
    },
    'c.json',
  );
  assert.ok(!missing.ok && missing.refusal.message.includes('c.json'));
  const text = await loadConfig({}, () => 'hello', 'c.json');
  assert.ok(!text.ok);
});

test('a currency whose digits are not those of the token is refused', async () => {
  const connector = {
    kind: 'evm',
    rpcUrl: 'http://127.0.0.1:1',
    token: `0x${'a'.repeat(40)}`,
    currency: 'JPY',
    digits: 2,
    executorPrivateKey: `0x${'1'.repeat(64)}`,
    finality: { confirmations: 0 },
  };
  const config = await load({ ...RIGHT, connector });
  assert.ok(!config.ok && config.refusal.problems?.some(({ pointer }) => pointer === '/connector/digits'));
});
