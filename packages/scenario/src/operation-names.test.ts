import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Change, hashOf, operationId } from '@linkspan/protocol';
import { operationNamesIn } from './operation-names.ts';

const network = hashOf('network');
const settlement = hashOf('settlement');

test('a history gives the names of its operations: legs, inverses and every further attempt', () => {
  const requested = (operation: string, verb: 'hold' | 'execute' | 'release'): Change => ({
    what: 'requested',
    operation,
    verb,
    system: 'rtgs',
    terms: {},
  });
  const found = operationNamesIn(network, settlement, [
    requested('earmark/lcy', 'hold'),
    requested('earmark/fcy[1]', 'hold'),
    { what: 'phase', from: 'preparing', to: 'aborting' },
    requested('earmark/lcy release', 'release'),
    requested('earmark/lcy release', 'release'),
  ]);
  const id = (name: string, leg: number, verb: 'hold' | 'release', attempt: number) =>
    operationId({ network, settlement, stage: 'earmark', name, leg, verb, attempt });
  assert.deepEqual(
    [...found],
    [
      [id('lcy', 0, 'hold', 1), 'earmark/lcy'],
      [id('fcy', 1, 'hold', 1), 'earmark/fcy[1]'],
      [id('lcy', 0, 'release', 1), 'earmark/lcy release'],
      [id('lcy', 0, 'release', 2), 'earmark/lcy release'],
    ],
  );
});
