import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf, type Operation, problemDetails } from '@linkspan/protocol';
import fc from 'fast-check';
import {
  parseAnswer,
  parseAttest,
  parseFence,
  parseObservationQuery,
  parseProblem,
  parseRead,
  parseSignedObservation,
  parseSignedReading,
  parseSubmit,
} from './wire.ts';

const operation: Operation = {
  id: hashOf('operation'),
  network: hashOf('network'),
  settlement: hashOf('settlement'),
  system: 'rtgs',
  verb: 'hold',
  terms: { from: 'rtgs:1', to: 'rtgs:2', amount: '1', currency: 'JPY' },
};
const signature = { key: `ed25519:${'1'.repeat(64)}`, signature: '2'.repeat(128) } as const;

test('an operation with half a character in it is refused before anything hashes it', () => {
  const half = { ...operation, terms: { ...operation.terms, from: 'rtgs:\ud800' } };
  for (const read of [parseSubmit, parseAttest]) assert.ok(!read({ operation: half, waitMs: 1 }).ok);
});

test('requests and answers are read as they are written', () => {
  const requests = { operation, waitMs: 5, reason: 'TIMO' };
  assert.deepEqual(parseFence(json(requests)), { ok: true, value: requests });
  assert.deepEqual(parseSubmit(json({ operation })), { ok: true, value: { operation, waitMs: 0 } });
  assert.deepEqual(parseAttest(json({ operation, waitMs: 9 })), { ok: true, value: { operation, waitMs: 9 } });
  const query = { type: 'balances', accounts: ['1'] };
  assert.deepEqual(parseRead(json({ query, nonce: 'abc' })), { ok: true, value: { query, nonce: 'abc' } });
  const { id, network, settlement, system, terms } = operation;
  const statement = {
    schema: 'statement/1',
    network,
    settlement,
    operation: id,
    system,
    status: 'effective',
    terms,
    reason: '',
    transaction: 't',
  };
  const answer = { status: 'final', statement, signature };
  assert.deepEqual(parseAnswer(json(answer)), { ok: true, value: answer });
  assert.deepEqual(parseAnswer({ status: 'pending' }), { ok: true, value: { status: 'pending' } });
  const observation = {
    schema: 'observation/1',
    network,
    system,
    after: '7',
    operation: id,
    status: 'dead',
    terms: {},
    reason: 'TIMO',
    transaction: '',
  };
  assert.deepEqual(parseSignedObservation(json({ observation, signature })), {
    ok: true,
    value: { observation, signature },
  });
  const positions = [{ account: '1', asset: 'JPY', balance: '-5', held: '0' }];
  const reading = { schema: 'reading/1', network, system, nonce: 'abc', query, cursor: '7', positions };
  assert.deepEqual(parseSignedReading(json({ reading, signature })), { ok: true, value: { reading, signature } });
  assert.deepEqual(parseObservationQuery({ after: '3.1', operations: `${id},${settlement}` }), {
    ok: true,
    value: { after: '3.1', filter: { operations: [id, settlement] } },
  });
});

test('a request that is wrong in several places is refused with all of them', () => {
  const read = parseFence({ operation: { ...operation, verb: 'steal' }, reason: 'too long', waitMs: -1, more: 1 });
  assert.ok(!read.ok);
  const pointers = read.refusal.problems?.map(({ pointer }) => pointer).toSorted();
  assert.deepEqual(pointers, ['/more', '/operation/verb', '/reason', '/waitMs']);
});

test('no input makes a parser throw', () => {
  const parsers = [
    parseAnswer,
    parseAttest,
    parseFence,
    parseObservationQuery,
    parseRead,
    parseSignedObservation,
    parseSignedReading,
    parseSubmit,
  ];
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const parser of parsers) assert.equal(typeof parser(value).ok, 'boolean');
    }),
  );
});

test('a problem document is read back as the refusal it tells of; an unknown code is none', () => {
  const refusal = { code: 'network-mismatch', message: 'For another network.' } as const;
  assert.deepEqual(parseProblem(problemDetails(refusal)), refusal);
  assert.equal(parseProblem({ code: 'toString' }), undefined);
  assert.equal(parseProblem('text'), undefined);
});

function json(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
