import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { table } from './table.ts';
import { grouped, shortId } from './terminal.ts';
import { widthOf } from './text-width.ts';

const plainTerminal = { columns: 40, colours: false };

test('numbers stand to the right, and lines end without spaces', () => {
  const lines = table(
    { columns: Infinity, colours: false },
    [{ title: 'asset' }, { title: 'free', align: 'right' }, { title: '' }],
    [
      ['JPY', '1,000', ''],
      ['USD', '7.00', ''],
    ],
  );
  assert.deepEqual(lines, ['asset   free', 'JPY    1,000', 'USD     7.00']);
});

test('the widest texts are cut first, with an ellipsis', () => {
  const rows = [['a long text that goes on and on', 'short', '12']];
  assert.deepEqual(
    table(
      plainTerminal,
      [
        { title: 'text', cut: true },
        { title: 'other', cut: true },
        { title: '#', align: 'right' },
      ],
      rows,
    ),
    ['text                           other   #', 'a long text that goes on and…  short  12'],
  );
});

test('no line is wider than the terminal, whatever is in the cells', () => {
  const cell = fc.string({ unit: 'grapheme', maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
      fc.integer({ min: 24, max: 200 }),
      (rows, columns) => {
        const lines = table(
          { columns, colours: false },
          [
            { title: 'a', cut: true },
            { title: 'b', cut: 'middle' },
            { title: 'c', cut: true },
          ],
          rows,
        );
        assert.equal(lines.length, rows.length + 1);
        for (const line of lines) assert.ok(widthOf(line) <= columns && !/[\n\r]/.test(line));
      },
    ),
  );
});

test('thousands are set apart in amounts and in nothing else', () => {
  assert.deepEqual(['0', '999', '1000', '-1234567.89', '100000000000', 'n/a', ''].map(grouped), [
    '0',
    '999',
    '1,000',
    '-1,234,567.89',
    '100,000,000,000',
    'n/a',
    '',
  ]);
});

test('hashes are shortened to twelve digits, other names stay whole', () => {
  const digits = '0123456789abcdef'.repeat(4);
  assert.deepEqual([`sha256:${digits}`, `0x${digits}`, '17', ''].map(shortId), [
    '0123456789ab',
    '0x0123456789ab',
    '17',
    '',
  ]);
});
