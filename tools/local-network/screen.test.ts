import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Positions } from './positions.ts';
import type { SampleOutcome } from './run-sample.ts';
import { labelOf, Screen } from './screen.ts';

const CHANGE = { time: '2026-11-22T16:24:58.015Z', tradeId: 'r1-sides-differ', phase: 'preparing' };
const DIFFERENCES = [
  { path: '/fcy/amount', values: { a: '6711.41', b: '6711.40' } },
  { path: '/note', values: { a: 'x', b: '' } },
];
const ESCAPE = '\u001B';
const SETTLED: SampleOutcome = {
  result: {
    sample: 'settled',
    tradeId: 'r1-settled',
    scenario: 's@1',
    status: 'settled',
    residuals: [],
    expected: 'settled',
    asExpected: true,
    durationMs: 1234,
  },
  notAsExpected: [],
  end: "The bond is the buyer's.",
};

test('a change is one line: time, settlement, what happened', () => {
  const { screen, lines } = open();
  screen.change({
    ...CHANGE,
    words: ['both sides match', 'now preparing'],
    changes: [{ what: 'matched' }, { what: 'phase' }],
  });
  assert.deepEqual(lines(), [
    '  16:24:58.015  sides-differ  both sides match',
    '  16:24:58.015  sides-differ  now preparing',
  ]);
});

test('fields that differ are listed one per line, each with both sides by name', () => {
  const { screen, lines } = open();
  screen.change({
    ...CHANGE,
    words: ['the sides differ: all in one line'],
    changes: [{ what: 'differs', differences: DIFFERENCES }],
  });
  assert.deepEqual(lines(), [
    '  16:24:58.015  sides-differ  the sides differ in 2 fields:',
    '    /fcy/amount  Bank A 6711.41, b 6711.40',
    '    /note        Bank A x, b has none',
  ]);
});

test('problems of a refused instruction are listed one per line: place, ISO 20022 reason, message', () => {
  const { screen, lines } = open();
  screen.refused('bad', 'a', [
    { pointer: '/uetr', code: 'missing', message: 'It is missing.', iso: 'NARR' },
    { pointer: '/security/isin', code: 'isin-check-digit', message: 'It was mistyped.', iso: 'DSEC' },
  ]);
  const [first = '', ...rest] = lines();
  assert.match(first, /^ {2}[0-9:.]{12} {2}bad {11}Bank A refused the instruction, which has 2 problems:$/);
  assert.deepEqual(rest, ['    /uetr           NARR  It is missing.', '    /security/isin  DSEC  It was mistyped.']);
});

test('an outcome says the end in the words of the scenario, and every reason why it is not as expected', () => {
  const { screen, lines } = open();
  screen.outcome(SETTLED);
  screen.outcome({
    ...SETTLED,
    result: { ...SETTLED.result, asExpected: false, durationMs: 20 },
    notAsExpected: ['one', 'two'],
  });
  assert.deepEqual(lines(), [
    "  ✓ settled after 1.2 s, as expected. The bond is the buyer's.",
    '  ✗ settled after 20 ms, NOT as expected:',
    '    - one',
    '    - two',
  ]);
});

test('balances are shown by system with what changed; empty positions are counted; what is held is shown where something is', () => {
  const { screen, lines } = open();
  const before: Positions = new Map([
    position('rtgs:0042', 'JPY', '1000'),
    position('csd:1', 'XS', '0'),
    position('csd:2', 'XS', '0'),
  ]);
  const after: Positions = new Map([
    position('rtgs:0042', 'JPY', '2500'),
    position('csd:1', 'XS', '0'),
    position('csd:2', 'XS', '7', '7'),
  ]);
  screen.balances(before, after);
  assert.deepEqual(lines(), [
    '    party  account  asset  before  after  change  held',
    '  csd',
    '    P      2        XS          0      7      +7     7',
    '  rtgs',
    '    P      0042     JPY     1,000  2,500  +1,500     0',
    '  1 more positions are empty.',
  ]);
});

test('whatever is said, no line is longer than the terminal is wide', () => {
  const text = fc
    .array(fc.stringMatching(/^[a-z,.]{1,20}$/), { minLength: 1, maxLength: 30 })
    .map((list) => list.join(' '));
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 64, max: 160 }),
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      (words, columns, amount) => {
        const { screen, lines } = open(columns);
        screen.title(words);
        screen.text(words);
        screen.note(words);
        screen.change({
          ...CHANGE,
          words: [words, words],
          changes: [{ what: 'matched' }, { what: 'differs', differences: DIFFERENCES }],
        });
        screen.refused('bad', 'a', [{ pointer: '/security/isin', code: 'c', message: words, iso: 'DSEC' }]);
        screen.outcome({ ...SETTLED, end: words });
        screen.balances(
          new Map([position('rtgs:0042', 'JPY', '0')]),
          new Map([[...position('rtgs:0042', 'JPY', String(amount))]]),
        );
        screen.summary([SETTLED]);
        for (const line of lines()) assert.ok(line.length <= columns, `${line.length} > ${columns}: ${line}`);
      },
    ),
  );
});

test('without colours there is no escape sequence, with them there is', () => {
  const plain = open();
  plain.screen.outcome(SETTLED);
  assert.ok(!plain.lines().join().includes(ESCAPE));
  const coloured = open(Infinity, true);
  coloured.screen.outcome(SETTLED);
  assert.ok(coloured.lines().join().includes(`${ESCAPE}[32m`));
});

test('a trade is called by its id without the run', () =>
  assert.equal(labelOf('rmws1sau1-sides-differ'), 'sides-differ'));

function open(columns = Infinity, coloured = false): { readonly screen: Screen; readonly lines: () => string[] } {
  let written = '';
  const screen = new Screen({
    write: (text) => (written += text),
    columns: () => columns,
    coloured,
    names: new Map([['a', 'Bank A']]),
    labelWidth: 12,
  });
  return { screen, lines: () => written.split('\n').slice(0, -1) };
}

function position(account: string, asset: string, balance: string, held = '0') {
  return [`${account} ${asset}`, { account, asset, party: 'P', balance, held }] as const;
}
