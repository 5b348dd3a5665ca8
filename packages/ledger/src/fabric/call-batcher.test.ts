import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, type CallBody, Fault, hashSchema, type JsonObject, type SignedCall } from '@linkspan/protocol';
import { sampleNetwork } from '@linkspan/testkit';
import fc from 'fast-check';
import { CallBatcher } from './call-batcher.ts';
import type { Written } from './write-transaction.ts';

const sample = sampleNetwork();
const PROPOSALS = ['a', 'b', 'c', 'd'].map((digit) => `sha256:${digit.repeat(64)}` as const);

test('one call goes at once; what comes meanwhile shares the next transaction', async () => {
  const { batcher, transactions, release } = held();
  const first = batcher.submit([callOf('a', 0)]);
  await new Promise(setImmediate);
  const others = [1, 2, 3].map((i) => batcher.submit([callOf('b', i)]));
  assert.deepEqual(
    transactions.map(({ length }) => length),
    [1],
  );
  release();
  await Promise.all([first, ...others]);
  assert.deepEqual(
    transactions.map(({ length }) => length),
    [1, 3],
  );
});

test('small submissions share a transaction; large ones each have their own', async () => {
  const sizes: number[] = [];
  const batcher = new CallBatcher(async (calls) => {
    sizes.push(calls.length);
    return written(calls);
  });
  const submit = (count: number, proposal: string) =>
    batcher.submit(Array.from({ length: count }, (_, i) => callOf(proposal, i)));
  const [a = '', b = '', c = '', d = ''] = PROPOSALS;
  await Promise.all([submit(32, a), submit(32, b), submit(80, c), submit(8, d), submit(9, d)]);
  assert.deepEqual(sizes, [49, 32, 80]);
});

test('when enough wait, the next transaction is endorsed while the last one is ordered, but never about the same settlement', async () => {
  const transactions: {
    readonly nonces: readonly string[];
    readonly endorsed: () => void;
    readonly done: () => void;
  }[] = [];
  const batcher = new CallBatcher((calls, endorsed) => {
    const gate = Promise.withResolvers<void>();
    transactions.push({ nonces: calls.map(nonceOf), endorsed, done: gate.resolve });
    return gate.promise.then(() => written(calls));
  });
  const first = batcher.submit([callOf(PROPOSALS[0] ?? '', 0)]);
  await new Promise(setImmediate);
  const others = Array.from({ length: 12 }, (_, i) => batcher.submit([callOf(PROPOSALS[i % 2] ?? '', i + 1)]));
  const seen = async () => {
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    return transactions.map(({ nonces }) => nonces.map(Number));
  };
  assert.deepEqual(await seen(), [[0]]);
  transactions[0]?.endorsed();
  assert.deepEqual(await seen(), [[0], [2, 4, 6, 8, 10, 12]]);
  transactions[1]?.endorsed();
  assert.equal((await seen()).length, 2);
  transactions[0]?.done();
  assert.deepEqual((await seen()).at(-1), [1, 3, 5, 7, 9, 11]);
  for (const { done } of transactions) done();
  await Promise.all([first, ...others]);
  await batcher.idle();
});

