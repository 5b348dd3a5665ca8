import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { identityOf } from './identity.ts';
import { answersOf, creatorOf, holdOf, id, MEMBERS, signed, signedEpoch, SIGNERS, TestToken } from './test-support.ts';

const execute = (certificate: object, operation = 'op', hold = 'a') => close('execute', certificate, operation, hold);
const release = (certificate: object, operation = 'op', hold = 'a') => close('release', certificate, operation, hold);
const fence = (words: string, reason = 'TIMO') => ({ type: 'fence', operation: id(words), reason });
const abort = () => signed({ kind: 'abort' });

function close(type: string, certificate: object, operation: string, hold: string): object {
  return { type, hold: id(hold), certificate, ...(operation === '' ? {} : { operation: id(operation) }) };
}

test('only the issuer’s member service starts a token, once; only who started it issues', async () => {
  const token = await TestToken.start();
  const start = { type: 'start', network: id('network'), epoch: 1, quorum: 1, signers: [SIGNERS[0]?.address] };
  assert.equal(await token.ask('issuer', start), 'started-already');
  assert.equal(await new TestToken().ask('executor', start), 'not-issuer');
  assert.equal(await new TestToken().ask('issuer', holdOf('a')), 'not-started');
  assert.equal(await token.ask('executor', { type: 'issue', account: '0042', amount: '1' }), 'not-issuer');
});

test('a hold earmarks; one id has one effect, whatever the second content is and whoever asks', async () => {
  const token = await TestToken.start();
  await token.done('executor', holdOf('a'));
  assert.equal(await token.ask('second', holdOf('a')), 'before');
  assert.equal(await token.ask('executor', holdOf('a', { amount: '101' })), 'id-used');
  assert.equal(await token.ask('executor', release(abort(), 'a')), 'id-used');
  assert.deepEqual(await token.position('0042'), ['1000', '100']);
  assert.equal(await token.ask('executor', holdOf('b', { amount: '901' })), 'cash-short');
  assert.equal(await token.ask('executor', holdOf('b', { to: '7777' })), 'account-unknown');
  assert.equal(await token.ask('executor', holdOf('b', { to: '0042' })), 'accounts-equal');
  assert.equal(await token.ask('executor', holdOf('b', { amount: '0' })), 'request-invalid');
  await token.done('executor', holdOf('b', { amount: '900' }));
});

test('held amounts are out of reach of transfers', async () => {
  const token = await TestToken.start();
  await token.done('executor', holdOf('a', { amount: '600' }));
  const transfer = (amount: string) => ({ type: 'transfer', from: '0042', to: '0099', amount });
  assert.equal(await token.ask('issuer', transfer('401')), 'cash-short');
  assert.equal(await token.ask('executor', transfer('1')), 'not-owner');
  await token.done('issuer', transfer('400'));
  await token.done('executor', execute(signed()));
  assert.deepEqual(
    [await token.position('0042'), await token.position('0099')],
    [
      ['0', '0'],
      ['1000', '0'],
    ],
  );
});

test('nobody but an executor whom the account appointed can hold, and nobody squats an id', async () => {
  const token = await TestToken.start();
  assert.equal(await token.ask('stranger', holdOf('a')), 'not-executor');
  assert.equal(await token.ask('stranger', fence('a')), 'not-executor');
  const operator = identityOf(creatorOf('second'));
  await token.done('issuer', { type: 'revoke', account: '0042', operator });
  assert.equal(await token.ask('second', holdOf('a')), 'not-operator');
  await token.done('issuer', { type: 'remove-executor', identity: operator });
  assert.equal(await token.ask('second', fence('a')), 'not-executor');
  await token.done('executor', holdOf('a'));
});

