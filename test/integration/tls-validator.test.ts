import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { test } from 'node:test';
import { createLiveFiles, generateEd25519PrivateKey, type LiveFiles, writeKeyFile } from '@linkspan/keys';
import { createHttpPool, type HttpPool, PATHS } from '@linkspan/plugin';
import type { Live, Result, TlsCredentials } from '@linkspan/protocol';
import { loadConfig, type RunningValidator, startValidator } from '@linkspan/validator';
import { pino } from 'pino';
import { createAuthority } from '../../apps/cli/src/certificates/certificate-authority.ts';
import { openTlsFolder, type TlsFolder, type TlsPaths } from './tls-files.ts';

const SERVER = { names: { uri: ['urn:test:validator'], ip: ['127.0.0.1'] } };
const CORE_API = { names: { uri: ['urn:test:core-api'] } };

test('a validator answers clients of its authority that it names, and nobody else', async () => {
  await using scene = await openScene();
  const { folder, files } = scene;
  const right = await folder.issue('core-api', CORE_API);
  assert.equal(await scene.ask(right), 200);

  const unnamed = await folder.issue('other', { names: { uri: ['urn:test:other'], dns: ['core-api.example'] } });
  assert.equal(await scene.ask(unnamed), 403, 'a certificate of the authority, but of another service');
  const faked = await folder.issue('faked', { names: { dns: ['x, URI:urn:test:core-api'] } });
  assert.equal(await scene.ask(faked), 403, 'a name that looks like an entry of the list');

  const stranger = await createAuthority('a stranger');
  const foreign = await folder.issue('foreign', CORE_API, stranger);
  assert.match(String(await scene.ask(foreign)), /ERR_SSL|ECONNRESET|UND_ERR_SOCKET/, 'of a foreign authority');
  const none = valid(files.tls({ caFile: right.caFile }, 'client'));
  assert.match(String(await scene.askWith(none)), /ERR_SSL|ECONNRESET|UND_ERR_SOCKET/, 'of nobody');
  assert.match(String(await scene.ask(right, 'urn:test:other-validator')), /ALTNAME/, 'another server than was meant');
  const elsewhere = await folder.issue('elsewhere', CORE_API);
  folder.write('elsewhere-ca.pem', stranger.cert);
  assert.match(String(await scene.ask(elsewhere)), /CERT|SIGNATURE/, 'a server of another authority than is believed');
});

test('certificates of both sides are renewed while requests flow, and none is lost', async () => {
  await using scene = await openScene();
  const { folder, files } = scene;
  const paths = await folder.issue('core-api', CORE_API);
  const credentials = valid(files.tls(paths, 'client'));
  await using pool = poolOf(scene.url, credentials);
  const before = await scene.served();
  const going = { on: true };
  const answers: number[] = [];
  const flow = Array.from({ length: 4 }, async () => {
    while (going.on) answers.push(await statusOf(pool.pool));
  });
  for (let i = 0; i < 5; i++) {
    const soFar = answers.length;
    await folder.issue('server', SERVER);
    await folder.issue('core-api', CORE_API);
    files.reread();
    await until(() => answers.length > soFar + 50);
  }
  going.on = false;
  await Promise.all(flow);
  assert.ok(answers.every((status) => status === 200));
  assert.notEqual(await scene.served(), before, 'the server presents the renewed certificate');
  assert.deepEqual(files.state().broken, []);
});

test('half of a renewal is not used: neither a certificate without its key, nor what is broken', async () => {
  await using scene = await openScene();
  const { folder, files } = scene;
  const before = await scene.served();
  const next = await folder.authority.issue(SERVER);
  folder.write('server.pem', next.cert);
  files.reread();
  assert.equal(await scene.served(), before);
  assert.match(files.state().broken.join(), /is not that of the certificate/);
  folder.write('server.key', next.key);
  files.reread();
  assert.notEqual(await scene.served(), before);
  assert.deepEqual(files.state().broken, []);
  const renewed = await scene.served();
  folder.write('server.pem', 'nothing');
  files.reread();
  assert.equal(await scene.served(), renewed);
  assert.match(files.state().broken.join(), /no certificate in PEM/);
});

