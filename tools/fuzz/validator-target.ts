import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLiveFiles, generateEd25519PrivateKey, writeKeyFile } from '@linkspan/keys';
import { ERRORS, hashOf, operationSchema, signedCertificateSchema } from '@linkspan/protocol';
import { PATHS } from '@linkspan/plugin';
import { loadConfig, startValidator } from '@linkspan/validator';
import { pino } from 'pino';
import { z } from 'zod';
import type { Random } from '../torture/random.ts';
import type { ApiOperation } from './api-description.ts';
import { startDomesticWebTarget } from './domestic-web-target.ts';
import type { ApiTarget } from './fuzz-api.ts';
import { createJudge } from './judge.ts';
import type { RequestMaker } from './make-request.ts';
import { createMaker } from './schema-values.ts';

const NETWORK = hashOf({ fuzzed: 'network' });

/** A validator of the stand-in for an RTGS. It has no OpenAPI document, so that its paths and forms are named here. */
export async function startValidatorTarget(): Promise<ApiTarget> {
  await using opened = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-fuzz-validator-'));
  opened.defer(() => rmSync(directory, { recursive: true, force: true }));
  const system = opened.use(await startDomesticWebTarget());
  const keyFile = join(directory, 'key.json');
  writeKeyFile(keyFile, { ed25519: generateEd25519PrivateKey() });
  const connector = {
    kind: 'web-api',
    baseUrl: `http://127.0.0.1:${system.port}`,
    clientId: 'executor',
    clientSecret: 'executor secret',
    assets: [{ id: 'JPY', kind: 'cash', currency: 'JPY' }],
  };
  const document = { mode: 'development', network: NETWORK, system: 'rtgs', listen: { port: 0 }, keyFile, connector };
  const files = { ...createLiveFiles({ now: Date.now }), text: () => JSON.stringify(document) };
  const config = await loadConfig({}, files, 'validator.json');
  assert.ok(config.ok, config.ok ? '' : config.refusal.message);
  const running = opened.use(await startValidator(config.value, pino({ level: 'silent' })));
  const api = { operations: OPERATIONS, schemas: {} };
  const codes = new Map(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
  const closing = opened.move();
  return {
    name: 'validator',
    port: Number(new URL(running.url).port),
    api,
    judge: createJudge({ api, codes, problem: PROBLEM }),
    maker: makerOf,
    async alive() {
      const health = await fetch(`${running.url}${PATHS.health}`);
      assert.equal(health.status, 200);
      await system.alive();
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function schemaOf(type: z.ZodType): unknown {
  return z.toJSONSchema(type, { io: 'input' });
}

const OPERATION = schemaOf(operationSchema);
const CERTIFICATE = schemaOf(signedCertificateSchema);
const WAIT = { type: 'integer', minimum: 0, maximum: 5 };
const PROBLEM = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'code', 'detail'],
};
const REQUEST = { operation: OPERATION, certificate: CERTIFICATE, waitMs: WAIT };

function post(id: keyof typeof PATHS, properties: object, required: readonly string[]): ApiOperation {
  const any = { media: 'application/json', schema: { type: 'object' } };
  return {
    id,
    method: 'POST',
    path: PATHS[id],
    parameters: [],
    body: { type: 'object', properties, required, additionalProperties: false },
    example: undefined,
    answers: new Map([
      ['200', any],
      ['202', any],
      ['503', any],
    ]),
  };
}

const OPERATIONS: readonly ApiOperation[] = [
  post('submit', REQUEST, ['operation', 'waitMs']),
  post('attest', { operation: OPERATION, waitMs: WAIT }, ['operation', 'waitMs']),
  post('fence', { ...REQUEST, reason: { type: 'string', pattern: '^[A-Z0-9]{4}$' } }, [
    'operation',
    'reason',
    'waitMs',
  ]),
  post(
    'read',
    {
      nonce: { type: 'string', pattern: '^[0-9A-Za-z_-]{1,64}$' },
      query: {
        oneOf: [
          { type: 'object', properties: { type: { const: 'health' } }, required: ['type'] },
          {
            type: 'object',
            properties: { type: { const: 'balances' }, accounts: { type: 'array', items: { type: 'string' } } },
            required: ['type'],
          },
        ],
      },
    },
    ['nonce', 'query'],
  ),
  {
    id: 'observations',
    method: 'GET',
    path: PATHS.observations,
    parameters: [
      { name: 'after', in: 'query', required: false, schema: { type: 'string', pattern: '^[0-9A-Za-z._-]{1,64}$' } },
      {
        name: 'settlement',
        in: 'query',
        required: false,
        schema: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
      },
      {
        name: 'operations',
        in: 'query',
        required: false,
        schema: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
      },
      { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
    ],
    body: undefined,
    example: undefined,
    answers: new Map([
      ['200', { media: 'text/event-stream', schema: undefined }],
      ['503', { media: '', schema: undefined }],
    ]),
  },
  {
    id: 'health',
    method: 'GET',
    path: PATHS.health,
    parameters: [],
    body: undefined,
    example: undefined,
    answers: new Map([['200', { media: 'application/json', schema: { type: 'object' } }]]),
  },
];

function makerOf(random: Random): RequestMaker {
  const ids = [1, 2, 3].map((n) => hashOf({ fuzzed: n }));
  const make = createMaker(random, {}, (pattern, name) => {
    if (name === 'network') return [NETWORK];
    if (name === 'system') return ['rtgs'];
    return pattern.includes('sha256') ? ids : [];
  });
  const terms = { from: 'rtgs:0042', to: 'rtgs:0099', amount: '1', currency: 'JPY' };
  const hold = {
    id: hashOf({ hold: random.between(1, 500) }),
    network: NETWORK,
    settlement: random.pick(ids),
    system: 'rtgs',
    verb: 'hold',
    terms,
  };
  const awaited = {
    ...hold,
    verb: 'await',
    terms: { filter: 'cash-transfer', trade: 'T', from: 'rtgs:0042', to: 'rtgs:0099' },
  };
  return {
    make,
    bodies: ({ id }) => {
      if (id === 'read') return [{ nonce: 'n', query: { type: 'balances' } }];
      const waits = { waitMs: 1 };
      return [hold, awaited, { ...hold, verb: 'execute', terms: { hold: random.pick(ids) } }].map((operation) => ({
        operation,
        ...waits,
        ...(id === 'fence' ? { reason: 'NARR' } : {}),
      }));
    },
    identity: () => [],
  };
}
