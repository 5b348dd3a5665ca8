import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, constant, refuse } from '@linkspan/protocol';
import { sampleNetwork } from '@linkspan/testkit';
import { type Files, loadConfig } from './config.ts';
import { isObject } from './test-support.ts';

const sample = sampleNetwork();

const DOCUMENT = {
  mode: 'development',
  network: { genesis: '../genesis.json' },
  ledger: { kind: 'embedded', directory: 'ledger' },
  peers: { 'central-bank-b': { url: 'http://127.0.0.1:9102' }, 'csd-b': { url: 'http://127.0.0.1:9103' } },
  organisations: [
    {
      id: 'central-bank-a',
      listen: { port: 9101 },
      keyFile: 'a.keys.json',
      journal: 'a/journal.db',
      register: 'a.register.json',
      authentication: { kind: 'development', clients: 'clients.json', keys: 'issuer.json' },
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
  assert.deepEqual([network, logLevel], [sample.id, 'warn']);
  assert.deepEqual(ledger, { kind: 'embedded', directory: '/etc/linkspan/net/ledger' });
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
      mode: 'test',
      colour: 'red',
      ledger: { kind: 'paper' },
      peers: { 'csd-b': { url: 'not a URL' } },
      limits: { requestsPerSecond: 0, burst: 1 },
      organisations: [
        {
          ...organisation,
          listen: { port: 70_000 },
          systems: [{ id: 'fcy-evm', validators: [{ key: 'ed25519:00', url: 'x' }] }],
        },
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
    '/peers/csd-b/url',
    '/peers',
    '/limits/requestsPerSecond',
    '/limits/concurrent',
    '/organisations/0/listen/port',
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
  const broken = loadConfig(
    {},
    filesWith(() => '{'),
    '/core.json',
  );
  assert.ok(!broken.ok);
  assert.equal(broken.refusal.message, '/core.json is not JSON.');
});

const TLS = { certFile: 'a.pem', keyFile: 'a.key', caFile: 'ca.pem' };
const [ORGANISATION] = DOCUMENT.organisations;
const SECURE_ORGANISATION = {
  ...ORGANISATION,
  listen: { host: '0.0.0.0', port: 9101, tls: TLS },
  client: TLS,
  systems: [
    {
      id: 'fcy-evm',
      tls: TLS,
      validators: [
        {
          key: sample.validators['fcy-evm']?.[0]?.key,
          url: 'https://validator.a.example:9301',
          name: 'urn:a:validator',
        },
      ],
    },
  ],
  authentication: { kind: 'issuer', issuer: 'https://id.a.example', audience: 'a', jwks: 'https://id.a.example/jwks' },
};
const SECURE = {
  ...DOCUMENT,
  mode: 'production',
  peers: {
    'central-bank-a': { name: 'api.a.example' },
    'central-bank-b': { url: 'https://api.b.example', name: 'api.b.example' },
    'csd-b': { url: 'https://csd.b.example', name: 'urn:csd-b' },
  },
  organisations: [SECURE_ORGANISATION],
};

test('outside development nothing goes unprotected, each lack said at its place', () => {
  const right = loadWith(SECURE);
  assert.ok(right.ok, JSON.stringify(right));
  assert.equal(right.value.organisations[0]?.client?.current().cert, '/etc/linkspan/net/a.pem');
  assert.ok(right.value.organisations[0].certificateFiles.includes('/etc/linkspan/net/a.pem'));
  const peers = (id: string, peer: object) => ({ ...SECURE, peers: { ...SECURE.peers, [id]: peer } });
  const organisation = (change: object) => ({ ...SECURE, organisations: [{ ...SECURE_ORGANISATION, ...change }] });
  const [system] = SECURE_ORGANISATION.systems;
  const unsafe: [object, string][] = [
    [peers('csd-b', { url: 'http://csd.b.example', name: 'urn:csd-b' }), '/peers/csd-b/url'],
    [peers('csd-b', { url: 'http://127.0.0.1:9103', name: 'urn:csd-b' }), '/peers/csd-b/url'],
    [peers('csd-b', { url: 'https://csd.b.example' }), '/peers/csd-b/name'],
    [peers('csd-b', { url: 'https://csd.b.example', name: 'api.b.example' }), '/peers'],
    [peers('csd-b', { url: 'https://csd.b.example', name: '*.b.example' }), '/peers/csd-b/name'],
    [peers('central-bank-a', {}), '/peers/central-bank-a/name'],
    [organisation({ listen: { port: 9101 } }), '/organisations/0/listen/tls'],
    [organisation({ client: undefined }), '/organisations/0/client'],
    [organisation({ authentication: undefined }), '/organisations/0/authentication'],
    [
      organisation({ authentication: { kind: 'development', clients: 'c.json', keys: 'k.json' } }),
      '/organisations/0/authentication/kind',
    ],
    [organisation({ systems: [{ ...system, tls: undefined }] }), '/organisations/0/systems/0/tls'],
    [organisation({ keyFile: 'b.keys.json' }), '/organisations/0/keyFile'],
  ];
  for (const [document, pointer] of unsafe) assert.ok(problemsOf(document).includes(pointer), pointer);
});

test('in development other machines are reached by TLS only, and listened to by TLS only', () => {
  const far = { ...DOCUMENT, peers: { ...DOCUMENT.peers, 'csd-b': { url: 'http://10.0.0.1:9103' } } };
  assert.deepEqual(problemsOf(far), ['/peers/csd-b/url']);
  const open = { ...DOCUMENT, organisations: [{ ...ORGANISATION, listen: { host: '0.0.0.0', port: 1 } }] };
  assert.deepEqual(problemsOf(open), ['/organisations/0/listen/tls']);
});

test('keys that a change of the network brings stand beside the others; only the ledger can then say which count', () => {
  const [organisation] = DOCUMENT.organisations;
  const [system] = organisation?.systems ?? [];
  const [validator] = system?.validators ?? [];
  const nextKey = sample.validators['fcy-evm']?.[1]?.key;
  const systems = [{ ...system, validators: [{ ...validator, nextKey }] }];
  const other = { ...organisation, keyFile: 'b.keys.json', nextKeyFile: 'a.next.json', systems };
  const config = loadWith({ ...DOCUMENT, organisations: [{ ...other, keysFrom: 'ledger' }] });
  assert.ok(config.ok, JSON.stringify(config));
  const [one] = config.value.organisations;
  assert.equal(one?.nextKeyFile, '/etc/linkspan/net/a.next.json');
  assert.deepEqual(
    one?.systems[0]?.validators.map(({ key, url }) => [key, url]),
    [validator?.key, nextKey].map((key) => [key, validator?.url]),
  );
  const fixed = problemsOf({ ...DOCUMENT, organisations: [other] });
  assert.deepEqual(fixed, ['/organisations/0/keyFile']);
});

test('who has left the network needs no address where the ledger says who is a member', () => {
  const { 'csd-b': _, ...peers } = DOCUMENT.peers;
  assert.deepEqual(problemsOf({ ...DOCUMENT, peers }), ['/peers']);
  const config = loadWith({ ...DOCUMENT, peers, organisations: [{ ...ORGANISATION, keysFrom: 'ledger' }] });
  assert.ok(config.ok, JSON.stringify(config));
});

function loadWith(document: object) {
  return load({ ...FILES, '/etc/linkspan/net/core.json': document });
}

function problemsOf(document: object): string[] {
  const config = loadWith(document);
  assert.ok(!config.ok, JSON.stringify(document));
  return config.refusal.problems?.map(({ pointer }) => pointer) ?? [];
}

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
  return loadConfig(env, filesWith(readFile), '/etc/linkspan/net/core.json');
}

/** Every file there could be, with the keys of the organisation that its name begins with. */
function filesWith(text: Files['text']): Files {
  return {
    text,
    keys: (path) => {
      const { call, certificate } = sample.organisations[path.includes('/a.') ? 'central-bank-a' : 'csd-b'] ?? {};
      return call && certificate
        ? accept({ ed25519: call, secp256k1: certificate })
        : refuse('configuration-invalid', 'no keys');
    },
    secret: (path) => (path.endsWith('.pin') ? accept(constant('1234')) : refuse('configuration-invalid', 'no secret')),
    library: (path) => (path.endsWith('.so') ? accept(path) : refuse('configuration-invalid', 'no library')),
    tls: ({ certFile = '' }) => accept(constant({ cert: certFile })),
  };
}
