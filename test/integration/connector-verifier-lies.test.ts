import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isObject } from '@linkspan/plugin';
import { type ErrorCode, hashOf, parse, signOne, type Statement, statementSchema } from '@linkspan/protocol';
import {
  accepted,
  createLiar,
  firstRefusal,
  type Lie,
  limit,
  type Network,
  newOperation,
  startNetwork,
  SYSTEM,
  TERMS,
  type TestValidator,
  verifierOf,
} from './connector-validators.ts';

test('what validators say and is not true', async (t) => {
  const network = await startNetwork(t);
  await t.test('answers that are not believed', (group) => answersNotBelieved(group, network));
  await t.test('validators that contradict', (group) => contradictions(group, network));
});

async function answersNotBelieved(t: TestContext, { endpoints }: Network): Promise<void> {
  const cases: readonly { readonly name: string; readonly code: ErrorCode; readonly lie: (before: unknown) => Lie }[] =
    [
      {
        name: 'a wrong signature',
        code: 'statement-signature-invalid',
        lie: () => (_, said) => changed(said, 'signature', (one) => ({ ...one, signature: 'ab'.repeat(64) })),
      },
      {
        name: 'changed terms',
        code: 'statement-signature-invalid',
        lie: () => (_, said) => changed(said, 'statement', (one) => ({ ...one, terms: { ...TERMS, amount: '4' } })),
      },
      {
        name: 'an old answer about another operation of another settlement',
        code: 'statement-other-operation',
        lie: (before) => () => before,
      },
      {
        name: 'another settlement',
        code: 'statement-other-settlement',
        lie: () => (_, said) => changed(said, 'statement', (one) => ({ ...one, settlement: hashOf('another') })),
      },
      {
        name: 'another network',
        code: 'statement-other-network',
        lie: () => (_, said) => changed(said, 'statement', (one) => ({ ...one, network: hashOf('another') })),
      },
      {
        name: 'another system',
        code: 'statement-other-system',
        lie: () => (_, said) => changed(said, 'statement', (one) => ({ ...one, system: 'csd' })),
      },
      { name: 'something else altogether', code: 'request-invalid', lie: () => () => ({ hello: 'world' }) },
    ];
  for (const { name, code, lie } of cases) {
    await t.test(`${name} is refused with its code, and the other two suffice`, async () => {
      const [first, second, third] = endpoints;
      assert.ok(first && second && third);
      await using honest = verifierOf(SYSTEM, endpoints);
      const before = await accepted(honest.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit()));
      const replay = { status: 'final', statement: before.signed.statement, signature: before.signed.signatures[0] };
      await using liar = await createLiar(first.url, lie(replay));
      const lied = { key: first.key, url: liar.url };
      const hold = newOperation(SYSTEM, 'hold', TERMS);
      assert.deepEqual(await firstRefusal([lied, second], hold), { key: first.key, code });
      await using verifier = verifierOf(SYSTEM, [lied, second, third]);
      const { signed } = await accepted(verifier.perform(hold, undefined, limit()));
      assert.deepEqual(
        signed.signatures.map(({ key }) => key),
        [second.key, third.key].toSorted(),
      );
    });
  }

  await t.test('a statement by another key than the one that was asked for is refused', async () => {
    const [first, second, third] = endpoints;
    assert.ok(first && second && third);
    // Two of the three addresses lead to one validator: its word must not count twice.
    const twice = { key: second.key, url: first.url };
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    assert.deepEqual(await firstRefusal([first, twice], hold), { key: second.key, code: 'statement-key-unknown' });
    await using verifier = verifierOf(SYSTEM, [first, twice, third]);
    const { signed } = await accepted(verifier.perform(hold, undefined, limit()));
    assert.deepEqual(
      signed.signatures.map(({ key }) => key),
      [first.key, third.key].toSorted(),
    );
  });

  await t.test('a suspended key does not count', async () => {
    const [first, second, third] = endpoints;
    assert.ok(first && second && third);
    await using verifier = verifierOf(SYSTEM, endpoints, { suspended: [first.key] });
    const { signed } = await accepted(verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit()));
    assert.deepEqual(
      signed.signatures.map(({ key }) => key),
      [second.key, third.key].toSorted(),
    );
  });

  await t.test('validators refuse operations of another network or system', async () => {
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    const elsewhere = await firstRefusal(endpoints, { ...hold, network: hashOf('another') });
    assert.equal(elsewhere.code, 'network-mismatch');
    assert.equal((await firstRefusal(endpoints, { ...hold, system: 'csd' })).code, 'statement-other-system');
  });

  await t.test('a reading that was changed on its way is not believed; the next validator is asked', async () => {
    const [first, second] = endpoints;
    assert.ok(first && second);
    await using liar = await createLiar(first.url, (_, said) =>
      changed(said, 'reading', (one) => ({ ...one, positions: [] })),
    );
    await using verifier = verifierOf(SYSTEM, [{ key: first.key, url: liar.url }, second]);
    const reading = await verifier.read({ type: 'balances' }, limit());
    assert.equal(reading.key, second.key);
  });
}

