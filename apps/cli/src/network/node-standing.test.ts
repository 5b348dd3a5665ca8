import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ordererQuorum } from './node-standing.ts';

test('so many orderers have to run that two groups of them share one that is honest', () => {
  const bft = [4, 5, 6, 7, 10].map((orderers) => ordererQuorum('bft', orderers));
  assert.deepEqual(bft, [3, 4, 4, 5, 7]);
  for (let orderers = 4; orderers <= 16; orderers++) {
    const liars = Math.floor((orderers - 1) / 3);
    const quorum = ordererQuorum('bft', orderers);
    assert.ok(2 * quorum - orderers > liars, 'two quorums share more than the liars');
    assert.ok(orderers - liars >= quorum, 'the honest ones suffice');
  }
  assert.deepEqual(
    [3, 4, 5].map((orderers) => ordererQuorum('raft', orderers)),
    [2, 3, 3],
  );
});
