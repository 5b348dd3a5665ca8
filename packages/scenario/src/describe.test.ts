import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, VERBS } from '@linkspan/protocol';
import fc from 'fast-check';
import { describeChange, type Names } from './describe.ts';

const names: Names = {
  organisations: new Map([
    ['central-bank-a', 'Central Bank of A'],
    ['csd-b', 'CSD of B'],
  ]),
  accounts: new Map([
    ['rtgs:0042', 'Kita Bank'],
    ['csd:0099', 'Minami Bank'],
    ['rtgs:9001', 'Central Bank of A'],
  ]),
};

const cash = { from: 'rtgs:9001', to: 'rtgs:0042', amount: '1000000', currency: 'JPY' };
const bond = { from: 'csd:0042', to: 'csd:0099', isin: 'XS0000000009', quantity: '1000000' };
const usd = { from: 'fcy-evm:0xb', to: 'fcy-evm:0x7', amount: '6711.41', currency: 'USD', hold: 'sha256:00' };

const payment = { filter: 'cash-transfer', from: 'rtgs:9001', to: 'rtgs:0042' };

const outcome = {
  operation: 'earmark/lcy',
  verb: 'hold',
  system: 'rtgs',
  terms: cash,
  reason: '',
  byPeople: false,
} as const;

/** One line for each kind of change, as an operator reads it. */
const LINES: readonly (readonly [Change, string])[] = [
  [{ what: 'lodged', organisation: 'central-bank-a' }, 'Central Bank of A lodged its instruction'],
  [{ what: 'retracted', organisation: 'csd-b' }, 'CSD of B took its instruction back'],
  [{ what: 'cancel-requested', organisation: 'unknown' }, 'unknown asks to cancel'],
  [
    { what: 'differs', differences: [{ path: '/lcy/amount', values: { 'central-bank-a': '1000000', 'csd-b': '' } }] },
    'the sides differ: /lcy/amount (Central Bank of A "1000000", CSD of B nothing)',
  ],
  [{ what: 'matched' }, 'both sides match'],
  [{ ...outcome, what: 'requested' }, 'rtgs: asked to hold 1,000,000 JPY for Kita Bank'],
  [{ ...outcome, what: 'fence-requested' }, 'rtgs: asked to fence earmark/lcy'],
  [{ ...outcome, what: 'effective' }, 'rtgs: 1,000,000 JPY held for Kita Bank'],
  [{ ...outcome, what: 'effective', byPeople: true }, "rtgs: 1,000,000 JPY held for Kita Bank (people's word)"],
  [
    { ...outcome, what: 'dead', reason: 'MONY', byPeople: true },
    "rtgs: earmark/lcy cannot happen (people's word: MONY)",
  ],
  [{ ...outcome, what: 'effective', verb: 'release' }, 'rtgs: 1,000,000 JPY released to Central Bank of A'],
  [
    { ...outcome, what: 'effective', verb: 'execute', system: 'fcy-evm', terms: usd },
    'fcy-evm: 6,711.41 USD executed for fcy-evm:0x7',
  ],
  [
    { ...outcome, what: 'effective', verb: 'deliver', system: 'csd', terms: bond },
    'csd: 1,000,000 XS0000000009 delivered to Minami Bank',
  ],
  [
    { ...outcome, what: 'requested', verb: 'await', terms: { ...payment } },
    'rtgs: asked to report the payment from Central Bank of A to Kita Bank',
  ],
  [
    { ...outcome, what: 'effective', verb: 'await', system: 'csd', terms: { ...cash, ...bond, filter: 'dvp' } },
    'csd: delivery versus payment of 1,000,000 XS0000000009 against 1,000,000 JPY from csd:0042 to Minami Bank seen',
  ],
  [{ ...outcome, what: 'irregular' }, 'rtgs: 1,000,000 JPY held for Kita Bank, but not as agreed (earmark/lcy)'],
  [{ ...outcome, what: 'dead', terms: {}, reason: 'MONY' }, 'rtgs: earmark/lcy cannot happen: not enough cash (MONY)'],
  [{ ...outcome, what: 'dead', terms: {}, reason: 'XX99' }, 'rtgs: earmark/lcy cannot happen: XX99'],
  [{ what: 'called-for', certificate: 'commit' }, 'commit certificate called for'],
  [{ what: 'decided', decision: 'commit', because: 'every leg is certain' }, 'decided: commit - every leg is certain'],
  [
    { what: 'residual', residual: 'lcy-with-buyer', terms: cash },
    'left open: lcy-with-buyer, 1,000,000 JPY with Kita Bank',
  ],
  [
    { what: 'attention', attention: { reason: 'unanswered', waitingFor: 'rtgs', operation: 'earmark/lcy' } },
    'attention: earmark/lcy unanswered, waiting for rtgs',
  ],
  [
    { what: 'attention', attention: { reason: 'disagreement', waitingFor: 'rtgs' } },
    'attention: disagreement, waiting for rtgs',
  ],
  [
    { what: 'evidence', kind: 'contradiction', operation: 'earmark/lcy' },
    'evidence kept: contradiction about earmark/lcy',
  ],
  [
    { what: 'opinion', organisation: 'csd-b', actor: 'aiko', operation: 'earmark/lcy', status: 'dead' },
    'CSD of B (aiko) says that earmark/lcy never happened',
  ],
  [{ what: 'phase', from: 'preparing', to: 'committed' }, 'now committed'],
];

for (const [change, line] of LINES) {
  test(`a change "${change.what}" reads: ${line}`, () => assert.equal(describeChange(change, names), line));
}

test('of many differing fields the first three are shown and the others counted', () => {
  const differences = ['/a', '/b', '/c', '/d', '/e'].map((path) => ({ path, values: { x: '1', y: '2' } }));
  assert.match(describeChange({ what: 'differs', differences }, names), /\/a .*\/b .*\/c .* and 2 more$/);
});

test('whatever terms a system reads back, every verb gives one line', () => {
  const terms = fc.dictionary(
    fc.constantFrom('from', 'to', 'account', 'amount', 'currency', 'isin', 'quantity'),
    fc.string({ unit: 'binary', maxLength: 40 }),
  );
  fc.assert(
    fc.property(terms, fc.constantFrom(...VERBS), fc.boolean(), (read, verb, byPeople) => {
      const line = describeChange({ ...outcome, what: 'effective', verb, terms: read, byPeople }, names);
      assert.ok(line.startsWith('rtgs: '));
      assert.doesNotMatch(line, /undefined|\p{C}|[\u2028\u2029]/u);
    }),
  );
});
