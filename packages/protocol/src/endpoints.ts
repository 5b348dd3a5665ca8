import { z } from 'zod';
import {
  acknowledgedSchema,
  balancesBodySchema,
  certificatesBodySchema,
  evidenceBodySchema,
  healthBodySchema,
  historyBodySchema,
  lodgedSchema,
  networkBodySchema,
  openApiBodySchema,
  readinessBodySchema,
  registeredSchema,
  registrationSchema,
  resolveBodySchema,
  scenarioBodySchema,
  scenariosBodySchema,
  settlementBodySchema,
  settlementPageSchema,
  sharesAnswerSchema,
  sharesBodySchema,
  sharesRequestSchema,
  statementsBodySchema,
  systemsBodySchema,
} from './api.ts';
import {
  changeAnswerSchema,
  changesBodySchema,
  confirmedSchema,
  epochsBodySchema,
  proposeChangeBodySchema,
} from './change-bodies.ts';
import { PHASES } from './change.ts';
import { identifierSchema } from './genesis.ts';
import { hashSchema } from './hash.ts';
import { parseInstant } from './instant.ts';
import { dvpInstructionSchema } from './instruction.ts';
import type { Scope } from './scopes.ts';

/**
 * Every endpoint of the CoreAPI, declared once: server, clients, OpenAPI and reference follow from here.
 * `for` says who calls it: people and programs of the organisation, or other organisations. `scope` is what their access token must permit;
 * without one no token is asked for.
 */
export type Endpoint = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly for: 'operators' | 'organisations' | 'everyone';
  readonly scope?: Scope;
  readonly title: string;
  readonly status: number;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  /** The form that a body should have, where any is taken so that everything wrong with it can be said at once. */
  readonly form?: z.ZodType;
  readonly answer?: z.ZodType;
  /** The media type of an answer that is no JSON. */
  readonly media?: string;
  /** A stream of server-sent events instead of one answer. */
  readonly stream?: true;
};

const limit = wholeNumber(1, 500, 'a whole number from 1 to 500');
/** Above it a number is no longer exact. */
const after = wholeNumber(0, Number.MAX_SAFE_INTEGER, 'the number of an entry');
const instant = z
  .string()
  .max(40)
  .refine((text) => parseInstant(text).ok, 'an instant such as 2026-11-24T00:00:00Z');

function wholeNumber(least: number, most: number, words: string) {
  return z.coerce.number(words).int(words).min(least, words).max(most, words).optional();
}

/** A cursor is a key of the contract's index; anything else could lead a reader of ranges out of that index. */
const CURSOR = /^by-opening\/[0-9]{15}\/sha256:[0-9a-f]{64}$/;

