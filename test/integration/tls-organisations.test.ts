import assert from 'node:assert/strict';
import { connect, type TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { type CoreApiConfig, startCoreApi } from '@linkspan/core-api';
import { createLiveFiles, type LiveFiles } from '@linkspan/keys';
import { createHttpPool } from '@linkspan/plugin';
import { ENDPOINTS, Fault, hashOf, type Result, type TlsCredentials } from '@linkspan/protocol';
import { pino } from 'pino';
import { createHttpPeers } from '../../apps/core-api/src/http-peers.ts';
import { testConfig } from '../../apps/core-api/src/test-support.ts';
import { createAuthority } from '../../apps/cli/src/certificates/certificate-authority.ts';
import { openTlsFolder, type TlsFolder } from './tls-files.ts';

const nameOf = (organisation: string): string => `urn:test:organisation:${organisation}`;
const namesOf = (organisation: string) => ({ uri: [nameOf(organisation)], ip: ['127.0.0.1'] });
const PROPOSAL = hashOf('a proposal that nobody has');

test('endpoints for organisations are for other organisations, known by their certificates', async () => {
  await using scene = await openScene();
  const { folder } = scene;
  const ask: Scene['ask'] = (organisation, client, endpoint) => scene.ask(organisation, client, endpoint);
  const csd = (await folder.authority.issue({ names: namesOf('csd-b') })) satisfies TlsCredentials;
  assert.notEqual(await ask('central-bank-a', csd), 403, 'another organisation');
  assert.equal(await ask('csd-b', csd), 403, 'the organisation itself is no other');
  const service = await folder.authority.issue({ names: { uri: ['urn:test:organisation:csd'], dns: ['csd-b'] } });
  assert.equal(await ask('central-bank-a', service), 403, 'another service of the same authority');
  const impersonator = await (await createAuthority('a stranger')).issue({ names: namesOf('csd-b') });
  assert.equal(await ask('central-bank-a', impersonator), 403, 'the right name by another authority');
  assert.equal(await ask('central-bank-a', {}), 403, 'nobody');
  assert.equal(await ask('central-bank-a', {}, 'health'), 200, 'what is for everyone needs no certificate');
});

test('a connection that is resumed does not pass for one with a certificate', async () => {
  await using scene = await openScene();
  const options = {
    host: '127.0.0.1',
    port: Number(new URL(scene.urls['csd-b'] ?? '').port),
    ca: scene.folder.authority.cert,
  };
  const first = await opened(connect({ ...options, checkServerIdentity: () => undefined }));
  const session = first.getSession();
  first.destroy();
  assert.ok(session);
  const second = await opened(connect({ ...options, session, checkServerIdentity: () => undefined }));
  assert.equal(second.isSessionReused(), false);
  second.destroy();
});

test('an organisation is asked only where it proves to be the one that is meant, also while certificates are renewed', async () => {
  await using scene = await openScene();
  const { folder, files, urls } = scene;
  const tls = valid(files.tls(await folder.issue('asker', { names: namesOf('csd-b') }), 'client'));
  await using impostor = createHttpPeers({ 'central-bank-a': urls['central-bank-b'] ?? '' }, { tls, names: NAMES });
  assert.equal(await impostor.answers('central-bank-a'), false);
  await using peers = createHttpPeers(urls, { tls, names: NAMES });
  const asked = { times: 0 };
  const going = { on: true };
  const flow = Array.from({ length: 4 }, async () => {
    for (; going.on; asked.times++) {
      const failure = await peers.askShares('central-bank-a', PROPOSAL).catch((error: unknown) => error);
      // The proposal is unknown, which the other side can only say to whom it knows.
      if (failure instanceof Fault) assert.match(String(failure.cause), /HTTP 404/);
    }
  });
  for (let i = 0; i < 3; i++) {
    const enough = asked.times + 20;
    await folder.issue('central-bank-a', { names: namesOf('central-bank-a') });
    await folder.issue('asker', { names: namesOf('csd-b') });
    files.reread();
    while (asked.times < enough) await Promise.race([new Promise((resolve) => setImmediate(resolve)), ...flow]);
  }
  going.on = false;
  await Promise.all(flow);
  assert.deepEqual(files.state().broken, []);
});

const ORGANISATIONS = ['central-bank-a', 'central-bank-b', 'csd-b'];
const NAMES = Object.fromEntries(ORGANISATIONS.map((id) => [id, nameOf(id)]));

type Scene = AsyncDisposable & {
  readonly folder: TlsFolder;
  readonly files: LiveFiles;
  readonly urls: Readonly<Record<string, string>>;
  ask(organisation: string, client: TlsCredentials, endpoint?: 'ask-shares' | 'health'): Promise<number>;
};

async function openScene(): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openTlsFolder());
  const files = opened.use(createLiveFiles({ now: Date.now }));
  const log = pino({ level: 'silent' });
  const onBroken = (error: Error): void => queueMicrotask(() => assert.fail(error));
  const running = opened.use(await startCoreApi(await secured(folder, files), { log, now: Date.now, onBroken }));
  const { urls } = running;
  const ca = folder.authority.cert;
  const closing = opened.move();
  return {
    folder,
    files,
    urls,
    async ask(organisation, client, endpoint = 'ask-shares') {
      const current = { ...client, ca };
      const tls = { current: () => current, onChange: () => () => undefined };
      const origin = urls[organisation] ?? '';
      const pool = createHttpPool({ origin, tls, serverName: nameOf(organisation), connectTimeoutMs: 2_000, pool: {} });
      const { method, path } = ENDPOINTS[endpoint];
      const body = method === 'POST' ? JSON.stringify({ proposal: PROPOSAL }) : null;
      const headers = method === 'POST' ? { 'content-type': 'application/json' } : {};
      const response = await pool.request({ method, path, headers, body });
      await response.body.dump();
      await pool.close();
      return response.statusCode;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function secured(folder: TlsFolder, files: LiveFiles): Promise<CoreApiConfig> {
  const config = testConfig(folder.path);
  const organisations = [];
  for (const one of config.organisations) {
    const paths = await folder.issue(one.id, { names: namesOf(one.id) });
    const tls = valid(files.tls(paths, 'server'));
    organisations.push({ ...one, listen: { ...one.listen, tls }, client: valid(files.tls(paths, 'client')) });
  }
  return { ...config, organisations, peers: Object.fromEntries(ORGANISATIONS.map((id) => [id, { name: nameOf(id) }])) };
}

async function opened(socket: TLSSocket): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  socket.once('error', reject);
  // A server of TLS 1.3 offers a session after the handshake, with its first answer at the latest.
  socket.once('data', () => resolve(socket));
  socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
  return promise;
}

function valid<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : result.refusal.message);
  return result.value;
}