test('only a commit certificate of the hold’s settlement that names it delivers; anybody may bring it, once', async () => {
  const token = await TestToken.start();
  await token.done('executor', holdOf('a'));
  const refused: readonly (readonly [object, string])[] = [
    [abort(), 'certificate-wrong-kind'],
    [signed({ network: id('other') }), 'certificate-wrong-network'],
    [signed({ settlement: id('other') }), 'certificate-wrong-settlement'],
    [signed({ operations: [id('b')] }), 'certificate-operation-not-named'],
    [signed({ epoch: 2 }), 'certificate-epoch-unknown'],
    [signed({ epoch: 0 }), 'certificate-epoch-old'],
    [signed({}, MEMBERS.slice(0, 1)), 'certificate-too-few-signatures'],
    [signed({}, [...MEMBERS.slice(0, 1), ...MEMBERS.slice(0, 1)]), 'certificate-signers-unsorted'],
    [signed({}, MEMBERS.slice(0, 2).toReversed()), 'certificate-signers-unsorted'],
    [signed({}, SIGNERS.slice(2, 4)), 'certificate-signature-invalid'],
    [{ ...signed(), block: 13 }, 'certificate-signature-invalid'],
    [{ ...signed(), path: { index: 2, size: 2, hashes: [] } }, 'certificate-path-invalid'],
  ];
  for (const [certificate, code] of refused) {
    assert.equal(await token.ask('executor', execute(certificate)), code);
    assert.equal(await token.ask('stranger', execute(certificate, '')), code);
  }
  assert.deepEqual(await token.position('0042'), ['1000', '100']);
  await token.done('stranger', execute(signed(), ''));
  assert.equal(await token.ask('executor', execute(signed())), 'hold-closed');
  assert.equal(await token.ask('executor', release(abort())), 'hold-closed');
  assert.deepEqual(
    [await token.position('0042'), await token.position('0099')],
    [
      ['900', '0'],
      ['100', '0'],
    ],
  );
});

test('an abort certificate releases; the release of a hold that never was is its fence', async () => {
  const token = await TestToken.start();
  await token.done('executor', holdOf('a'));
  assert.equal(await token.ask('executor', release(signed())), 'certificate-wrong-kind');
  await token.done('executor', release(abort()));
  assert.equal(await token.ask('executor', release(abort())), 'before');
  assert.deepEqual(await token.position('0042'), ['1000', '0']);
  await token.done('stranger', release(signed({ kind: 'abort', operations: [id('never')] }), '', 'never'));
  assert.equal(await token.ask('executor', holdOf('never')), 'operation-dead');
  const itself = release(signed({ kind: 'abort', operations: [id('self')] }), 'self', 'self');
  assert.equal(await token.ask('executor', itself), 'hold-unknown');
});

test('a fenced id never takes effect and keeps its first reason; its hold is open to another id', async () => {
  const token = await TestToken.start();
  await token.done('executor', holdOf('a'));
  await token.done('executor', fence('op', 'MONY'));
  assert.equal(await token.ask('executor', fence('op', 'NARR')), 'before');
  const { payload } = await token.simulate('executor', execute(signed()));
  assert.match(payload, /"code":"operation-dead","reason":"MONY"/);
  await token.done('executor', execute(signed(), 'again'));
  assert.equal(await token.ask('executor', fence('a')), 'before', 'an effect stays one');
});

test('anybody fences what an abort or fence certificate names, and nothing else', async () => {
  const token = await TestToken.start();
  const named = { ...fence('op'), certificate: signed({ kind: 'fence', operations: [id('op')] }) };
  assert.equal(await token.ask('stranger', { ...named, operation: id('b') }), 'certificate-operation-not-named');
  assert.equal(await token.ask('stranger', { ...named, certificate: signed() }), 'certificate-wrong-kind');
  await token.done('stranger', named);
});

test('the next epoch comes under a quorum of the latest; a hold knows no older one than its own', async () => {
  const token = await TestToken.start();
  await token.done('executor', holdOf('early'));
  const install = (epoch: object) => ({ type: 'install-epoch', ...epoch });
  assert.equal(await token.ask('stranger', install(signedEpoch({ epoch: 3 }))), 'epoch-not-next');
  assert.equal(
    await token.ask('stranger', install(signedEpoch({}, SIGNERS.slice(3)))),
    'certificate-signature-invalid',
  );
  await token.done('stranger', install(signedEpoch()));
  await token.done('executor', holdOf('a'));
  assert.equal(await token.ask('executor', execute(signed())), 'certificate-epoch-old');
  await token.done('executor', execute(signed({ operations: [id('early')] }), 'x', 'early'));
  await token.done('executor', execute(signed({ epoch: 2 }, SIGNERS.slice(2, 4))));
});

