import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, PHASES, type SettlementBody } from '@linkspan/protocol';
import fc from 'fast-check';
import { widthOf } from '../text-width.ts';
import { Board } from './board.ts';
import { drawBoard } from './draw-board.ts';

const NOW = Date.parse('2026-11-24T06:00:00Z');
const canvas = { columns: 100, rows: 16, colours: false, now: NOW, title: 'Central Bank of A', detailed: false };

function bodyOf(tradeId: string, more: Partial<SettlementBody> = {}): SettlementBody {
  const id = hashOf(tradeId);
  const operation = (name: string, system: string, amount: string, status: 'requested' | 'effective' | 'dead') => ({
    id: hashOf(name),
    name,
    verb: 'hold' as const,
    system,
    attempt: 1,
    status,
    fenced: false,
    terms: { amount, currency: 'JPY' },
    readBack: {},
    reason: status === 'dead' ? 'MONY' : '',
    transaction: '',
    byPeople: false,
  });
  return {
    id,
    proposal: id,
    settlement: id,
    tradeId,
    scenario: { reference: 'dvp-buyer-overseas@1', hash: id },
    phase: 'preparing',
    end: null,
    deadline: '2026-11-24T06:00:42Z',
    changedAt: '2026-11-24T05:59:50Z',
    lodgers: ['central-bank-a', 'csd-b'],
    lodged: ['central-bank-a', 'csd-b'],
    differences: [],
    operations: [
      operation('earmark/lcy', 'rtgs', '20000000000', 'effective'),
      operation('earmark/fcy', 'fcy-evm', '6711', 'requested'),
    ],
    decision: null,
    certificates: [],
    cancelRequestedBy: [],
    opinions: [],
    resolvers: [],
    residuals: [],
    attention: [],
    entries: 3,
    head: id,
    ...more,
  };
}

test('a settlement stands with phase, stage, legs and the time that is left', () => {
  const board = new Board({ ended: false });
  board.connection = 'connected';
  board.block = 7;
  board.show(bodyOf('T-1'));
  board.show(bodyOf('T-2', { attention: [{ reason: 'unanswered', waitingFor: 'rtgs', operation: 'earmark/lcy' }] }));
  assert.deepEqual(drawBoard(board, canvas), [
    ' Central Bank of A   2 open   1 needs people   block 7                                 06:00:00 UTC',
    '',
    ' T-2       preparing earmark                                                              0:42 left',
    '   lcy  rtgs     20,000,000,000 JPY   ■ held',
    '   fcy  fcy-evm           6,711 JPY   ◐ asked to hold',
    '   ! earmark/lcy unanswered, waiting for rtgs',
    '',
    ' T-1       preparing earmark                                                              0:42 left',
    '   lcy  rtgs     20,000,000,000 JPY   ■ held',
    '   fcy  fcy-evm           6,711 JPY   ◐ asked to hold',
    '',
    '',
    '',
    '',
    '',
    ' Ctrl-C ends',
  ]);
});

test('where not all fit with their legs, each takes a line, and those without room are counted', () => {
  const board = new Board({ ended: false });
  for (let i = 10; i < 40; i++) board.show(bodyOf(`T-${i}`));
  const lines = drawBoard(board, canvas);
  assert.match(lines[2] ?? '', /^ T-\d\d {6}preparing {2}lcy ■ {2}fcy ◐ +0:42 left$/);
  assert.equal(lines.at(-2), ' … and 18 more');
  assert.equal(lines.length, canvas.rows);
});

test('a lost connection is said on top, and a deadline that passed in words', () => {
  const board = new Board({ ended: false });
  board.connection = 'lost';
  board.show(bodyOf('T-1', { deadline: '2026-11-24T05:59:00Z' }));
  const lines = drawBoard(board, canvas);
  assert.match(lines[0] ?? '', /connection lost, trying again/);
  assert.match(lines[2] ?? '', / deadline passed 1:00 ago$/);
});

test('an end stays for half a minute, and for ever where all are wanted', () => {
  const settled = bodyOf('T-1', { phase: 'settled', changedAt: '2026-11-24T05:59:50Z' });
  for (const ended of [false, true]) {
    const board = new Board({ ended });
    board.show(settled);
    assert.equal(board.items(NOW).length, 1);
    assert.equal(board.items(NOW + 60_000).length, ended ? 1 : 0);
  }
});

test('what the stream told while a settlement was read is newer, and it is read again', () => {
  const board = new Board({ ended: false });
  const { proposal, settlement, tradeId } = bodyOf('T-1');
  const change = { block: 9, time: '2026-11-24T05:59:59Z', proposal, settlement, tradeId, document: {} };
  board.hear({ ...change, sequence: 4, phase: 'committed', words: ['now committed'] });
  board.show(bodyOf('T-1', { entries: 3 }));
  assert.deepEqual([board.items(NOW)[0]?.phase, board.stale(NOW)], ['committed', [proposal]]);
  board.show(bodyOf('T-1', { entries: 4, phase: 'committed' }));
  assert.deepEqual([board.items(NOW)[0]?.phase, board.stale(NOW), board.block], ['committed', [], 9]);
});

test('whatever is on the board, no line is wider than the terminal and none is too many; at 80 columns no amount is cut', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 });
  const items = fc.uniqueArray(fc.tuple(name, fc.constantFrom(...PHASES), name), {
    maxLength: 12,
    selector: ([tradeId]) => tradeId,
  });
  fc.assert(
    fc.property(
      items,
      fc.integer({ min: 20, max: 220 }),
      fc.integer({ min: 4, max: 50 }),
      fc.boolean(),
      (all, columns, rows, detailed) => {
        const board = new Board({ ended: true });
        for (const [tradeId, phase, system] of all) {
          const body = bodyOf(tradeId, { phase, differences: [{ path: '/a', values: { [system]: tradeId } }] });
          board.show({ ...body, operations: body.operations.map((each) => ({ ...each, system })) });
        }
        const lines = drawBoard(board, { ...canvas, columns, rows, detailed });
        assert.ok(lines.length <= rows);
        for (const line of lines) {
          assert.ok(widthOf(line) <= columns, JSON.stringify(line));
          assert.doesNotMatch(line, /\p{Cc}/u);
          if (columns >= 80) assert.doesNotMatch(line, /20,000,000?,?0?0?0?…/);
        }
      },
    ),
    { numRuns: 60 },
  );
});
