import assert from 'node:assert/strict';
import { ERRORS } from '@linkspan/protocol';
import {
  accessToken,
  authorization,
  lodge,
  SIDES,
  startTestNetwork,
  type TestNetwork,
} from '../../apps/core-api/src/test-support.ts';
import type { Random } from '../torture/random.ts';
import { readDescription } from './api-description.ts';
import type { ApiTarget } from './fuzz-api.ts';
import { createJudge } from './judge.ts';
import type { Header, RequestMaker } from './make-request.ts';
import { createMaker, isRecord, listOf } from './schema-values.ts';

/** Limits that no fuzzer reaches: what they do is tested by itself. */
const NO_LIMITS = { requestsPerSecond: 1_000_000, burst: 1_000_000, concurrent: 10_000 };

/** The API of one organisation of the sample network, with a few proposals and a settlement on its ledger. */
export async function startCoreApiTarget(): Promise<ApiTarget> {
  const network = await startTestNetwork({}, { limits: NO_LIMITS });
  const url = network.urls['central-bank-a'] ?? '';
  for (const trade of ['F-1', 'F-2', 'F-3']) {
    const instruction = network.instruction(trade);
    for (const side of trade === 'F-3' ? SIDES.slice(0, 1) : SIDES) {
      const lodged = await lodge(network.urls[side] ?? '', instruction, `${trade} ${side}`);
      assert.equal(lodged.status, 202, JSON.stringify(lodged.body));
    }
  }
  const description = readDescription(await json(`${url}/openapi.json`));
  const tokens = await Promise.all(
    ['operator', 'operator', 'auditor', 'monitor'].map((client) => accessToken(url, client)),
  );
  const ids = await knownIds(url);
  const codes = new Map(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
  const problem = { $ref: 'Problem' };
  return {
    name: 'core-api',
    port: Number(new URL(url).port),
    api: description,
    judge: createJudge({ api: description, codes, problem }),
    maker: (random) => makerOf(random, network, ids, description.schemas, tokens),
    async alive() {
      const health = await json(`${url}/healthz`);
      assert.ok(isRecord(health) && health['status'] === 'up');
      assert.ok((await knownIds(url)).hashes.length >= ids.hashes.length, 'what was lodged is still there');
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

type Known = { readonly hashes: readonly string[]; readonly references: readonly string[] };

async function knownIds(url: string): Promise<Known> {
  const page = await json(`${url}/settlements`);
  const scenarios = await json(`${url}/scenarios`);
  const listed = isRecord(page) ? listOf(page['settlements']) : [];
  const hashes = listed.flatMap((each) => (isRecord(each) ? [String(each['id']), String(each['proposal'])] : []));
  const proposed = isRecord(scenarios) ? listOf(scenarios['scenarios']) : [];
  return { hashes, references: proposed.flatMap((each) => (isRecord(each) ? [String(each['reference'])] : [])) };
}

function makerOf(
  random: Random,
  network: TestNetwork,
  ids: Known,
  schemas: Readonly<Record<string, unknown>>,
  tokens: readonly string[],
): RequestMaker {
  const make = createMaker(random, schemas, (pattern, name) => {
    if (name === 'id') return [...ids.hashes, 'F-1', 'F-2', 'F-3', 'nobody'];
    if (name === 'reference') return ids.references;
    if (pattern.includes('sha256')) return ids.hashes;
    return name === 'from' || name === 'to' || name.startsWith('opened') ? INSTANTS : [];
  });
  const trade = `F-${random.between(1, 400)}`;
  return {
    make,
    bodies: ({ id }) => (id === 'lodge' ? [network.instruction(trade)] : []),
    identity: () => callerHeaders(random, tokens),
  };
}

const INSTANTS = ['2020-01-01T00:00:00Z', '2030-01-01T00:00:00.000Z', '2026-11-24T15:00:00+09:00'];

/** Who asks: somebody with a token of the API's own issuer, mostly a right one. */
function callerHeaders(random: Random, tokens: readonly string[]): readonly Header[] {
  const token = random.pick(tokens);
  if (random.chance(0.9)) return [['authorization', `Bearer ${token}`]];
  const at = random.between(0, token.length - 1);
  const parts = token.split('.');
  const forged = Buffer.from(
    JSON.stringify({ alg: random.pick(['none', 'HS256', 'EdDSA', 7]), kid: random.pick(['x', '../key', {}, null]) }),
  ).toString('base64url');
  const broken = [
    token.slice(0, at),
    `${token.slice(0, at)}_${token.slice(at + 1)}`,
    `${forged}.${parts[1] ?? ''}.${parts[2] ?? ''}`,
    `${parts[0] ?? ''}.${Buffer.from('{"exp":1e999}').toString('base64url')}.${parts[2] ?? ''}`,
    `${token}.x`,
  ];
  return [['authorization', `Bearer ${random.pick(broken)}`]];
}

async function json(url: string): Promise<unknown> {
  const response = await fetch(url, { headers: await authorization(new URL(url).origin) });
  assert.equal(response.status, 200, url);
  return response.json();
}
