import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerify, ed25519Signer } from '@linkspan/keys';
import { hashOf, type Operation, type SignedStatement, signOne, type Statement } from '@linkspan/protocol';
import fc from 'fast-check';
import { createStatementMemory, createTally, type Outcome } from './tally.ts';

const signers = ['1', '2', '3', '4', '5'].map((digit) => ed25519Signer(digit.repeat(64)));
const verify = createVerify({ memoize: 1_000 });
const operation: Operation = {
  id: hashOf('id'),
  network: hashOf('network'),
  settlement: hashOf('settlement'),
  system: 'rtgs',
  verb: 'hold',
  terms: { amount: '1' },
};

function statement(amount: string): Statement {
  const { id, network, settlement, system } = operation;
  return {
    schema: 'statement/1',
    network,
    settlement,
    operation: id,
    system,
    status: 'effective',
    terms: { amount },
    reason: '',
    transaction: 't',
  };
}

function said(index: number, amount: string): { key: (typeof signers)[number]['key']; signed: SignedStatement } {
  const signer = signers[index];
  assert.ok(signer);
  const one = statement(amount);
  return { key: signer.key, signed: { statement: one, signatures: [signOne(signer, one)] } };
}

test('whatever validators say and in whatever order: accepted only with a quorum, disagreement only without any left', () => {
  const scenario = fc.record({
    threshold: fc.constantFrom(2, 3),
    saying: fc
      .shuffledSubarray([0, 1, 2])
      .chain((order) =>
        fc.tuple(
          ...order.map((index) => fc.record({ index: fc.constant(index), amount: fc.constantFrom('1', '2', '3') })),
        ),
      ),
  });
  fc.assert(
    fc.property(scenario, ({ threshold, saying }) => {
      const keys = signers.slice(0, 3).map(({ key }) => key);
      const expected = { network: operation.network, system: 'rtgs', threshold, suspended: [], keys };
      const tally = createTally({ verify, operation, expected, said: createStatementMemory(100) });
      let outcome: Outcome | undefined;
      const votes = new Map<string, number>();
      for (const { index, amount } of saying) {
        votes.set(amount, (votes.get(amount) ?? 0) + 1);
        const { key, signed } = said(index, amount);
        const added = tally.add(key, signed);
        assert.ok(added.ok);
        outcome ??= added.value;
      }
      const most = Math.max(0, ...votes.values());
      const silent = 3 - saying.length;
      if (outcome?.kind === 'accepted') {
        assert.ok((votes.get(outcome.statement.terms['amount'] ?? '') ?? 0) >= threshold);
        assert.ok(new Set(outcome.signed.signatures.map(({ key }) => key)).size >= threshold);
      } else if (outcome?.kind === 'disagreement') {
        assert.ok(most + silent < threshold && votes.size > 1);
      } else {
        assert.ok(most < threshold && (most + silent >= threshold || votes.size < 2));
      }
    }),
  );
});

test('a key counts once, however often it answers', () => {
  const keys = signers.slice(0, 3).map(({ key }) => key);
  const tally = createTally({
    verify,
    operation,
    expected: { network: operation.network, system: 'rtgs', threshold: 2, suspended: [], keys },
    said: createStatementMemory(100),
  });
  const { key, signed } = said(0, '1');
  for (let i = 0; i < 3; i++) assert.deepEqual(tally.add(key, signed), { ok: true, value: undefined });
});

test('a key that says another thing than before is found out, over more than one asking', () => {
  const keys = signers.slice(0, 3).map(({ key }) => key);
  const memory = createStatementMemory(100);
  const expected = { network: operation.network, system: 'rtgs', threshold: 2, suspended: [], keys };
  const [before, after] = [said(0, '1'), said(0, '2')];
  createTally({ verify, operation, expected, said: memory }).add(before.key, before.signed);
  const added = createTally({ verify, operation, expected, said: memory }).add(after.key, after.signed);
  assert.ok(added.ok && added.value?.kind === 'equivocation');
  assert.deepEqual(added.value.statements, [before.signed, after.signed]);
});

test('what a stranger made up never gets into the memory', () => {
  const keys = signers.slice(0, 3).map(({ key }) => key);
  const memory = createStatementMemory(100);
  const expected = { network: operation.network, system: 'rtgs', threshold: 2, suspended: [], keys };
  const { key, signed } = said(0, '1');
  const forged = { ...signed, statement: statement('9') };
  const tally = createTally({ verify, operation, expected, said: memory });
  const refused = tally.add(key, forged);
  assert.ok(!refused.ok && refused.refusal.code === 'statement-signature-invalid');
  assert.deepEqual(tally.add(key, signed), { ok: true, value: undefined });
});

test('the memory keeps as many as it may', () => {
  const memory = createStatementMemory(2);
  const { key, signed } = said(0, '1');
  const about = (name: string, amount: string): SignedStatement => ({
    ...signed,
    statement: { ...statement(amount), operation: hashOf(name) },
  });
  for (const name of ['a', 'b', 'c']) memory.remember(key, about(name, '1'));
  assert.equal(memory.remember(key, about('a', '2')), undefined, 'the oldest is forgotten');
  assert.ok(memory.remember(key, about('c', '2')));
});
