import {
  type Field,
  flatten,
  formatInstant,
  hashOf,
  type OperationDocument,
  PROMISES,
  type ScenarioDocument,
  type StageDocument,
} from '@linkspan/protocol';
import fc from 'fast-check';

/** What distinguishes the documents of the family: every pivot, one or two prepare stages, none to two complete stages. */
export type FamilyChoices = {
  readonly pivot: 'ledger' | 'transfer' | 'await' | 'settle-dvp';
  /** `one`: only the overseas cash is held. `two`: bond and cash between buyer and seller. `three`: all legs of the default scenario. */
  readonly held: 'one' | 'two' | 'three';
  /** How many of the held legs the first prepare stage takes; the others follow in a second one. */
  readonly first: number;
  /** Where something is awaited that stays behind under a residual. */
  readonly awaited: 'no' | 'first' | 'last';
  /** Whether a token is minted before the pivot, and burned again when the settlement is cancelled. */
  readonly minted: boolean;
  /** Whether the complete operations stand in two stages. */
  readonly apart: boolean;
};

/** After so many seconds people are told about what is unanswered in documents of the family. */
export const FAMILY_UNANSWERED_AFTER_SECONDS = 5;

export const familyChoices: fc.Arbitrary<FamilyChoices> = fc
  .record({
    pivot: fc.constantFrom('ledger', 'transfer', 'await', 'settle-dvp'),
    held: fc.constantFrom('one', 'two', 'three'),
    first: fc.integer({ min: 1, max: 3 }),
    awaited: fc.constantFrom('no', 'no', 'first', 'last'),
    minted: fc.boolean(),
    apart: fc.boolean(),
  })
  .map((choices) =>
    // One held leg exchanges nothing by itself, so something else must decide and pay; and two legs make one delivery against payment.
    choices.held === 'one' && (choices.pivot === 'ledger' || choices.pivot === 'settle-dvp')
      ? { ...choices, held: 'three' }
      : choices,
  );

/** A document of the family. All of them keep every rule of the language. */
export function familyDocument(choices: FamilyChoices): ScenarioDocument {
  const holds = holdsOf(choices);
  const placed = new Map(holds.map(([name], index) => [name, `prepare-${index < choices.first ? 1 : 2}/${name}`]));
  const residuals = choices.awaited === 'no' ? {} : { 'lcy-with-buyer': RESIDUAL };
  return {
    schema: 'scenario/1',
    name: 'family',
    version: 1,
    instruction: 'dvp/1',
    roles: { fcy: role('cash'), lcy: role('cash'), csd: role('securities') },
    exchange: choices.held === 'two' ? BETWEEN_TWO : AMONG_THREE,
    stages: [...prepareStages(choices, holds), pivotOf(choices, placed), ...completeStages(choices, placed)],
    residuals,
    unansweredAfterSeconds: FAMILY_UNANSWERED_AFTER_SECONDS,
    ends: { settled: 'All is delivered.', cancelled: 'All is undone.', rejected: 'Nothing began.' },
  };
}

/** The fields of an instruction that fits every document of the family. Another `mark` makes another copy. */
export function familyFields(deadline: number, mark: string): readonly Field[] {
  return flatten({
    schema: 'dvp/1',
    tradeId: 'FAMILY-1',
    scenario: 'family@1',
    security: { isin: 'XS0000000009', quantity: '1000000', unit: 'FAMT' },
    seller: { party: 'Seller', accounts: { security: 'csd:seller', lcy: 'lcy:seller' } },
    buyer: { party: 'Buyer', accounts: { security: 'csd:buyer', fcy: 'fcy:buyer', lcy: 'lcy:buyer' } },
    intermediary: { party: 'Intermediary', accounts: { lcy: 'lcy:between', fcy: 'fcy:between' } },
    lcy: { amount: '1000000', currency: 'JPY' },
    fcy: { amount: '6711.41', currency: 'USD' },
    deadline: formatInstant(deadline),
    uetr: mark,
  });
}

export function hashOfFamilyFields(fields: readonly Field[]) {
  return hashOf({ schema: 'instruction-fields/1', fields });
}

type Named = readonly (readonly [string, OperationDocument])[];
/** Each hold with the reference by which later stages name it. */
type Placed = ReadonlyMap<string, string>;

const SELLER = { party: '/seller', gives: '/security', gets: '/lcy' };
const AMONG_THREE = [
  SELLER,
  { party: '/buyer', gives: '/fcy', gets: '/security' },
  { party: '/intermediary', gives: '/lcy', gets: '/fcy' },
];
const BETWEEN_TWO = [SELLER, { party: '/buyer', gives: '/lcy', gets: '/security' }];
const RESIDUAL = {
  holder: '/buyer',
  owes: '/intermediary',
  what: '/lcy',
  when: 'cancelled after the payment',
  why: 'Nobody may debit the buyer.',
};

