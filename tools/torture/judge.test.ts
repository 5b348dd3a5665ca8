import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, End, Leg, Position, Trade } from './facts.ts';
import { judge } from './judge.ts';

const S1 = '0x01';
const S2 = '0x02';
const legs: readonly Leg[] = [
  { system: 'csd', from: 'seller', to: 'buyer', asset: 'BOND', amount: 5n },
  { system: 'rtgs', from: 'bank', to: 'seller', asset: 'JPY', amount: 149n },
];
const opening = new Map([
  ['csd seller BOND', 10n],
  ['csd buyer BOND', 0n],
  ['rtgs bank JPY', 1000n],
  ['rtgs seller JPY', 0n],
]);
const ended = (phase: 'settled' | 'cancelled' | 'rejected', settlement: string | undefined, because = ''): End => ({
  phase,
  settlement,
  because,
  endedMs: 100,
  differences: [],
});
const settled: Trade = {
  tradeId: 'one',
  kind: { name: 'may-settle' },
  legs,
  deadlineMs: 200,
  end: ended('settled', S1),
};
const cancelled: Trade = {
  tradeId: 'two',
  kind: { name: 'short', because: 'earmark/lcy was refused: MONY' },
  legs,
  deadlineMs: 200,
  end: ended('cancelled', S2, 'earmark/lcy was refused: MONY'),
};
const trades = [settled, cancelled];
const effects = [
  ...legs.flatMap((leg, i) => both(S1, leg, i, 'execute')),
  ...legs.slice(0, 1).flatMap((leg) => both(S2, leg, 9, 'release')),
];
const positions: readonly Position[] = [
  { system: 'csd', account: 'seller', asset: 'BOND', balance: 5n, held: 0n, free: 5n },
  { system: 'csd', account: 'buyer', asset: 'BOND', balance: 5n, held: 0n, free: 5n },
  { system: 'rtgs', account: 'bank', asset: 'JPY', balance: 851n, held: 0n, free: 851n },
  { system: 'rtgs', account: 'seller', asset: 'JPY', balance: 149n, held: 0n, free: 149n },
];

test('what is right is right', () => {
  assert.deepEqual(judge(trades, { effects, positions }, opening), []);
});

test('whatever is wrong in the books is found', () => {
  const [first, second] = [effects[0], effects[1]];
  const [seller, ...others] = positions;
  assert.ok(first && second && seller);
  const planted: readonly (readonly [string, readonly Effect[], readonly Position[], RegExp])[] = [
    ['an id that took effect twice', [...effects, first], positions, /took effect csd/],
    [
      'a hold that was closed twice under other ids',
      [...effects, { ...second, operation: '0xff' }],
      positions,
      /was closed csd/,
    ],
    [
      'half of a settled trade',
      effects.filter((effect) => effect !== second),
      positions,
      /one: settled, and executed were/,
    ],
    [
      'commit and abort of one settlement',
      [...effects, { ...second, verb: 'release', operation: '0xff', hold: '0xfe' }],
      positions,
      /some of it was executed and some released/,
    ],
    ['a hold that was left', effects.slice(0, -1), positions, /two: cancelled, and held were/],
    [
      'another amount than agreed',
      effects.map((effect) => (effect.leg ? { ...effect, leg: { ...effect.leg, amount: 6n } } : effect)),
      positions,
      /one: settled, and held were/,
    ],
    [
      'a settlement that nobody knows',
      [...effects, { ...first, operation: '0xfd', settlement: '0x03' }],
      positions,
      /no client knows/,
    ],
    [
      'a unit that came from nowhere',
      effects,
      [{ ...seller, balance: 6n, free: 6n }, ...others],
      /1 too much in all accounts/,
    ],
    [
      'a unit that is somewhere else',
      effects,
      [{ ...seller, balance: 4n, free: 4n }, ...others],
      /csd seller BOND: the balance is 4/,
    ],
    ['something that is still held', effects, [{ ...seller, held: 1n, free: 4n }, ...others], /1 is still held/],
    ['a position that is gone', effects, others, /no such position/],
  ];
  for (const [what, wrongEffects, wrongPositions, found] of planted) {
    const wrong = judge(trades, { effects: wrongEffects, positions: wrongPositions }, opening);
    assert.ok(
      wrong.some((line) => found.test(line)),
      `${what}: ${wrong.join('; ')}`,
    );
  }
});

