import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '@linkspan/protocol';
import fc from 'fast-check';
import { ranking, TAKE_OVER_AFTER_MS, whoseTurn } from './ranking.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 8 });

test('everybody finds the same order, whatever order the organisations were named in and however often', () => {
  fc.assert(
    fc.property(names, fc.nat(), (organisations, trade) => {
      const order = ranking(hashOf({ trade }), organisations);
      assert.deepEqual(ranking(hashOf({ trade }), [...organisations.toReversed(), ...organisations]), order);
      assert.deepEqual(order.toSorted(), organisations.toSorted());
    }),
  );
});

test('over many settlements the first place goes round', () => {
  const first = new Set(Array.from({ length: 50 }, (_, trade) => ranking(hashOf({ trade }), ['a', 'b', 'c'])[0]));
  assert.deepEqual(first, new Set(['a', 'b', 'c']));
});

test('each has its turn for as long as the others wait, and after the last one the first one again', () => {
  fc.assert(
    fc.property(names, fc.nat({ max: 1_000 }), fc.nat({ max: TAKE_OVER_AFTER_MS - 1 }), (order, turns, into) => {
      assert.equal(whoseTurn(order, turns * TAKE_OVER_AFTER_MS + into), order[turns % order.length]);
    }),
  );
  assert.equal(whoseTurn([], 5), undefined);
});
