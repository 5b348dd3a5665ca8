import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familyDocument, SettlementRun } from '@linkspan/testkit';
import { stateHash } from './settlement.ts';

const document = familyDocument({
  pivot: 'await',
  held: 'one',
  first: 1,
  awaited: 'first',
  minted: true,
  apart: false,
});

test('the hash of a state tells every change of it, save what another hash in it names', () => {
  const { settlement } = new SettlementRun(document).match().answer('prepare-1/fcy', 'irregular');
  const hash = stateHash(settlement);
  for (const name of Object.keys(settlement)) {
    const changed = stateHash({
      ...settlement,
      [name]: Array.isArray(Object.entries(settlement).find(([key]) => key === name)?.[1]) ? [] : 'other',
    });
    const empty = ['copies', 'differences', 'cancels', 'opinions', 'residuals', 'participants', 'attention'].includes(
      name,
    );
    if (name === 'fields' || empty) assert.equal(changed, hash, name);
    else assert.notEqual(changed, hash, name);
  }
});

test('the hash of a state tells a change inside each operation', () => {
  const { settlement } = new SettlementRun(document).match().answer('prepare-1/fcy', 'irregular');
  const [first, ...others] = settlement.operations;
  assert.ok(first);
  for (const name of Object.keys(first)) {
    const operations = [{ ...first, [name]: 'other' }, ...others];
    assert.notEqual(stateHash({ ...settlement, operations }), stateHash(settlement), name);
  }
});

test('the hash of a proposal tells every copy by its hash', () => {
  const run = new SettlementRun(document).lodge('bank-a', 'one');
  const hash = stateHash(run.settlement);
  assert.notEqual(stateHash(run.lodge('bank-b', 'other').settlement), hash);
  const { settlement } = run;
  const [copy] = settlement.copies;
  assert.ok(copy);
  for (const name of ['organisation', 'hash', 'deadline']) {
    const copies = [{ ...copy, [name]: 'other' }, ...settlement.copies.slice(1)];
    assert.notEqual(stateHash({ ...settlement, copies }), stateHash(settlement), name);
  }
});
