import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { after, before, test } from 'node:test';
import { ENDPOINTS, type Endpoint } from '@linkspan/protocol';
import { exportJWK, generateKeyPair, type GenerateKeyPairResult, type JWK, type JWTPayload, SignJWT } from 'jose';
import {
  accessToken,
  type Answer,
  get,
  post,
  problemOf,
  startTestNetwork,
  type TestNetwork,
  testSecret,
  until,
} from '../../apps/core-api/src/test-support.ts';
import { createAccessTokens } from '../../apps/core-api/src/authentication/access-tokens.ts';
import { createRemoteKeys } from '../../apps/core-api/src/authentication/remote-keys.ts';

/** An issuer as an organisation has one elsewhere: its keys at an address, and tokens that it signs. */
class Issuer {
  readonly #server: Server;
  readonly url: string;
  published: JWK[] = [];
  fetched = 0;

  constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(): Promise<Issuer> {
    const server = createServer((_, response) => {
      issuer.fetched += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: issuer.published }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const issuer = new Issuer(server, `http://127.0.0.1:${address.port}`);
    return issuer;
  }

  /** A new key, which is published. */
  async addKey(kid: string, alg: 'EdDSA' | 'ES256' | 'RS256' = 'EdDSA'): Promise<Key> {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
    this.published.push(jwk);
    return { privateKey, kid, alg, jwk };
  }

  close(): void {
    this.#server.close();
  }
}

type Key = {
  readonly privateKey: GenerateKeyPairResult['privateKey'];
  readonly kid: string;
  readonly alg: string;
  readonly jwk: JWK;
};

const AUDIENCE = 'https://api.central-bank-a.example';
const HOUR = 3600;

let issuer: Issuer;
let key: Key;
let network: TestNetwork;

before(async () => {
  issuer = await Issuer.open();
  key = await issuer.addKey('first');
  const at = { kind: 'issuer', issuer: issuer.url, jwks: `${issuer.url}/jwks`, audience: AUDIENCE } as const;
  network = await startTestNetwork(
    {},
    {},
    {
      'central-bank-a': at,
      // Nothing listens on port 1: an issuer that is silent for ever.
      'central-bank-b': { ...at, jwks: 'http://127.0.0.1:1/jwks' },
    },
  );
});

after(async () => {
  await network[Symbol.asyncDispose]();
  issuer.close();
});

test('a token of the configured issuer for this API is taken, with every algorithm that is allowed', async () => {
  assert.equal((await ask(await sign())).status, 200);
  const others = await Promise.all([issuer.addKey('es', 'ES256'), issuer.addKey('rs', 'RS256')]);
  await network.restart();
  for (const other of others) assert.equal((await ask(await sign({}, {}, other))).status, 200, other.alg);
});

test('whoever has no token is told what is needed, in the words of RFC 6750', async () => {
  const none = await ask(undefined);
  assert.deepEqual([none.status, problemOf(none).code], [401, 'token-missing']);
  assert.equal(none.headers.get('www-authenticate'), 'Bearer scope="settlements:read"');
  for (const authorization of ['Basic b3BlcmF0b3I6c2VjcmV0', 'Bearer', 'Bearer a b', `Token ${await sign()}`])
    assert.equal(problemOf(await askWith(authorization)).code, 'token-missing', authorization);
  const inQuery = await get(a(), `/settlements?access_token=${await sign()}`, null);
  assert.equal(inQuery.status, 401, 'an address is no place for a token');
});

test('every endpoint with a scope refuses who has no token, before it looks at anything else', async () => {
  const endpoints: Endpoint[] = Object.values(ENDPOINTS);
  for (const { method, path, scope } of endpoints) {
    const at = path.replaceAll(/:[a-z]+/g, 'x');
    const answer = method === 'GET' ? undefined : await post(a(), at, '{"', {}, null);
    const status = answer?.status ?? (await fetchStatus(a() + at));
    assert.equal(status === 401, scope !== undefined, `${method} ${path} ${status}`);
  }
});

test('a token that is not in order is refused, whatever is wrong with it', async () => {
  const now = Math.floor(Date.now() / 1000);
  const stranger = await new Issuer(createServer(), '').addKey('first');
  const unsigned = ['eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0', part(claims()), ''].join('.');
  const cases: Readonly<Record<string, string>> = {
    'another audience': await sign({ aud: 'https://api.csd-b.example' }),
    'another issuer': await sign({ iss: 'https://issuer.example' }),
    'a key that only has the same name': await sign({}, {}, stranger),
    'a key that nobody published': await sign({}, {}, { ...stranger, kid: 'unknown' }),
    expired: await sign({ exp: now - 60 }),
    'not valid yet': await sign({ nbf: now + HOUR }),
    'no expiry': await sign({ exp: undefined }),
    'no client': await sign({ client_id: undefined }),
    'no subject': await sign({ sub: undefined }),
    'a subject that steers terminals': await sign({ sub: '\u001b[2J' }),
    'an ID token': await sign({}, { typ: 'JWT' }),
    'no type': await sign({}, { typ: undefined }),
    unsigned,
    'signed with the public key as a secret': hmac(key.jwk.x ?? ''),
    'an unknown critical header': await sign({}, { crit: ['urn:x'], 'urn:x': 1 }),
    'no token at all': 'abc.def.ghi',
    'cut off': (await sign()).slice(0, -10),
  };
  for (const [what, token] of Object.entries(cases)) {
    const answer = await ask(token);
    assert.deepEqual([answer.status, problemOf(answer).code], [401, 'token-invalid'], what);
    assert.match(
      answer.headers.get('www-authenticate') ?? '',
      /^Bearer error="invalid_token", error_description="[^"]+", scope="settlements:read"$/,
      what,
    );
  }
});