test('everybody gets the results of their own calls, in order, however transactions conflict', async () => {
  const submissions = fc.array(
    fc.array(fc.record({ proposal: fc.nat(PROPOSALS.length - 1) }), { minLength: 1, maxLength: 5 }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(submissions, fc.array(fc.boolean(), { maxLength: 30 }), async (all, conflicts) => {
      const applied: string[] = [];
      const luck = [...conflicts];
      const batcher = new CallBatcher(async (calls) => {
        if (luck.shift()) return { kind: 'conflict' };
        applied.push(...calls.map(nonceOf));
        return written(calls);
      });
      let number = 0;
      const calls = all.map((each) => each.map(({ proposal }) => callOf(PROPOSALS[proposal] ?? 'a', number++)));
      const results = await Promise.all(calls.map((each) => batcher.submit(each)));
      assert.deepEqual(
        results.map((each) => each.map((result) => result.ok && result.value['nonce'])),
        calls.map((each) => each.map(nonceOf)),
      );
      assert.equal(new Set(applied).size, applied.length, 'nothing is written twice');
      // Calls about one settlement keep their order, whatever was split.
      for (const proposal of PROPOSALS) {
        const own = new Set(
          calls
            .flat()
            .filter((call) => subjectOf(call) === proposal)
            .map(nonceOf),
        );
        const order = applied.filter((nonce) => own.has(nonce)).map(Number);
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      }
    }),
  );
});

test('a settlement that others keep changing holds up no other', async () => {
  const contested = PROPOSALS[0];
  const batcher = new CallBatcher(async (calls) =>
    calls.some((call) => subjectOf(call) === contested) ? { kind: 'conflict' } : written(calls),
  );
  const [bad, good] = await Promise.allSettled([
    batcher.submit([callOf(contested ?? '', 1)]),
    batcher.submit([callOf(PROPOSALS[1] ?? '', 2)]),
  ]);
  assert.ok(bad?.status === 'rejected' && bad.reason instanceof Fault && bad.reason.code === 'ledger-unavailable');
  assert.equal(good?.status, 'fulfilled');
});

test('one contested settlement among many is alone after a few transactions', async () => {
  const proposals = Array.from({ length: 64 }, (_, i) => `sha256:${String(i).padStart(64, '0')}` as const);
  let transactions = 0;
  let contested = 12;
  const batcher = new CallBatcher(async (calls) => {
    transactions += 1;
    const meets = calls.some((call) => subjectOf(call) === proposals[40]);
    if (meets && contested > 0) contested -= 1;
    else return written(calls);
    return { kind: 'conflict' };
  });
  const calls = proposals.map((proposal, i) =>
    sample.call('csd-b', { type: 'expire', proposal: hashSchema.parse(proposal) }, String(i)),
  );
  const results = await batcher.submit(calls);
  assert.deepEqual(
    results.map((result) => result.ok && result.value['nonce']),
    calls.map(nonceOf),
  );
  assert.ok(transactions <= 20, `${transactions} transactions`);
});

test('who breaks the contract gets the fault alone', async () => {
  const batcher = new CallBatcher(async (calls) =>
    calls.some((call) => nonceOf(call) === '13') ? { kind: 'broken', message: 'broke' } : written(calls),
  );
  const settled = await Promise.allSettled([12, 13, 14].map((i) => batcher.submit([callOf('a', i)])));
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('a ledger without an answer is a fault for all, which says whether it may have happened', async () => {
  const fault = new Fault('ledger-unavailable', 'nobody answers', { mayHaveHappened: true });
  const batcher = new CallBatcher(async () => {
    throw fault;
  });
  for (const submitted of [batcher.submit([callOf('a', 1)]), batcher.submit([callOf('b', 2)])])
    await assert.rejects(submitted, (error) => error === fault);
});

/** A batcher whose transactions wait until they are released. */
function held() {
  const transactions: (readonly SignedCall[])[] = [];
  const gate = Promise.withResolvers<void>();
  const batcher = new CallBatcher(async (calls) => {
    transactions.push(calls);
    await gate.promise;
    return written(calls);
  });
  return { batcher, transactions, release: gate.resolve };
}

function written(calls: readonly SignedCall[]): Written {
  return { kind: 'results', results: calls.map((call) => accept<JsonObject>({ nonce: nonceOf(call) })) };
}

function callOf(proposal: string, nonce: number): SignedCall {
  const known = PROPOSALS.find((each) => each === proposal) ?? PROPOSALS[0];
  assert.ok(known);
  const body: CallBody = { type: 'expire', proposal: known };
  return sample.call('csd-b', body, String(nonce));
}

function nonceOf({ call }: SignedCall): string {
  return call.nonce;
}

function subjectOf({ call }: SignedCall): string {
  return 'proposal' in call.body ? call.body.proposal : '';
}
