import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, hashToHex, type Operation, type Verb } from '@linkspan/protocol';
import { type HoldRecord, type OperationRecord, termsOf, verdicts } from './operation-state.ts';

const ASSET = { system: 'fcy-evm', currency: 'USD' };
const SETTLEMENT = hashOf('settlement');
const HOLD = hashOf('hold');
const [FROM, TO] = [`0x${'1'.repeat(40)}`, `0x${'2'.repeat(40)}`] as const;

function operation(verb: Verb): Operation {
  const moved = { from: `fcy-evm:${FROM}`, to: `fcy-evm:${TO}`, amount: '6711.41', currency: 'USD' };
  const terms = verb === 'hold' ? moved : { ...moved, hold: HOLD };
  return {
    id: verb === 'hold' ? HOLD : hashOf(verb),
    network: hashOf('network'),
    settlement: SETTLEMENT,
    system: 'fcy-evm',
    verb,
    terms,
  };
}

const NOTHING: OperationRecord = { status: 'none', kind: 'none', reason: '', block: 0, hold: '0x' };
const FENCED: OperationRecord = { ...NOTHING, status: 'fenced', reason: 'TIMO', block: 20 };

function hold(status: HoldRecord['status'], closedBlock = 0): HoldRecord {
  return { status, closedBlock, from: FROM, to: TO, amount: 671_141n, settlement: hashToHex(SETTLEMENT) };
}

function effective(kind: 'hold' | 'execute' | 'release', block = 10): OperationRecord {
  return { status: 'effective', kind, reason: '', block, hold: hashToHex(HOLD) };
}

test('what took effect under its own id is told with the terms that were asked', () => {
  const cases = [
    ['hold', hold('held')],
    ['execute', hold('executed', 10)],
    ['release', hold('released', 10)],
  ] as const;
  for (const [verb, state] of cases) {
    const asked = operation(verb);
    const [only, ...others] = verdicts(asked, effective(verb), state);
    assert.ok(only?.status === 'effective' && others.length === 0);
    assert.deepEqual(termsOf(asked, only, ASSET), asked.terms);
    assert.equal(only.proof.block, 10);
  }
});

test('a hold that a stranger closed was closed, the way that it was', () => {
  const [execute, release] = [operation('execute'), operation('release')];
  const [delivered] = verdicts(execute, NOTHING, hold('executed', 12));
  assert.ok(delivered?.status === 'effective');
  assert.deepEqual(delivered.proof, { event: 'Executed', id: hashToHex(HOLD), block: 12 });
  assert.deepEqual(termsOf(execute, delivered, ASSET), execute.terms);
  assert.deepEqual(verdicts(release, NOTHING, hold('executed', 12)), []);
  assert.equal(verdicts(release, NOTHING, hold('released', 12))[0]?.status, 'effective');
});

test('between a fence and a stranger the earlier one counts', () => {
  const execute = operation('execute');
  assert.deepEqual(
    verdicts(execute, FENCED, hold('executed', 19)).map(({ status }) => status),
    ['effective', 'dead'],
  );
  assert.deepEqual(
    verdicts(execute, FENCED, hold('executed', 21)).map(({ status }) => status),
    ['dead', 'effective'],
  );
  assert.deepEqual(
    verdicts(execute, FENCED, hold('held')).map(({ status }) => status),
    ['dead'],
  );
});

test('nothing is known of what was never seen', () => {
  assert.deepEqual(verdicts(operation('hold'), NOTHING, hold('none')), []);
  assert.deepEqual(verdicts(operation('execute'), NOTHING, hold('held')), []);
});

test('an effect of another kind or settlement cannot look like what was asked', () => {
  const asked = operation('execute');
  const [asHold] = verdicts(asked, effective('release'), hold('released', 10));
  assert.ok(asHold?.status === 'effective');
  assert.equal(termsOf(asked, asHold, ASSET)['verb'], 'release');
  const [elsewhere] = verdicts({ ...asked, settlement: hashOf('another') }, effective('execute'), hold('executed', 10));
  assert.ok(elsewhere?.status === 'effective');
  assert.equal(termsOf({ ...asked, settlement: hashOf('another') }, elsewhere, ASSET)['settlement'], SETTLEMENT);
});
