import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { accept, constant, refuse, type TlsFiles } from '@linkspan/protocol';
import { ed25519Signer } from '@linkspan/keys';
import { type Files, loadConfig } from './config.ts';

const CONNECTOR = {
  kind: 'web-api',
  baseUrl: 'http://127.0.0.1:1',
  clientId: 'me',
  clientSecret: 'hunter2',
  assets: [{ id: 'JPY', kind: 'cash' }],
};
const EVM = {
  kind: 'evm',
  rpcUrl: 'http://127.0.0.1:1',
  token: `0x${'a'.repeat(40)}`,
  currency: 'JPY',
  digits: 0,
  executorPrivateKey: `0x${'1'.repeat(64)}`,
  finality: { confirmations: 0 },
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
  return loadConfig(env, filesWith(JSON.stringify(document)), '/etc/linkspan/c.json');
}

/** Every file there could be; a secret that belongs to others is refused. */
function filesWith(text: string): Files {
  return {
    text: () => text,
    keys: () => accept({ ed25519: ed25519Signer('1'.repeat(64)) }),
    secret: (path) =>
      path.includes('open') ? refuse('configuration-invalid', `Run: chmod 600 ${path}`) : accept(constant(path)),
    tls: ({ certFile = '', keyFile = '', caFile = '' }: TlsFiles) =>
      accept(constant({ cert: certFile, key: keyFile, ca: caFile })),
  };
}

test('a right configuration is read and frozen; its secrets do not print', async () => {
  const config = await load(RIGHT);
  assert.ok(config.ok);
  assert.ok(Object.isFrozen(config.value));
  assert.equal(config.value.keyFile, '/etc/linkspan/key.json');
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

const TLS = { certFile: 'cert.pem', keyFile: 'key.pem', caFile: 'ca.pem', clients: ['core-api.example'] };
const SECURE = {
  ...RIGHT,
  mode: 'production',
  listen: { port: 0, host: '0.0.0.0', tls: TLS },
  connector: { ...CONNECTOR, baseUrl: 'https://rtgs.example', clientSecret: undefined, clientSecretFile: 'secret' },
};

test('outside development, or beyond this machine, mutual TLS with named clients is demanded', async () => {
  const secure = await load(SECURE);
  assert.ok(secure.ok, JSON.stringify(secure));
  assert.equal(secure.value.listen.tls?.credentials.current().ca, '/etc/linkspan/ca.pem');
  assert.deepEqual(secure.value.listen.tls.clients, ['core-api.example']);
  const unsafe: [object, string][] = [
    [{ ...SECURE, listen: { port: 0 } }, '/listen/tls'],
    [{ ...RIGHT, listen: { port: 0, host: '0.0.0.0' } }, '/listen/tls'],
    [{ ...RIGHT, listen: { port: 0, host: '127.0.0.1.example' } }, '/listen/tls'],
    [{ ...SECURE, listen: { port: 0, tls: { ...TLS, clients: [] } } }, '/listen/tls/clients'],
    [{ ...SECURE, listen: { port: 0, tls: { ...TLS, clients: undefined } } }, '/listen/tls/clients'],
    [{ ...SECURE, listen: { port: 0, tls: { ...TLS, clients: ['*.example'] } } }, '/listen/tls/clients/0'],
    [{ ...SECURE, listen: { port: 0, tls: { ...TLS, caFile: undefined } } }, '/listen/tls/caFile'],
  ];
  for (const [document, pointer] of unsafe) assert.ok((await problems(document)).includes(pointer), pointer);
});

test('towards the system nothing goes unprotected, and no secret stands in the configuration', async () => {
  const unsafe: [object, string][] = [
    [{ ...SECURE, connector: { ...SECURE.connector, baseUrl: 'http://127.0.0.1:1' } }, '/connector/baseUrl'],
    [{ ...SECURE, connector: { ...SECURE.connector, baseUrl: 'https://me:it@rtgs.example' } }, '/connector/baseUrl'],
    [{ ...SECURE, connector: { ...CONNECTOR, baseUrl: 'https://rtgs.example' } }, '/connector/clientSecret'],
    [{ ...SECURE, connector: { ...SECURE.connector, clientSecretFile: 'open' } }, '/connector/clientSecretFile'],
    [{ ...RIGHT, connector: { ...CONNECTOR, clientSecretFile: 'secret' } }, '/connector/clientSecret'],
    [{ ...RIGHT, connector: { ...CONNECTOR, baseUrl: 'http://10.0.0.1' } }, '/connector/baseUrl'],
    [{ ...RIGHT, connector: { ...CONNECTOR, tls: {} } }, '/connector/tls'],
    [{ ...SECURE, connector: { ...SECURE.connector, tls: { certFile: 'c' } } }, '/connector/tls/keyFile'],
    [{ ...SECURE, connector: { ...EVM, rpcUrl: 'http://10.0.0.1' } }, '/connector/rpcUrl'],
    [{ ...SECURE, connector: EVM }, '/connector/executorPrivateKey'],
  ];
  for (const [document, pointer] of unsafe) assert.ok((await problems(document)).includes(pointer), pointer);
  // A node on this machine, and an executor's key that its file does not hold.
  const { executorPrivateKey: _, ...fromFile } = EVM;
  assert.deepEqual(await problems({ ...SECURE, connector: { ...fromFile, executorKeyFile: 'key' } }), [
    '/connector/executorKeyFile',
  ]);
});

async function problems(document: object): Promise<string[]> {
  const config = await load(document);
  assert.ok(!config.ok, JSON.stringify(document));
  return config.refusal.problems?.map(({ pointer }) => pointer) ?? [];
}

test('a file that is missing or no JSON is said in one sentence', async () => {
  const none = (): never => {
    throw new Error('no such file');
  };
  const missing = await loadConfig({}, { ...filesWith(''), text: none }, 'c.json');
  assert.ok(!missing.ok && missing.refusal.message.includes('c.json'));
  const text = await loadConfig({}, filesWith('hello'), 'c.json');
  assert.ok(!text.ok);
});

test('a currency whose digits are not those of the token is refused', async () => {
  const connector = { ...EVM, digits: 2 };
  const config = await load({ ...RIGHT, connector });
  assert.ok(!config.ok && config.refusal.problems?.some(({ pointer }) => pointer === '/connector/digits'));
});