test('who was let in by a former authority is not served for longer than the answer under way', async () => {
  await using scene = await openScene();
  const { folder, files } = scene;
  const credentials = valid(files.tls(await folder.issue('core-api', CORE_API), 'client'));
  await using pool = poolOf(scene.url, credentials, 'urn:test:validator', 1);
  assert.equal(await statusOf(pool.pool), 200);
  const successor = await createAuthority('the successor');
  folder.write('server-ca.pem', successor.cert);
  files.reread();
  assert.equal(await statusOf(pool.pool), 200, 'over the connection that there is');
  await assert.rejects(statusOf(pool.pool));
});

type Scene = AsyncDisposable & {
  readonly folder: TlsFolder;
  readonly files: LiveFiles;
  readonly url: string;
  /** The status of an answer, or the error's code where there is none. */
  ask(paths: TlsPaths, serverName?: string): Promise<number | string>;
  askWith(credentials: Live<TlsCredentials>, serverName?: string): Promise<number | string>;
  /** The fingerprint of the certificate that the server presents. */
  served(): Promise<string>;
};

async function openScene(): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openTlsFolder());
  const files = opened.use(createLiveFiles({ now: Date.now }));
  const running = opened.use(await start(folder, files));
  const { url } = running;
  const own = await folder.issue('probe', CORE_API);
  const askWith: Scene['askWith'] = async (credentials, serverName) => {
    await using pool = poolOf(url, credentials, serverName);
    return await statusOf(pool.pool).catch(codeOf);
  };
  const closing = opened.move();
  return {
    folder,
    files,
    url,
    askWith,
    ask: (paths, serverName) => askWith(valid(files.tls(paths, 'client')), serverName),
    async served() {
      const credentials = valid(files.tls(own, 'client')).current();
      const { hostname: host, port } = new URL(url);
      const socket = connect({ ...credentials, host, port: Number(port), checkServerIdentity: () => undefined });
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(socket.getPeerCertificate().fingerprint256));
      return promise.finally(() => socket.destroy());
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function start(folder: TlsFolder, files: LiveFiles): Promise<RunningValidator> {
  const keyFile = `${folder.path}/keys.json`;
  writeKeyFile(keyFile, { ed25519: generateEd25519PrivateKey() });
  const document = {
    mode: 'production',
    network: `sha256:${'a'.repeat(64)}`,
    system: 'rtgs',
    listen: { port: 0, tls: { ...(await folder.issue('server', SERVER)), clients: ['urn:test:core-api'] } },
    keyFile,
    connector: {
      kind: 'web-api',
      baseUrl: 'https://rtgs.example',
      clientId: 'validator',
      clientSecretFile: folder.write('secret', 'secret\n'),
      assets: [{ id: 'JPY', kind: 'cash' }],
    },
    logLevel: 'silent',
  };
  const config = valid(await loadConfig({}, files, folder.write('config.json', JSON.stringify(document))));
  return startValidator(config, pino({ level: 'silent' }));
}

function poolOf(
  url: string,
  tls: Live<TlsCredentials>,
  serverName = 'urn:test:validator',
  connections = 4,
): AsyncDisposable & { readonly pool: HttpPool } {
  const pool = createHttpPool({ origin: url, tls, serverName, connectTimeoutMs: 2_000, pool: { connections } });
  return { pool, [Symbol.asyncDispose]: () => pool.close() };
}

async function statusOf(pool: HttpPool): Promise<number> {
  const { statusCode, body } = await pool.request({ path: PATHS.health, method: 'GET' });
  await body.dump();
  return statusCode;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function valid<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : result.refusal.message);
  return result.value;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it never became so');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
