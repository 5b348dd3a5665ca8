import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test, type TestContext } from 'node:test';
import { constant, Fault } from '@linkspan/protocol';
import { createWebClient, type WebClient } from './web-client.ts';

const GET = { method: 'GET', path: '/thing' } as const;

test('one token serves many requests, and is renewed before it ends', async (t) => {
  const system = await startAuthority(t);
  const clock = { nowMs: 0 };
  const client = open(t, system.url, () => clock.nowMs);
  await Promise.all([client.send(GET), client.send(GET), client.send(GET)]);
  assert.equal(system.issued(), 1);
  clock.nowMs = 481_000;
  await client.send(GET);
  assert.equal(system.issued(), 2);
});

test('a token that the system has forgotten is renewed once; a client that it does not know is a fault', async (t) => {
  const system = await startAuthority(t);
  const client = open(t, system.url, () => 0);
  await client.send(GET);
  system.forget();
  assert.equal((await client.send(GET)).status, 200);
  assert.equal(system.issued(), 2);
  const stranger = open(t, system.url, () => 0, 'wrong');
  await assert.rejects(
    stranger.send(GET),
    (error) => error instanceof Fault && error.code === 'system-unavailable' && !error.mayHaveHappened,
  );
});

test('a token that is over at once, or never says when, is used all the same and not asked for without end', async (t) => {
  for (const expiresIn of [0, -1, 'soon', null, 1e300]) {
    const system = await startAuthority(t, expiresIn);
    const client = open(t, system.url, () => 0);
    assert.equal((await client.send(GET)).status, 200);
    assert.equal(system.issued(), 1);
  }
});

test('an answer that says "not now" is a fault, any other refusal a value', async (t) => {
  const system = await startAuthority(t);
  const client = open(t, system.url, () => 0);
  for (const status of [500, 503, 429]) {
    await assert.rejects(
      client.send({ method: 'GET', path: `/status/${status}` }),
      (error) => error instanceof Fault && error.mayHaveHappened,
    );
  }
  assert.deepEqual(await client.send({ method: 'GET', path: '/status/409' }), { status: 409, body: 'no JSON' });
});

function open(t: TestContext, baseUrl: string, now: () => number, secret = 'secret'): WebClient {
  const client = createWebClient({
    system: 'rtgs',
    baseUrl,
    tokenPath: '/token',
    clientId: 'me',
    clientSecret: constant(secret),
    timeoutMs: 5_000,
    now,
  });
  t.after(() => client.close());
  return client;
}

/** A system's authorisation, and a resource behind it: tokens of ten minutes, forgotten when told. */
async function startAuthority(
  t: TestContext,
  expiresIn: unknown = 600,
): Promise<{ url: string; issued: () => number; forget: () => void }> {
  let count = 0;
  let valid = new Set<string>();
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    if (request.url === '/token') {
      if (authorization !== `Basic ${Buffer.from('me:secret').toString('base64')}`)
        return response.writeHead(401).end('{}');
      const token = `token-${++count}`;
      valid.add(`Bearer ${token}`);
      return response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: expiresIn }));
    }
    if (!valid.has(authorization ?? '')) return response.writeHead(401).end('{}');
    const status = Number(/^\/status\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 200);
    return response.writeHead(status).end(status === 200 ? '{"thing":1}' : 'no JSON');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    issued: () => count,
    forget: () => {
      valid = new Set();
    },
  };
}
