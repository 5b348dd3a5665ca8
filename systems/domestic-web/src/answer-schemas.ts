import { FILTERS } from './journal.ts';
import { REFUSALS } from './refusal.ts';
import type { JsonSchema } from './schema-of.ts';

const ID = { type: 'string', pattern: '^0x[0-9a-f]{64}$' };
const ADDRESS = { type: 'string', pattern: '^0x[0-9a-f]{40}$' };
const TEXT = { type: 'string' };
const INTEGER = { type: 'integer', minimum: 0 };
/** Minor units, or pieces of a security. */
const AMOUNT = { type: 'string', pattern: '^(0|[1-9][0-9]*)$' };
const TERMS = { from: TEXT, to: TEXT, asset: TEXT, amount: AMOUNT };
const LEG = object(TERMS);
const KEY = { filter: { enum: FILTERS }, trade: TEXT, from: TEXT, to: TEXT };
const REASON = { type: 'string', pattern: '^[A-Z0-9]{4}$' };
const POSITION = object({ asset: TEXT, balance: AMOUNT, held: AMOUNT, free: AMOUNT });
const DEAD = object({ operation: ID, status: { const: 'dead' }, reason: REASON });
const ACCOUNT = { id: TEXT, name: TEXT, positions: { type: 'array', items: POSITION } };
const EVENT = object(
  {
    sequence: INTEGER,
    type: TEXT,
    operation: ID,
    reference: ID,
    hold: ID,
    settlement: ID,
    ...KEY,
    ...TERMS,
    cash: LEG,
    epoch: INTEGER,
    reason: REASON,
    booking: INTEGER,
    time: { type: 'string', format: 'date-time' },
  },
  ['sequence', 'type', 'booking', 'time'],
);

/** The form of every answer, by its name. `answers.ts` makes them; a test compares both. */
export const ANSWERS = {
  Health: object({ status: { const: 'ok' }, name: TEXT }),
  Token: object({ access_token: TEXT, token_type: { const: 'Bearer' }, expires_in: INTEGER }),
  Description: {
    type: 'object',
    properties: { openapi: { const: '3.1.0' }, paths: { type: 'object' } },
    required: ['openapi', 'paths'],
  },
  Assets: object({
    assets: {
      type: 'array',
      items: object({ id: TEXT, kind: { enum: ['cash', 'securities'] }, digits: INTEGER }),
    },
  }),
  Accounts: object({ accounts: { type: 'array', items: object(ACCOUNT) } }),
  Account: object(ACCOUNT),
  Held: object({
    id: ID,
    status: { const: 'held' },
    settlement: ID,
    ...TERMS,
    epoch: INTEGER,
    booking: INTEGER,
  }),
  Hold: object(
    {
      id: ID,
      status: { enum: ['held', 'executed', 'released'] },
      settlement: ID,
      ...TERMS,
      epoch: INTEGER,
      booking: INTEGER,
      closing: object({ operation: ID, verb: { enum: ['execute', 'deliver', 'release'] }, booking: INTEGER }, [
        'verb',
        'booking',
      ]),
    },
    ['id', 'status', 'settlement', 'from', 'to', 'asset', 'amount', 'epoch', 'booking'],
  ),
  Closed: object({ operation: ID, hold: ID, status: { enum: ['executed', 'released'] }, ...TERMS, booking: INTEGER }, [
    'hold',
    'status',
    'from',
    'to',
    'asset',
    'amount',
    'booking',
  ]),
  Transfer: object({ id: ID, status: { const: 'transferred' }, trade: TEXT, ...TERMS, booking: INTEGER }, [
    'id',
    'status',
    'from',
    'to',
    'asset',
    'amount',
    'booking',
  ]),
  Outcome: {
    oneOf: [
      DEAD,
      object(
        {
          operation: ID,
          status: { const: 'effective' },
          verb: TEXT,
          hold: ID,
          settlement: ID,
          ...TERMS,
          booking: INTEGER,
        },
        ['operation', 'status', 'verb', 'booking'],
      ),
    ],
  },
  Lodged: object({
    id: ID,
    status: { enum: ['unmatched', 'on-hold', 'settled', 'dead'] },
    trade: TEXT,
    security: LEG,
    cash: LEG,
    hold: { type: 'boolean' },
    booking: INTEGER,
  }),
  Awaited: {
    oneOf: [
      object({ operation: ID, status: { const: 'open' } }),
      DEAD,
      object(
        {
          operation: ID,
          status: { const: 'effective' },
          settlement: ID,
          ...KEY,
          count: { type: 'integer', minimum: 1 },
          asset: TEXT,
          amount: AMOUNT,
          cash: LEG,
          booking: { type: 'string', pattern: '^[0-9]+(,[0-9]+)*$' },
        },
        ['operation', 'status', 'filter', 'trade', 'from', 'to', 'count', 'booking'],
      ),
    ],
  },
  /** What a fence answers: of an operation, or of what is awaited where a business key is withdrawn too. */
  Fenced: { anyOf: [{ $ref: '#/components/schemas/Outcome' }, { $ref: '#/components/schemas/Awaited' }] },
  Events: object({ events: { type: 'array', items: EVENT }, next: INTEGER }),
  Epoch: object({ network: ID, epoch: INTEGER, quorum: INTEGER, signers: { type: 'array', items: ADDRESS } }),
  Problem: {
    type: 'object',
    description: 'RFC 9457. Some codes bring further members.',
    properties: {
      type: TEXT,
      title: TEXT,
      status: INTEGER,
      code: { enum: Object.keys(REFUSALS) },
      reason: REASON,
      detail: TEXT,
      problems: { type: 'array', items: object({ pointer: TEXT, message: TEXT }) },
    },
    required: ['type', 'title', 'status', 'code', 'reason', 'detail'],
  },
} satisfies Record<string, JsonSchema>;

export type AnswerName = keyof typeof ANSWERS;

function object(properties: Readonly<Record<string, unknown>>, required = Object.keys(properties)): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false };
}
