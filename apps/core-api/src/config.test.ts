import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleNetwork } from '@linkspan/testkit';
import { loadConfig } from './config.ts';
import { isObject } from './test-support.ts';

const sample = sampleNetwork();

const DOCUMENT = {
  mode: 'development',
  network: { genesis: '../genesis.json' },
  ledger: { kind: 'embedded', directory: 'ledger' },
  peers: { 'central-bank-b': 'http://127.0.0.1:9102', 'csd-b': 'http://127.0.0.1:9103' },
  organisations: [
    {
      id: 'central-bank-a',
      port: 9101,
      keyFile: 'a.keys.json',
      journal: 'a/journal.db',
      register: 'a.register.json',
      systems: [
        { id: 'fcy-evm', validators: [{ key: sample.validators['fcy-evm']?.[0]?.key, url: 'http://127.0.0.1:9301' }] },
      ],
    },
  ],
};

const FILES = {
  '/etc/linkspan/net/core.json': DOCUMENT,
  '/etc/linkspan/genesis.json': sample.plan.genesis,
  '/etc/linkspan/net/a.register.json': sample.plan.calls.map(({ body }) => body),
};

test('a configuration is read with the files that it names, relative to its own, and is frozen', () => {
  const config = load(FILES);
  assert.ok(config.ok, JSON.stringify(config));
  const { network, ledger, organisations, logLevel } = config.value;
  assert.deepEqual([network, ledger.directory, logLevel], [sample.id, '/etc/linkspan/net/ledger', 'warn']);
  const [one] = organisations;
  assert.deepEqual(
    [one?.keyFile, one?.journal, one?.register.length],
    ['/etc/linkspan/net/a.keys.json', '/etc/linkspan/net/a/journal.db', sample.plan.calls.length],
  );
  assert.equal(one?.systems[0]?.validators[0]?.url, 'http://127.0.0.1:9301');
  assert.ok([config.value, organisations, one?.register, one?.systems[0]?.validators[0]].every(Object.isFrozen));
});

test('every problem is reported at once, each at its place', () => {
  const [organisation] = DOCUMENT.organisations;
  const config = load({
    ...FILES,
    '/etc/linkspan/net/core.json': {
      ...DOCUMENT,
      mode: 'production',
      colour: 'red',
      ledger: { kind: 'paper' },
      peers: { 'csd-b': 'not a URL' },
      limits: { requestsPerSecond: 0, burst: 1 },
      organisations: [
        { ...organisation, port: 70_000, systems: [{ id: 'fcy-evm', validators: [{ key: 'ed25519:00', url: 'x' }] }] },
      ],
    },
    '/etc/linkspan/net/a.register.json': [{ type: 'register-nothing' }],
  });
  assert.ok(!config.ok);
  const pointers = new Set(config.refusal.problems?.map(({ pointer }) => pointer));
  for (const expected of [
    '/mode',
    '/colour',
    '/ledger/kind',
    '/ledger/directory',
    '/peers/csd-b',
    '/peers',
    '/limits/requestsPerSecond',
    '/limits/concurrent',
    '/organisations/0/port',
    '/organisations/0/register',
    '/organisations/0/systems/0/validators/0/key',
    '/organisations/0/systems/0/validators/0/url',
  ]) {
    assert.ok(pointers.has(expected), `${expected} in ${[...pointers].join(' ')}`);
  }
});

test('files that are missing or are not JSON are named', () => {
  const missing = load({ '/etc/linkspan/net/core.json': DOCUMENT });
  assert.ok(!missing.ok);
  assert.match(missing.refusal.message, /\/etc\/linkspan\/genesis\.json cannot be read \(ENOENT\)/);
  assert.match(missing.refusal.message, /a\.register\.json cannot be read/);
  const none = load({});
  assert.ok(!none.ok);
  const broken = loadConfig({}, () => '{', '/core.json');
  assert.ok(!broken.ok);
  assert.equal(broken.refusal.message, '/core.json is not JSON.');
});

test('limits are generous unless others are given', () => {
  const given = { requestsPerSecond: 5, burst: 10, concurrent: 2 };
  const config = load({ ...FILES, '/etc/linkspan/net/core.json': { ...DOCUMENT, limits: given } });
  assert.ok(config.ok);
  assert.deepEqual(config.value.limits, given);
  const without = load(FILES);
  assert.ok(without.ok && without.value.limits.requestsPerSecond >= 100);
});

test('the environment overrides the log level', () => {
  const config = load(FILES, { LINKSPAN_LOG_LEVEL: 'debug' });
  assert.ok(config.ok);
  assert.equal(config.value.logLevel, 'debug');
});

function load(files: Readonly<Record<string, unknown>>, env: Readonly<Record<string, string>> = {}) {
  const readFile = (path: string): string => {
    const content = files[path];
    if (!isObject(content) && !Array.isArray(content))
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return JSON.stringify(content);
  };
  return loadConfig(env, readFile, '/etc/linkspan/net/core.json');
}