function role(type: 'cash' | 'securities') {
  return { type, promises: PROMISES };
}

/** Who pays the seller: with two legs there is nobody between. */
function payerOf({ held }: FamilyChoices): '/buyer' | '/intermediary' {
  return held === 'two' ? '/buyer' : '/intermediary';
}

function holdsOf(choices: FamilyChoices): Named {
  const { held, pivot } = choices;
  const payer = payerOf(choices);
  // A system settles a delivery against payment by itself only where it keeps both.
  const system = pivot === 'settle-dvp' ? 'csd' : 'lcy';
  const fcy = hold('fcy', '/buyer/accounts/fcy', '/intermediary/accounts/fcy', '/fcy', '/buyer');
  const bond = hold('csd', '/seller/accounts/security', '/buyer/accounts/security', '/security', '/seller');
  const lcy = hold(system, `${payer}/accounts/lcy`, '/seller/accounts/lcy', '/lcy', payer);
  if (held === 'one') return [['fcy', fcy]];
  const pair: Named = [
    ['bond', bond],
    ['lcy', lcy],
  ];
  return held === 'two' ? pair : [['fcy', fcy], ...pair];
}

function hold(system: string, from: string, to: string, amount: string, authority: string): OperationDocument {
  return { verb: 'hold', system, from, to, amount, authority };
}

function prepareStages(choices: FamilyChoices, holds: Named): StageDocument[] {
  const { first, awaited, minted } = choices;
  const payer = payerOf(choices);
  const supply = { system: 'lcy', account: `${payer}/accounts/lcy`, amount: '/lcy', authority: payer };
  const token: Named = minted ? [['token', { verb: 'mint', ...supply }]] : [];
  const parts = [[...holds.slice(0, first), ...token], holds.slice(first)].filter((part) => part.length > 0);
  return parts.map((part, index) => {
    const here = (awaited === 'first' && index === 0) || (awaited === 'last' && index === parts.length - 1);
    const operations = Object.fromEntries(here ? [...part, ['paid', AWAITED_PAYMENT] as const] : part);
    return { name: `prepare-${index + 1}`, stage: 'prepare', deadline: '/deadline', operations };
  });
}

const AWAITED_PAYMENT: OperationDocument = {
  verb: 'await',
  system: 'csd',
  filter: 'cash-transfer',
  key: { trade: '/tradeId', from: '/intermediary/accounts/lcy', to: '/buyer/accounts/lcy' },
  guards: [{ equals: ['amount', '/lcy'] }],
  residual: 'lcy-with-buyer',
};

function pivotOf(choices: FamilyChoices, holds: Placed): StageDocument {
  const payer = payerOf(choices);
  const stage = { name: 'decide', stage: 'pivot', deadline: '/deadline' } as const;
  switch (choices.pivot) {
    case 'ledger':
      return { name: 'decide', stage: 'pivot', pivot: 'ledger' };
    case 'transfer': {
      const move = { from: `${payer}/accounts/lcy`, to: '/seller/accounts/lcy', amount: '/lcy' };
      return { ...stage, operation: { verb: 'transfer', system: 'lcy', ...move, authority: payer } };
    }
    case 'await': {
      const key = { trade: '/tradeId', from: '/seller/accounts/security', to: '/buyer/accounts/security' };
      return { ...stage, operation: { verb: 'await', system: 'csd', filter: 'dvp', key, guards: [] } };
    }
    case 'settle-dvp': {
      const [security, cash] = [holds.get('bond') ?? '', holds.get('lcy') ?? ''];
      return { ...stage, operation: { verb: 'settle-dvp', system: 'csd', security, cash } };
    }
  }
}

function completeStages({ pivot, apart }: FamilyChoices, holds: Placed): StageDocument[] {
  const left = [...holds].filter(([name]) => pivot !== 'settle-dvp' || name === 'fcy');
  const operations = left.map(([name, hold]): readonly [string, OperationDocument] =>
    name === 'bond'
      ? [name, { verb: 'deliver', system: 'csd', hold }]
      : [name, { verb: 'execute', system: name, hold }],
  );
  const parts = apart ? [operations.slice(0, 1), operations.slice(1)] : [operations];
  return parts
    .filter((part) => part.length > 0)
    .map((part, index) => ({ name: `complete-${index + 1}`, stage: 'complete', operations: Object.fromEntries(part) }));
}
