import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDomesticWeb } from '@stand-in/domestic-web';
import { REFUSALS } from '../../systems/domestic-web/src/refusal.ts';
import type { Random } from '../torture/random.ts';
import type { ApiOperation } from './api-description.ts';
import type { ApiTarget } from './fuzz-api.ts';
import { createJudge } from './judge.ts';
import type { Header, RequestMaker } from './make-request.ts';
import { createMaker, isRecord } from './schema-values.ts';

/** The stand-in for a domestic system. It has no OpenAPI document, so that its paths and forms are named here. */
export async function startDomesticWebTarget(): Promise<ApiTarget> {
  const dataDir = mkdtempSync(join(tmpdir(), 'linkspan-fuzz-domestic-'));
  const faults: unknown[] = [];
  const web = await startDomesticWeb(configOf(dataDir), { onFault: (fault) => faults.push(fault) });
  const tokens = await Promise.all(CLIENTS.map((client) => tokenOf(web.url, client)));
  const api = { operations: OPERATIONS, schemas: {} };
  const codes = new Map(Object.entries(REFUSALS).map(([code, [status]]) => [code, status]));
  return {
    name: 'domestic-web',
    port: Number(new URL(web.url).port),
    api,
    judge: createJudge({ api, codes, problem: PROBLEM, ownRefusals: /^\/oauth\/token/ }),
    maker: (random) => makerOf(random, tokens),
    async alive() {
      assert.equal((await fetch(`${web.url}/healthz`)).status, 200);
      assert.deepEqual(faults, []);
    },
    async [Symbol.asyncDispose]() {
      await web.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

const CLIENTS = ['executor', 'kita', 'reader'] as const;

function configOf(dataDir: string): Parameters<typeof startDomesticWeb>[0] {
  return {
    name: 'rtgs',
    port: 0,
    dataDir,
    certificates: { network: `0x${'1'.repeat(64)}`, epoch: 1, quorum: 1, signers: [`0x${'2'.repeat(40)}`] },
    clients: [
      { id: 'executor', secret: 'executor secret', roles: ['executor'] },
      { id: 'kita', secret: 'kita secret', roles: ['participant'] },
      { id: 'reader', secret: 'reader secret', roles: ['reader'] },
    ],
    assets: [
      { id: 'JPY', kind: 'cash', digits: 0 },
      { id: 'XS0000000009', kind: 'securities', digits: 0 },
    ],
    accounts: [
      {
        id: '0042',
        name: 'Kita Bank',
        operators: ['executor', 'kita'],
        positions: { JPY: '100000000', XS0000000009: '500' },
      },
      { id: '0099', name: 'Minami Bank', operators: ['executor'], positions: { JPY: '50' } },
    ],
  };
}

async function tokenOf(url: string, client: string): Promise<string> {
  const authorization = `Basic ${Buffer.from(`${client}:${encodeURIComponent(`${client} secret`)}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', headers, body: 'grant_type=client_credentials' });
  const body: unknown = await answer.json();
  assert.ok(isRecord(body) && typeof body['access_token'] === 'string');
  return body['access_token'];
}

const ID = { type: 'string', pattern: '^0x[0-9a-f]{64}$' };
const NAME = { type: 'string', pattern: '^[0-9A-Za-z._-]{1,35}$' };
const AMOUNT = { type: 'string', pattern: '^[1-9][0-9]{0,18}$' };
const TRADE = { type: 'string', pattern: '^[0-9A-Za-z][0-9A-Za-z/._-]{0,63}$' };
const TERMS = { from: NAME, to: NAME, asset: NAME, amount: AMOUNT };
const KEY = { filter: { enum: ['cash-transfer', 'dvp'] }, trade: TRADE, from: NAME, to: NAME };
const REASON = { type: 'string', pattern: '^[A-Z0-9]{4}$' };
const CERTIFICATE = {
  type: 'object',
  properties: {
    certificate: object({
      network: ID,
      settlement: ID,
      kind: { enum: ['proceed', 'commit', 'abort', 'fence'] },
      scenario: ID,
      head: ID,
      count: { type: 'integer' },
      epoch: { type: 'integer', minimum: 1, maximum: 3 },
      operations: { type: 'array', items: ID },
    }),
    block: { type: 'integer' },
    path: object({
      index: { type: 'integer', maximum: 3 },
      size: { type: 'integer', maximum: 4 },
      hashes: { type: 'array', items: ID },
    }),
    signatures: { type: 'array', items: { type: 'string', pattern: '^0x[0-9a-f]{128}(1b|1c)$' } },
  },
  required: ['certificate', 'block', 'path', 'signatures'],
};
const PROBLEM = object({
  type: { type: 'string' },
  title: { type: 'string' },
  status: { type: 'integer' },
  code: { type: 'string' },
  detail: { type: 'string' },
});
const ANY = { media: 'application/json', schema: { type: 'object' } };

function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []): object {
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) };
}

