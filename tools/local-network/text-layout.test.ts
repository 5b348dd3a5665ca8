import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Column, grouped, shortened, tabulate, wrap } from './text-layout.ts';

const words = fc.array(fc.stringMatching(/^[a-z0-9:,.-]{1,30}$/), { minLength: 1 }).map((list) => list.join(' '));

test('wrapped text fits its width and loses no character', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 40 }), (text, width) => {
      const lines = wrap(text, width);
      for (const line of lines) assert.ok(line.length <= width, `"${line}" is longer than ${width}`);
      assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
    }),
  );
});

test('text is broken between words, as late as possible, and within a word only where it must be', () => {
  assert.deepEqual(wrap('asked to hold 1,000,000 JPY', 15), ['asked to hold', '1,000,000 JPY']);
  assert.deepEqual(wrap('ab cd', 5), ['ab cd']);
  assert.deepEqual(wrap('ab cd', 4), ['ab', 'cd']);
  assert.deepEqual(wrap('one two', Infinity), ['one two']);
  assert.deepEqual(wrap('a 12345678901', 10), ['a', '1234567890', '1']);
  assert.deepEqual(wrap('', 10), ['']);
});

test('whole parts are grouped in threes, fractions are not', () => {
  const pairs = { '0': '0', '999': '999', '1000': '1,000', '-1000000': '-1,000,000', '+12345.6789': '+12,345.6789' };
  for (const [amount, shown] of Object.entries(pairs)) assert.equal(grouped(amount), shown);
});

test('a long name keeps its beginning and its last four characters', () => {
  assert.equal(shortened('0x71be63f3384f5fb98995898a86b02fb2426c5788', 11), '0x71be…5788');
  assert.equal(shortened('0042', 11), '0042');
});

const COLUMNS: readonly Column[] = [
  { title: 'party', align: 'left' },
  { title: 'amount', align: 'right' },
  { title: 'change', align: 'right', optional: true },
];

test('columns are aligned and as wide as they must be', () => {
  const rows = [
    ['Kita Bank', '1', '+1'],
    ['B', '20,000', ''],
  ];
  assert.deepEqual(tabulate(COLUMNS, rows, Infinity), [
    'party      amount  change',
    'Kita Bank       1      +1',
    'B          20,000',
  ]);
});

test('where the width is too small, optional columns go first, then names are cut; amounts never are', () => {
  const rows = [['Central Bank of A', '20,000', '+1']];
  assert.deepEqual(tabulate(COLUMNS, rows, 25), ['party              amount', 'Central Bank of A  20,000']);
  assert.deepEqual(tabulate(COLUMNS, rows, 18), ['party       amount', 'Central B…  20,000']);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(words, fc.nat().map(String), fc.nat().map(String)), { minLength: 1 }),
      fc.integer({ min: 20, max: 90 }),
      (table, width) => {
        const lines = tabulate(COLUMNS, table, width);
        assert.equal(lines.length, table.length + 1);
        lines.slice(1).forEach((line, i) => {
          assert.ok(line.length <= width, `"${line}" is longer than ${width}`);
          assert.ok(line.includes(table[i]?.[1] ?? ''));
        });
      },
    ),
  );
});