async function contradictions(t: TestContext, { endpoints, validators }: Network): Promise<void> {
  const [first, second, third] = endpoints;
  const [one, two] = validators;
  assert.ok(first && second && third && one && two);

  await t.test(
    'F31 a statement that one validator forges is not accepted; two that agree are, with the other as evidence',
    async () => {
      await using liar = await createLiar(first.url, forger(one, '4'));
      await using verifier = verifierOf(SYSTEM, [{ key: first.key, url: liar.url }, second, third], { threshold: 2 });
      const hold = newOperation(SYSTEM, 'hold', TERMS);
      const { statement, signed } = await accepted(verifier.perform(hold, undefined, limit()));
      assert.deepEqual(statement.terms, TERMS);
      assert.deepEqual(
        signed.signatures.map(({ key }) => key),
        [second.key, third.key].toSorted(),
      );
    },
  );

  await t.test('F31 when no quorum can agree any more, nothing is accepted and both statements are kept', async () => {
    await using liar = await createLiar(first.url, forger(one, '4'));
    await using another = await createLiar(second.url, forger(two, '5'));
    await using verifier = verifierOf(SYSTEM, [
      { key: first.key, url: liar.url },
      { key: second.key, url: another.url },
      third,
    ]);
    const outcome = await verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit());
    assert.equal(outcome.kind, 'disagreement');
    assert.ok(outcome.kind === 'disagreement');
    assert.notDeepEqual(outcome.statements[0].statement, outcome.statements[1].statement);
  });

  await t.test('F32 a key that says two things about one operation is found out, and both are kept', async () => {
    let asked = 0;
    const fickle: Lie = (path, said) => (++asked > 1 ? forger(one, '4')(path, said) : said);
    await using liar = await createLiar(first.url, fickle);
    await using verifier = verifierOf(SYSTEM, [{ key: first.key, url: liar.url }, second, third], { threshold: 3 });
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    await accepted(verifier.perform(hold, undefined, limit()));
    const outcome = await verifier.attest(hold, limit());
    assert.ok(outcome.kind === 'equivocation');
    assert.equal(outcome.key, first.key);
    assert.deepEqual(
      outcome.statements.map(({ statement }) => statement.terms['amount']),
      ['3', '4'],
    );
  });
}

/** Signs with the validator's own key that another amount was moved. */
function forger(validator: TestValidator, amount: string): Lie {
  return (_, said) => {
    const statement = isObject(said) ? parse(statementSchema, said['statement'], 'request-invalid') : undefined;
    if (!statement?.ok) return said;
    const forged: Statement = { ...statement.value, terms: { ...statement.value.terms, amount } };
    return { status: 'final', statement: forged, signature: signOne(validator.signer, forged) };
  };
}

function changed(said: unknown, member: string, change: (one: Readonly<Record<string, unknown>>) => unknown): unknown {
  return isObject(said) && isObject(said[member]) ? { ...said, [member]: change(said[member]) } : said;
}
