import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDomesticWeb } from '@stand-in/domestic-web';
import { REFUSALS } from '../../systems/domestic-web/src/refusal.ts';
import type { Random } from '../torture/random.ts';
import { type ApiOperation, readDescription } from './api-description.ts';
import type { ApiTarget } from './fuzz-api.ts';
import { createJudge } from './judge.ts';
import type { Header, RequestMaker } from './make-request.ts';
import { createMaker, isRecord, type Schemas } from './schema-values.ts';

/** The stand-in for a domestic system, by its own OpenAPI document. */
export async function startDomesticWebTarget(): Promise<ApiTarget> {
  const dataDir = mkdtempSync(join(tmpdir(), 'linkspan-fuzz-domestic-'));
  const faults: unknown[] = [];
  const web = await startDomesticWeb(configOf(dataDir), { onFault: (fault) => faults.push(fault) });
  const tokens = await Promise.all(CLIENTS.map((client) => tokenOf(web.url, client)));
  const described = readDescription(await (await fetch(`${web.url}/openapi.json`)).json());
  const api = { ...described, operations: described.operations.map(withShortWaits) };
  const codes = new Map(Object.entries(REFUSALS).map(([code, [status]]) => [code, status]));
  return {
    name: 'domestic-web',
    port: Number(new URL(web.url).port),
    api,
    judge: createJudge({ api, codes, problem: { $ref: 'Problem' }, ownRefusals: /^\/oauth\/token/ }),
    maker: (random) => makerOf(random, api.schemas, tokens),
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

/** A long poll would hold up the fuzzer, which waits for nothing. */
const LONGEST_WAIT_MS = 10;

function withShortWaits(operation: ApiOperation): ApiOperation {
  const parameters = operation.parameters.map((each) =>
    each.name === 'waitMs' ? { ...each, schema: { type: 'integer', minimum: 0, maximum: LONGEST_WAIT_MS } } : each,
  );
  return { ...operation, parameters };
}

const SIGNATURES = ['1b', '1c', ''].map((v) => `0x${'5'.repeat(128)}${v}`);

function makerOf(random: Random, schemas: Schemas, tokens: readonly string[]): RequestMaker {
  const ids = [1, 2, 3, random.between(10, 900)].map((n) => `0x${String(n).padStart(64, '0')}`);
  const make = createMaker(random, schemas, (pattern, name) => {
    if (pattern.endsWith('{64}$')) return ids;
    if (pattern.endsWith('{0,128}$')) return SIGNATURES;
    if (name === 'from' || name === 'to' || name === 'id') return ['0042', '0099'];
    if (name === 'asset') return ['JPY', 'XS0000000009'];
    return name === 'trade' ? ['T-1', 'T-2'] : [];
  });
  const identity = (): readonly Header[] => [['authorization', `Bearer ${random.pick(tokens)}`]];
  return { make, bodies: () => [], identity };
}