test('a transaction of many requests: each is answered alone, they see each other, and one event tells of all', async () => {
  const token = await TestToken.start();
  const before = token.peer.events.length;
  const simulation = await token.simulate(
    'executor',
    holdOf('a', { amount: '700' }),
    holdOf('b', { amount: '400' }),
    holdOf('c', { amount: '300' }),
    holdOf('a', { amount: '700' }),
    execute(signed()),
  );
  assert.deepEqual(answersOf(simulation), ['now', 'cash-short', 'now', 'before', 'now']);
  assert.ok(token.peer.commit(simulation));
  assert.deepEqual(await token.position('0042'), ['300', '300']);
  assert.equal(token.peer.events.length, before + 1);
  const changes: { type: string; operation: string }[] = JSON.parse(token.peer.events.at(-1) ?? '[]');
  assert.deepEqual(
    changes.map(({ type, operation }) => [type, operation]),
    [
      ['held', id('a')],
      ['held', id('c')],
      ['executed', id('op')],
    ],
  );
});

test('what changes nothing writes nothing and tells nothing', async () => {
  const token = await TestToken.start();
  const { writes, event } = await token.simulate('executor', holdOf('a', { amount: '1001' }), { type: 'nonsense' });
  assert.deepEqual([writes.size, event], [0, undefined]);
});

test('two transactions on one account: the later one does not count and is asked again; on two accounts both count', async () => {
  const token = await TestToken.start();
  const [one, two] = [await token.simulate('executor', holdOf('a')), await token.simulate('second', holdOf('b'))];
  assert.deepEqual([token.peer.commit(one), token.peer.commit(two)], [true, false]);
  await token.done('second', holdOf('b'));
  const fences = [await token.simulate('executor', fence('x')), await token.simulate('second', fence('y'))];
  assert.deepEqual(
    fences.map((each) => token.peer.commit(each)),
    [true, true],
  );
});

test('whatever is asked, balances add up to what was issued, and held amounts to the open holds', async () => {
  const words = fc.constantFrom('a', 'b', 'c', 'd');
  const request = fc.oneof(
    fc
      .record({ words, amount: fc.integer({ min: 1, max: 600 }) })
      .map(({ words: hold, amount }) => holdOf(hold, { amount: String(amount) })),
    fc
      .record({ verb: fc.constantFrom('execute', 'release'), op: fc.constantFrom('', 'x', 'y', 'a'), hold: words })
      .map(({ verb, op, hold }) =>
        close(verb, signed({ kind: verb === 'execute' ? 'commit' : 'abort', operations: [id(hold)] }), op, hold),
      ),
    fc.constantFrom('a', 'b', 'x', 'y').map((operation) => fence(operation)),
    fc
      .integer({ min: 1, max: 300 })
      .map((amount) => ({ type: 'transfer', from: '0042', to: '0099', amount: String(amount) })),
  );
  const asked = fc.array(fc.tuple(fc.constantFrom('executor', 'issuer', 'stranger'), request), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(asked, async (requests) => {
      const token = await TestToken.start();
      for (const [who, each] of requests) await token.ask(who, each);
      const [payer, payee] = [await token.position('0042'), await token.position('0099')];
      assert.equal(BigInt(payer[0]) + BigInt(payee[0]), 1000n);
      const open = [...token.peer.state]
        .filter(([key]) => key.startsWith('hold/'))
        .map(([, value]): { status: string; amount: string } => JSON.parse(value))
        .filter(({ status }) => status === 'held');
      assert.equal(
        BigInt(payer[1]),
        open.reduce((sum, { amount }) => sum + BigInt(amount), 0n),
      );
      assert.ok(BigInt(payer[1]) <= BigInt(payer[0]) && payee[1] === '0');
    }),
    { numRuns: 60 },
  );
});