export const ENDPOINTS = {
  lodge: {
    method: 'POST',
    path: '/instructions',
    for: 'operators',
    scope: 'instructions:write',
    title: 'Lodge this organisation’s copy of an instruction',
    status: 202,
    body: z.json(),
    form: dvpInstructionSchema,
    answer: lodgedSchema,
  },
  settlements: {
    method: 'GET',
    path: '/settlements',
    for: 'operators',
    scope: 'settlements:read',
    title:
      'Settlements and proposals, newest first: of a phase, a party (LEI), a system, opened from an instant until before another',
    status: 200,
    query: z.strictObject({
      limit,
      before: z
        .string()
        .max(200)
        .refine((text) => CURSOR.test(text), 'the "next" of an earlier page')
        .optional(),
      phase: z.enum(PHASES).optional(),
      party: z
        .string()
        .regex(/^[0-9A-Z]{20}$/, 'a LEI')
        .optional(),
      system: identifierSchema.optional(),
      openedFrom: instant.optional(),
      openedTo: instant.optional(),
    }),
    answer: settlementPageSchema,
  },
  settlement: {
    method: 'GET',
    path: '/settlements/:id',
    for: 'operators',
    scope: 'settlements:read',
    title: 'One settlement, by id, proposal id or trade id',
    status: 200,
    answer: settlementBodySchema,
  },
  history: {
    method: 'GET',
    path: '/settlements/:id/history',
    for: 'operators',
    scope: 'settlements:read',
    title: 'Every entry of a settlement, oldest first',
    status: 200,
    query: z.strictObject({ limit, after }),
    answer: historyBodySchema,
  },
  certificates: {
    method: 'GET',
    path: '/settlements/:id/certificates',
    for: 'operators',
    scope: 'settlements:read',
    title: 'The certificates that a settlement calls for, as connected systems take them',
    status: 200,
    answer: certificatesBodySchema,
  },
  evidence: {
    method: 'GET',
    path: '/settlements/:id/evidence',
    for: 'operators',
    scope: 'evidence:read',
    title: 'Everything that proves a settlement, as a file for `audit verify`',
    status: 200,
    answer: evidenceBodySchema,
  },
  'evidence-period': {
    method: 'GET',
    path: '/evidence',
    for: 'operators',
    scope: 'evidence:read',
    title: 'Proposals and settlements that changed in a period, in the order of the ledger, each by its proposal id',
    status: 200,
    query: z.strictObject({
      from: instant,
      to: instant,
      after: z
        .string()
        .max(80)
        .refine((text) => /^[0-9]{1,16}$/.test(text), 'the "next" of an earlier page')
        .optional(),
      limit,
    }),
    answer: z.strictObject({ proposals: z.array(hashSchema), next: z.string().nullable() }),
  },
  events: {
    method: 'GET',
    path: '/events',
    for: 'operators',
    scope: 'settlements:read',
    title: 'Every change of every settlement, resumable by Last-Event-ID',
    status: 200,
    stream: true,
  },
  balances: {
    method: 'GET',
    path: '/balances',
    for: 'operators',
    scope: 'balances:read',
    title: 'Positions in the systems of this organisation',
    status: 200,
    answer: balancesBodySchema,
  },
  retract: {
    method: 'POST',
    path: '/settlements/:id/retract',
    for: 'operators',
    scope: 'settlements:operate',
    title: 'Take this organisation’s copy back while nothing has begun',
    status: 200,
    answer: lodgedSchema,
  },
  cancel: {
    method: 'POST',
    path: '/settlements/:id/cancel',
    for: 'operators',
    scope: 'settlements:operate',
    title: 'Ask to cancel; it happens when every side has asked',
    status: 200,
    answer: lodgedSchema,
  },
  resolve: {
    method: 'POST',
    path: '/settlements/:id/resolve',
    for: 'operators',
    scope: 'settlements:resolve',
    title: 'Say what became of an operation; it counts when two persons of every owner concerned say the same',
    status: 200,
    body: resolveBodySchema,
    answer: lodgedSchema,
  },
  register: {
    method: 'POST',
    path: '/register',
    for: 'operators',
    scope: 'register:write',
    title: 'Register a system, party, account or instrument, or propose or approve a scenario',
    status: 200,
    body: registrationSchema,
    answer: registeredSchema,
  },
  systems: {
    method: 'GET',
    path: '/systems',
    for: 'operators',
    scope: 'register:read',
    title: 'The connected systems of the network',
    status: 200,
    answer: systemsBodySchema,
  },
  scenarios: {
    method: 'GET',
    path: '/scenarios',
    for: 'operators',
    scope: 'register:read',
    title: 'Proposed scenarios and who approved them',
    status: 200,
    answer: scenariosBodySchema,
  },
  scenario: {
    method: 'GET',
    path: '/scenarios/:reference',
    for: 'operators',
    scope: 'register:read',
    title: 'One scenario: its document and its diagram',
    status: 200,
    answer: scenarioBodySchema,
  },
  network: {
    method: 'GET',
    path: '/network',
    for: 'operators',
    scope: 'register:read',
    title: 'The genesis of the network and everything that is registered in it',
    status: 200,
    answer: networkBodySchema,
  },
  changes: {
    method: 'GET',
    path: '/network/changes',
    for: 'operators',
    scope: 'register:read',
    title: 'Every change of the network that was proposed, and who approves it',
    status: 200,
    answer: changesBodySchema,
  },
  'propose-change': {
    method: 'POST',
    path: '/network/changes',
    for: 'operators',
    scope: 'network:change',
    title:
      'Propose a change of members, keys or scenarios for the present epoch, and approve it in the name of this organisation',
    status: 200,
    body: proposeChangeBodySchema,
    answer: changeAnswerSchema,
  },
  'approve-change': {
    method: 'POST',
    path: '/network/changes/:id/approve',
    for: 'operators',
    scope: 'network:change',
    title:
      'Approve a change in the name of this organisation; with the last approval it happens, or its epoch is announced',
    status: 200,
    answer: changeAnswerSchema,
  },
  epochs: {
    method: 'GET',
    path: '/network/epochs',
    for: 'operators',
    scope: 'register:read',
    title: 'Every epoch that a change has made, with what connected systems take to install it',
    status: 200,
    answer: epochsBodySchema,
  },
  'confirm-epoch': {
    method: 'POST',
    path: '/network/epochs/:id/confirm',
    for: 'operators',
    scope: 'network:change',
    title: 'Say that the systems of this organisation know the announced epoch; it begins when a quorum has said so',
    status: 200,
    answer: confirmedSchema,
  },
  health: {
    method: 'GET',
    path: '/healthz',
    for: 'everyone',
    title: 'Whether this organisation’s CoreAPI serves',
    status: 200,
    answer: healthBodySchema,
  },
  readiness: {
    method: 'GET',
    path: '/readyz',
    for: 'everyone',
    title: 'Whether this organisation can settle, and what is missing',
    status: 200,
    answer: readinessBodySchema,
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    for: 'operators',
    scope: 'monitor',
    title: 'Measurements in the text format of Prometheus',
    status: 200,
    media: 'text/plain; version=0.0.4; charset=utf-8',
  },
  openapi: {
    method: 'GET',
    path: '/openapi.json',
    for: 'everyone',
    title: 'This API as an OpenAPI 3.1 document, with the JSON Schema of everything',
    status: 200,
    answer: openApiBodySchema,
  },
  docs: {
    method: 'GET',
    path: '/docs',
    for: 'everyone',
    title: 'This API as a page for people',
    status: 200,
    media: 'text/html; charset=utf-8',
  },
  'send-shares': {
    method: 'POST',
    path: '/organisations/shares',
    for: 'organisations',
    title: 'Certificate shares from another organisation',
    status: 202,
    body: sharesBodySchema,
    answer: acknowledgedSchema,
  },
  'ask-shares': {
    method: 'POST',
    path: '/organisations/shares/ask',
    for: 'organisations',
    title: 'This organisation’s shares of a settlement’s certificates',
    status: 200,
    body: sharesRequestSchema,
    answer: sharesAnswerSchema,
  },
  'send-statements': {
    method: 'POST',
    path: '/organisations/statements',
    for: 'organisations',
    title: 'Verified statements for the driver to record',
    status: 202,
    body: statementsBodySchema,
    answer: acknowledgedSchema,
  },
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof ENDPOINTS;

/** JSON Schema 2020-12, which is what OpenAPI 3.1 uses. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The parameters in an endpoint's query, each with its JSON Schema. */
export function queryParameters({ query }: Endpoint): Record<string, JsonSchema> {
  const { properties = {} } = query ? z.toJSONSchema(query, { io: 'input' }) : {};
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, schema]) => (typeof schema === 'object' ? [[name, schema]] : [])),
  );
}

/** Whether a request must carry an Idempotency-Key: it changes something for an operator. */
export function needsIdempotencyKey({ method, for: caller }: Endpoint): boolean {
  return method === 'POST' && caller === 'operators';
}