test('clocks may differ by a few seconds, not more', async () => {
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await ask(await sign({ exp: now - 1, jti: 'a second' }))).status, 200);
  assert.equal((await ask(await sign({ nbf: now + 2, jti: 'two' }))).status, 200);
  assert.equal((await ask(await sign({ exp: now - 10 }))).status, 401);
});

test('what the scopes of a token do not name is forbidden', async () => {
  const reader = await sign({ scope: 'settlements:read' });
  assert.equal((await ask(reader)).status, 200);
  const lodging = await post(a(), '/instructions', '{}', { ...bearer(reader), 'idempotency-key': 'k' }, null);
  assert.deepEqual([lodging.status, problemOf(lodging).code], [403, 'scope-missing']);
  assert.equal(
    lodging.headers.get('www-authenticate'),
    'Bearer error="insufficient_scope", scope="instructions:write"',
  );
  for (const scope of ['', 'settlements', 'settlements:read2', 'SETTLEMENTS:READ'])
    assert.equal((await ask(await sign({ scope }))).status, 403, scope);
});

test('a token of one organisation is none of another, and the issuer gives no more than a client has', async () => {
  const csd = network.urls['csd-b'] ?? '';
  const own = await accessToken(csd, 'operator');
  assert.equal((await get(csd, '/settlements')).status, 200);
  assert.equal((await ask(own)).status, 401);
  assert.equal(problemOf(await get(csd, '/balances', 'monitor')).code, 'scope-missing');
  const answer = await askIssuer(csd, 'auditor', 'instructions:write');
  assert.deepEqual([answer.status, errorIn(answer)], [400, 'invalid_scope']);
  const stranger = await askIssuer(csd, 'nobody', undefined);
  assert.deepEqual([stranger.status, errorIn(stranger)], [401, 'invalid_client']);
  for (const path of ['/oauth/auth', '/oauth/me', '/oauth/session/end', '/oauth'])
    assert.equal((await get(csd, path, null)).status, 404, path);
});

test('a silent issuer is a fault that passes, told at once; what needs no token is served all the same', async () => {
  const b = network.urls['central-bank-b'] ?? '';
  const answer = await get(b, '/settlements', null);
  assert.equal(answer.status, 401, 'without a token nobody is asked');
  const asked = await askWith(`Bearer ${await sign()}`, b);
  assert.deepEqual(
    [asked.status, problemOf(asked).code, asked.headers.get('retry-after')],
    [503, 'issuer-unavailable', '1'],
  );
  assert.equal((await get(b, '/healthz', null)).status, 200);
});