function operation(
  method: string,
  path: string,
  body?: object,
  query: Readonly<Record<string, unknown>> = {},
): ApiOperation {
  const inPath = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: path.startsWith('/accounts') ? NAME : ID,
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: 'query', required: name in KEY, schema }));
  return {
    id: `${method} ${path}`,
    method,
    path,
    parameters: [...inPath, ...inQuery],
    body,
    example: undefined,
    answers: new Map([
      ['200', ANY],
      ['201', ANY],
      ['202', ANY],
    ]),
  };
}

const CLOSE = object({ operation: ID, certificate: CERTIFICATE }, ['operation', 'certificate']);
const OPERATIONS: readonly ApiOperation[] = [
  operation('GET', '/healthz'),
  operation('POST', '/oauth/token', object({ grant_type: { type: 'string' } })),
  operation('GET', '/assets'),
  operation('GET', '/accounts'),
  operation('GET', '/accounts/{id}'),
  operation('POST', '/holds', object({ id: ID, settlement: ID, ...TERMS })),
  operation('GET', '/holds/{id}'),
  operation('POST', '/holds/{id}/execute', CLOSE),
  operation('POST', '/holds/{id}/deliver', CLOSE),
  operation('POST', '/holds/{id}/release', CLOSE),
  operation('POST', '/transfers', object({ id: ID, trade: TRADE, ...TERMS }, ['trade'])),
  operation('GET', '/transfers/{id}'),
  operation(
    'POST',
    '/operations/{id}/fence',
    object({ reason: REASON, certificate: CERTIFICATE, await: object(KEY) }, ['certificate', 'await']),
  ),
  operation('GET', '/operations/{id}'),
  operation(
    'POST',
    '/dvp',
    object({ id: ID, trade: TRADE, security: object(TERMS), cash: object(TERMS), hold: { type: 'boolean' } }, ['hold']),
  ),
  operation(
    'POST',
    '/dvp/try',
    object({ operation: ID, settlement: ID, trade: TRADE, from: NAME, to: NAME, certificate: CERTIFICATE }, [
      'certificate',
    ]),
  ),
  operation('GET', '/awaited/{id}', undefined, KEY),
  operation('GET', '/events', undefined, {
    after: { type: 'integer' },
    limit: { type: 'integer', minimum: 1, maximum: 1000 },
    waitMs: { type: 'integer', maximum: 10 },
  }),
  operation(
    'POST',
    '/epochs',
    object({ epoch: { type: 'object' }, signatures: { type: 'array', items: { type: 'string' } } }),
  ),
];

function makerOf(random: Random, tokens: readonly string[]): RequestMaker {
  const ids = [1, 2, 3, random.between(10, 900)].map((n) => `0x${String(n).padStart(64, '0')}`);
  const make = createMaker(random, {}, (pattern, name) => {
    if (pattern === ID.pattern) return ids;
    if (name === 'from' || name === 'to' || name === 'id') return ['0042', '0099'];
    if (name === 'asset') return ['JPY', 'XS0000000009'];
    return name === 'trade' ? ['T-1', 'T-2'] : [];
  });
  const identity = (): readonly Header[] => [['authorization', `Bearer ${random.pick(tokens)}`]];
  return { make, bodies: () => [], identity };
}