test('what participants do by themselves is told from what the trade moves', () => {
  const [bond, lcy] = legs;
  assert.ok(bond && lcy);
  const toBuyer = { ...lcy, system: 'csd', to: 'buyer' };
  const onward = { ...lcy, system: 'csd', from: 'buyer' };
  const domestic = { payment: toBuyer, delivery: [bond, onward] as const };
  const trade: Trade = { ...settled, legs: [], domestic, end: ended('settled', S1) };
  const transfer: Effect = {
    system: 'csd',
    verb: 'transfer',
    operation: '0xc1',
    hold: undefined,
    settlement: undefined,
    leg: toBuyer,
    trade: 'one',
  };
  const dvp: Effect = {
    system: 'csd',
    verb: 'dvp',
    operation: '0xc2',
    hold: undefined,
    settlement: S1,
    leg: bond,
    cash: onward,
    trade: 'one',
  };
  const before = new Map([
    ['csd seller BOND', 10n],
    ['csd bank JPY', 1000n],
  ]);
  const at = (account: string, asset: string, balance: bigint): Position => ({
    system: 'csd',
    account,
    asset,
    balance,
    held: 0n,
    free: balance,
  });
  const after = [
    at('seller', 'BOND', 5n),
    at('buyer', 'BOND', 5n),
    at('bank', 'JPY', 851n),
    at('buyer', 'JPY', 0n),
    at('seller', 'JPY', 149n),
  ];
  const found = (one: Trade, all: readonly Effect[], rows = after): string =>
    judge([one], { effects: all, positions: rows }, before).join('; ');
  assert.equal(found(trade, [transfer, dvp]), '');
  assert.match(found(trade, [transfer]), /settled, and delivered were none/);
  assert.match(found(trade, [dvp]), /settled, and paid were none/);
  assert.match(found(trade, [transfer, { ...transfer, operation: '0xc3' }, dvp]), /and paid were .*; /);
  assert.match(found(trade, [transfer, { ...dvp, cash: lcy }]), /and delivered were/);
  const late: Trade = { ...trade, deadlineMs: 50, end: ended('cancelled', S1, 'the deadline passed') };
  const owed = [at('seller', 'BOND', 10n), at('bank', 'JPY', 851n), at('buyer', 'JPY', 149n)];
  assert.equal(found(late, [transfer], owed), '');
  assert.match(found(late, [transfer, dvp]), /cancelled, and delivered were/);
  assert.match(found(late, [{ ...transfer, trade: 'other' }], owed), /under the trade id other/);
});

test('a wrong end is found', () => {
  const because = 'the deadline passed';
  const planted: readonly (readonly [string, Trade])[] = [
    ['no end', { ...settled, end: { phase: 'stuck', state: 'preparing' } }],
    ['refused without cause', { ...settled, end: { phase: 'refused', codes: ['trade-id-used'] } }],
    ['cancelled for a deadline that has not passed', { ...settled, end: ended('cancelled', undefined, because) }],
    [
      'cancelled for nothing',
      { ...settled, deadlineMs: 50, end: ended('cancelled', undefined, 'earmark/fcy was refused: NARR') },
    ],
    ['rejected before its deadline', { ...settled, end: ended('rejected', undefined) }],
    ['settled though something was missing', { ...settled, kind: cancelled.kind }],
    ['a bad instruction that went on', { ...settled, kind: { name: 'bad', codes: ['missing'] } }],
    ['sides that differ and settle', { ...settled, kind: { name: 'differs', differences: ['/a'] } }],
    [
      'a bad instruction without all its problems',
      {
        ...settled,
        kind: { name: 'bad', codes: ['missing', 'deadline-passed'] },
        end: { phase: 'refused', codes: ['missing'] },
      },
    ],
  ];
  for (const [what, trade] of planted) {
    const wrong = judge([trade], { effects: [], positions: [] }, new Map());
    assert.ok(
      wrong.some((line) => line.startsWith('one: ')),
      what,
    );
  }
});

function both(settlement: string, leg: Leg, number: number, verb: 'execute' | 'release'): readonly [Effect, Effect] {
  const { system } = leg;
  const hold = `0xa${number}`;
  return [
    { system, verb: 'hold', operation: hold, hold, settlement, leg },
    { system, verb, operation: `0xb${number}`, hold, settlement, leg },
  ];
}
