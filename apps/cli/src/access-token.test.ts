import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { type ClientCredentials, createTokenSource, isPrivateWay } from './access-token.ts';

type Asked = { readonly authorization: string | undefined; readonly body: string };

/** An issuer that numbers its tokens; `answer` changes what it says. */
async function openIssuer(t: TestContext, answer: (count: number) => { status?: number; body: object }) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      if (request.url?.startsWith('/.well-known') || request.url?.endsWith('openid-configuration')) {
        const isOurs = request.url === '/realm/.well-known/openid-configuration';
        response.statusCode = isOurs ? 200 : 404;
        return response.end(JSON.stringify({ issuer: `${url}/realm`, token_endpoint: `${url}/token` }));
      }
      asked.push({ authorization: request.headers.authorization, body });
      const { status = 200, body: said } = answer(asked.length);
      response.statusCode = status;
      return response.end(JSON.stringify(said));
    });
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  return { asked, url };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}

function credentials(more: Partial<ClientCredentials>): ClientCredentials {
  return { clientId: 'ada@csd b', secret: () => ({ ok: true, value: 'a:secret' }), ...more };
}

test('one token is asked for, however many want one, and a new one shortly before its end', async (t) => {
  const issuer = await openIssuer(t, (count) => ({ body: { access_token: `t${count}`, expires_in: 100 } }));
  let now = 0;
  const source = createTokenSource(credentials({ tokenEndpoint: `${issuer.url}/token` }), () => now);
  const texts = await Promise.all(Array.from({ length: 5 }, () => source.token()));
  assert.deepEqual(
    texts.map((each) => each.ok && each.value),
    ['t1', 't1', 't1', 't1', 't1'],
  );
  const encoded = Buffer.from('ada%40csd+b:a%3Asecret').toString('base64');
  assert.deepEqual(issuer.asked, [{ authorization: `Basic ${encoded}`, body: 'grant_type=client_credentials' }]);
  now = 79_999;
  assert.deepEqual(await source.token(), { ok: true, value: 't1' });
  now = 80_000;
  assert.deepEqual(await source.token(), { ok: true, value: 't2' });
});

test('a token that was refused is not used again; one with a scope of its own disturbs nobody', async (t) => {
  const issuer = await openIssuer(t, (count) => ({ body: { access_token: `t${count}`, expires_in: 100 } }));
  const source = createTokenSource(credentials({ tokenEndpoint: `${issuer.url}/token` }));
  await source.token();
  source.refused('another');
  assert.deepEqual(await source.token(), { ok: true, value: 't1' });
  source.refused('t1');
  assert.deepEqual(await source.token(), { ok: true, value: 't2' });
  assert.deepEqual(await source.token('balances:read'), { ok: true, value: 't3' });
  assert.match(issuer.asked[2]?.body ?? '', /scope=balances%3Aread/);
  assert.deepEqual(await source.token(), { ok: true, value: 't2' });
});

test('an issuer is asked where its tokens are given, and must be the one that was named', async (t) => {
  const issuer = await openIssuer(t, () => ({ body: { access_token: 't' } }));
  const source = createTokenSource(credentials({ issuer: `${issuer.url}/realm` }));
  assert.deepEqual(await source.token(), { ok: true, value: 't' });
  const other = createTokenSource(credentials({ issuer: issuer.url }));
  const refused = await other.token();
  assert.ok(!refused.ok && refused.failure.exit === 6);
});

test('what an issuer refuses is told without the secret, and asked again the next time', async (t) => {
  const issuer = await openIssuer(t, (count) =>
    count === 1
      ? { status: 401, body: { error: 'invalid_client', error_description: 'client authentication failed' } }
      : { body: { access_token: 't' } },
  );
  const source = createTokenSource(credentials({ tokenEndpoint: `${issuer.url}/token` }));
  const refused = await source.token();
  assert.ok(!refused.ok && refused.failure.exit === 5);
  assert.match(refused.failure.detail, /client authentication failed/);
  assert.doesNotMatch(JSON.stringify(refused), /secret/);
  assert.ok((await source.token()).ok);
  const nobody = await createTokenSource(credentials({ tokenEndpoint: 'http://127.0.0.1:1/token' })).token();
  assert.ok(!nobody.ok && nobody.failure.exit === 6);
});

test('a secret goes by TLS, or stays on this machine', async () => {
  for (const safe of ['https://issuer.example', 'http://127.0.0.1:7401/oauth', 'http://[::1]:1', 'http://localhost'])
    assert.ok(isPrivateWay(safe), safe);
  for (const open of ['http://issuer.example', 'http://127.0.0.1.example', 'http://10.0.0.1', 'ftp://localhost', 'x'])
    assert.ok(!isPrivateWay(open), open);
  const refused = await createTokenSource(credentials({ tokenEndpoint: 'http://issuer.example/token' })).token();
  assert.ok(!refused.ok && refused.failure.exit === 2);
});
