import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hash, hashOf, hashToHex, type Operation } from '@linkspan/protocol';
import { verdicts } from './operation-verdict.ts';
import { type HoldRecord, tokenReader } from './token-records.ts';

const ASSET = { system: 'cash', currency: 'USD' };
const [SETTLEMENT, OTHER, HOLD] = [hashOf('settlement'), hashOf('other'), hashOf('hold')];
const TERMS = { from: 'cash:0042', to: 'cash:0099', amount: '1.00', currency: 'USD' };

test('an effect is told with the terms that the chaincode keeps', () => {
  const operation = { status: 'effective', kind: 'hold', hold: hashToHex(HOLD), transaction: 'tx' } as const;
  const [found, ...others] = verdicts(of(HOLD, 'hold'), { operation, hold: held() }, ASSET);
  assert.deepEqual(found, { operation: HOLD, status: 'effective', terms: TERMS, reason: '', transaction: 'tx' });
  assert.deepEqual(others, []);
});

test('what took effect for another settlement, as another verb or on another hold never looks regular', () => {
  const operation = { status: 'effective', kind: 'release', hold: hashToHex(OTHER), transaction: 'tx' } as const;
  const [found] = verdicts(of(hashOf('op'), 'execute'), { operation, hold: held() }, ASSET);
  assert.deepEqual(found?.terms, { hold: OTHER, verb: 'release' });
  const own = { ...operation, kind: 'hold', hold: hashToHex(HOLD) } as const;
  const elsewhere = { ...held(), settlement: hashToHex(OTHER) };
  const [seen] = verdicts(of(HOLD, 'hold'), { operation: own, hold: elsewhere }, ASSET);
  assert.deepEqual(seen?.terms, { ...TERMS, settlement: OTHER });
});

test('a hold that a stranger delivered is delivered for its execute id, and for no release', () => {
  const hold: HoldRecord = { ...held(), status: 'executed', closedBy: 'stranger' };
  const [found] = verdicts(of(hashOf('op'), 'execute'), { operation: undefined, hold }, ASSET);
  assert.deepEqual([found?.status, found?.transaction], ['effective', 'stranger']);
  assert.deepEqual(verdicts(of(hashOf('op'), 'release'), { operation: undefined, hold }, ASSET), []);
});

test('an id that is fenced and whose hold was delivered has two outcomes, of which the channel knows the earlier', () => {
  const hold: HoldRecord = { ...held(), status: 'executed', closedBy: 'stranger' };
  const operation = { status: 'fenced', reason: 'TIMO', transaction: 'fence' } as const;
  const found = verdicts(of(hashOf('op'), 'execute'), { operation, hold }, ASSET);
  assert.deepEqual(
    found.map(({ status, transaction }) => [status, transaction]),
    [
      ['dead', 'fence'],
      ['effective', 'stranger'],
    ],
  );
});

test('a chaincode that answers something else is no answer', () => {
  const read = tokenReader('cash');
  const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  for (const value of [null, [], { operation: { status: 'maybe', transaction: 'x' } }, { hold: { status: 'held' } }])
    assert.throws(() => read.records(bytes(value)), /does not know/);
  assert.throws(() => read.answers(Buffer.from('no JSON')), /does not know/);
  assert.throws(() => read.rows(bytes([{ account: 'a', balance: '-1', held: '0' }])), /does not know/);
  assert.deepEqual(read.changes(bytes([{ type: 'issued', account: 'a', amount: '1' }])), [undefined]);
});

function of(id: Hash, verb: 'hold' | 'execute' | 'release'): Operation {
  const terms = verb === 'hold' ? TERMS : { ...TERMS, hold: HOLD };
  return { id, network: hashOf('network'), settlement: SETTLEMENT, system: 'cash', verb, terms };
}

function held(): HoldRecord {
  const [settlement, amount] = [hashToHex(SETTLEMENT), 100n];
  return { status: 'held', settlement, from: '0042', to: '0099', amount, closedBy: '' };
}