test('the subject of the token stands in the history, the client owns the key', async () => {
  const maker = {
    ...bearer(await sign({ sub: 'mary@central-bank-a', client_id: 'workbench' })),
    'idempotency-key': 'k1',
  };
  const body = JSON.stringify(network.instruction('SUBJECT-1'));
  const lodged = await post(a(), '/instructions', body, maker, null);
  assert.equal(lodged.status, 202, JSON.stringify(lodged.body));
  const history = await askWith(`Bearer ${await sign()}`, a(), '/settlements/SUBJECT-1/history');
  assert.match(JSON.stringify(history.body), /"actor":"mary@central-bank-a"/);
  const again = await post(a(), '/instructions', body, maker, null);
  assert.deepEqual(again.body, lodged.body);
  const other = { ...bearer(await sign({ sub: 'mary@central-bank-a', client_id: 'batch' })), 'idempotency-key': 'k1' };
  const same = await post(a(), '/instructions', JSON.stringify(network.instruction('SUBJECT-2')), other, null);
  assert.equal(same.status, 202, 'another client has keys of its own');
});

test('F33 keys are exchanged while everything runs: a new one is fetched when it is first met, the old one ends', async () => {
  const rotating = await Issuer.open();
  const old = await rotating.addKey('old');
  const tokens = createAccessTokens({
    issuer: () => rotating.url,
    audience: AUDIENCE,
    keys: createRemoteKeys(`${rotating.url}/jwks`, { cooldownMs: 0 }),
    now: Date.now,
  });
  const signed = (by: Key, jti: string) => sign({ iss: rotating.url, jti }, {}, by);
  assert.ok((await tokens.check(await signed(old, '1'))).ok);
  rotating.published = [];
  const next = await rotating.addKey('next');
  assert.ok((await tokens.check(await signed(next, '2'))).ok);
  const late = await tokens.check(await signed(old, '3'));
  assert.ok(!late.ok && late.refusal.code === 'token-invalid');
  rotating.close();
});

test('tokens that name unknown keys cost the issuer one request, not one each', async () => {
  const before = issuer.fetched;
  const stranger = await new Issuer(createServer(), '').addKey('x');
  const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => sign({}, {}, { ...stranger, kid: `k${i}` })));
  const answers = await Promise.all(tokens.map(ask));
  assert.ok(answers.every(({ status }) => status === 401));
  assert.ok(issuer.fetched - before <= 1, `${issuer.fetched - before} requests`);
});

test('a stream ends with the token that it was opened with', async () => {
  const exp = Math.floor(Date.now() / 1000) - 3;
  const response = await fetch(`${a()}/events`, { headers: bearer(await sign({ exp, jti: 'short' })) });
  assert.equal(response.status, 200);
  const text = response.text();
  assert.match(await text, /^retry: /, 'it came to its end by itself');
  const late = await until(
    () => ask(sign({ exp, jti: 'short' })),
    ({ status }) => status === 401,
  );
  assert.equal(problemOf(late).code, 'token-invalid');
});

function a(): string {
  return network.urls['central-bank-a'] ?? '';
}

function ask(token: string | Promise<string> | undefined): Promise<Answer> {
  return Promise.resolve(token).then((text) => askWith(text === undefined ? undefined : `Bearer ${text}`));
}

function askWith(authorization: string | undefined, url = a(), path = '/settlements'): Promise<Answer> {
  return requestWith(`${url}${path}`, authorization === undefined ? {} : { headers: { authorization } });
}

async function requestWith(address: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(address, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function fetchStatus(address: string): Promise<number> {
  const response = await fetch(address);
  await response.body?.cancel();
  return response.status;
}

function askIssuer(url: string, client: string, scope: string | undefined): Promise<Answer> {
  const secret = testSecret(client);
  const headers = { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` };
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  return requestWith(`${url}/oauth/token`, { method: 'POST', headers, body });
}

function errorIn({ body }: Answer): unknown {
  return typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function claims(change: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer.url,
    aud: AUDIENCE,
    exp: now + HOUR,
    iat: now,
    jti: 'one',
    sub: 'ada@central-bank-a',
    client_id: 'workbench',
    scope: 'settlements:read instructions:write',
    ...change,
  };
}

/** A token that is in order but for what is changed. */
function sign(change: Readonly<Record<string, unknown>> = {}, header: object = {}, by: Key = key): Promise<string> {
  const { alg, kid, privateKey } = by;
  return new SignJWT(claims(change)).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(privateKey, {
    crit: { 'urn:x': true },
  });
}

/** Whoever takes the algorithm from the token could be made to check a signature with the public key as a shared secret. */
function hmac(secret: string): string {
  const signed = `${part({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${part(claims())}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
