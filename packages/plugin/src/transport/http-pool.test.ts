import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { createHttpPool, type HttpPool } from './http-pool.ts';

test('an answer that comes byte by byte is none after its time', async (t) => {
  const { pool } = await poolTo(t, (response) => trickle(t, response));
  await assert.rejects(read(pool, 200), { code: 'ETIMEDOUT' });
});

test('closing ends what is under way, whatever the server does', async (t) => {
  const asked = Promise.withResolvers<void>();
  const { pool } = await poolTo(t, () => asked.resolve());
  const reading = read(pool, 600_000);
  await asked.promise;
  await Promise.all([assert.rejects(reading, /the connections were closed/), pool.close()]);
});

test('who asked may give up, before and while it is under way', async (t) => {
  const asked = Promise.withResolvers<void>();
  const { pool } = await poolTo(t, () => asked.resolve());
  await assert.rejects(read(pool, 600_000, AbortSignal.abort()), /given up/);
  const enough = new AbortController();
  const reading = read(pool, 600_000, enough.signal);
  await asked.promise;
  enough.abort();
  await assert.rejects(reading, /given up/);
});

test('an answer in time is read whole', async (t) => {
  const { pool } = await poolTo(t, (response) => response.end('whole'));
  assert.equal(await read(pool, 600_000), 'whole');
});

function read(pool: HttpPool, wholeMs: number, signal?: AbortSignal): Promise<string> {
  const request = { path: '/', method: 'GET' as const, ...(signal ? { signal } : {}) };
  return pool.exchange(request, wholeMs, ({ body }) => body.text());
}

/** One byte after the other, far more often than any limit on silence would mind. */
function trickle(t: TestContext, response: ServerResponse): void {
  const timer = setInterval(() => response.write('.'), 10);
  t.after(() => clearInterval(timer));
}

async function poolTo(t: TestContext, answer: (response: ServerResponse) => void): Promise<{ pool: HttpPool }> {
  const server = createServer((_, response) => answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const pool = createHttpPool({
    origin: `http://127.0.0.1:${address.port}`,
    connectTimeoutMs: 2_000,
    pool: { headersTimeout: 60_000, bodyTimeout: 60_000 },
  });
  t.after(async () => {
    await pool.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { pool };
}
