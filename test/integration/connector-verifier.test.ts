import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isObject, type ValidatorEndpoint, type Verifier } from '@linkspan/plugin';
import {
  checkStatement,
  type ErrorCode,
  Fault,
  hashOf,
  type Operation,
  parse,
  type SigningKey,
  signOne,
  type Statement,
  statementSchema,
} from '@linkspan/protocol';
import { certify, NETWORK, startWeb, type SystemProcess, webConnectorConfig } from './connector-systems.ts';
import {
  createLiar,
  createTestValidator,
  type Lie,
  newOperation,
  type TestValidator,
  verifierOf,
  verify,
} from './connector-validators.ts';

const SYSTEM = 'rtgs';
const TERMS = { from: 'rtgs:0042', to: 'rtgs:0099', amount: '3', currency: 'JPY' };

test('verifier and validators over HTTP, two of three', async (t) => {
  const system = await startWeb(SYSTEM);
  const validators = await Promise.all(
    [0, 1, 2].map((n) => createTestValidator(SYSTEM, webConnectorConfig(system.url, n))),
  );
  t.after(async () => {
    for (const validator of validators) await validator[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });
  const network = { system, validators, endpoints: validators.map(({ endpoint }) => endpoint) };
  await t.test('what goes well', (group) => whatGoesWell(group, network));
  await t.test('answers that are not believed', (group) => answersNotBelieved(group, network));
  await t.test('validators that contradict', (group) => contradictions(group, network));
  await t.test('silence', (group) => silence(group, network));
});

type Network = {
  readonly system: SystemProcess;
  readonly validators: readonly TestValidator[];
  readonly endpoints: readonly ValidatorEndpoint[];
};

async function whatGoesWell(t: TestContext, { endpoints, system }: Network): Promise<void> {
  await t.test(
    'a hold and its delivery are accepted with the statements of two keys that anybody can check',
    async () => {
      await using verifier = verifierOf(SYSTEM, endpoints);
      const hold = newOperation(SYSTEM, 'hold', TERMS);
      const held = await accepted(verifier.perform(hold, undefined, limit()));
      assert.equal(held.statement.status, 'effective');
      assert.deepEqual(held.statement.terms, TERMS);
      const keys = endpoints.map(({ key }) => key);
      const expected = {
        network: NETWORK,
        settlement: hold.settlement,
        system: SYSTEM,
        keys,
        suspended: [],
        threshold: 2,
      };
      assert.ok(checkStatement(verify, held.signed, expected).ok);
      const execute = newOperation(SYSTEM, 'execute', { ...TERMS, hold: hold.id }, hold.settlement);
      const done = await accepted(verifier.perform(execute, certify('commit', hold.settlement, [], 2), limit()));
      assert.deepEqual(done.statement.terms, execute.terms);
    },
  );

  await t.test(
    'what the system refuses is fenced and accepted as dead, with the reason that the system stored',
    async () => {
      await using verifier = verifierOf(SYSTEM, endpoints);
      const hold = newOperation(SYSTEM, 'hold', { ...TERMS, amount: '999999999' });
      const { statement } = await accepted(verifier.perform(hold, undefined, limit()));
      assert.deepEqual([statement.status, statement.reason, statement.terms], ['dead', 'MONY', {}]);
    },
  );

  await t.test('a fence is accepted as dead or as effective, and whoever only attests says the same', async () => {
    await using verifier = verifierOf(SYSTEM, endpoints);
    const [never, done] = [newOperation(SYSTEM, 'hold', TERMS), newOperation(SYSTEM, 'hold', TERMS)];
    const attested = accepted(verifier.attest(never, limit()));
    const dead = await accepted(verifier.fence(never, 'TIMO', undefined, limit()));
    assert.deepEqual([dead.statement.status, dead.statement.reason], ['dead', 'TIMO']);
    assert.deepEqual((await attested).statement, dead.statement);
    const held = await accepted(verifier.perform(done, undefined, limit()));
    assert.deepEqual((await accepted(verifier.fence(done, 'TIMO', undefined, limit()))).statement, held.statement);
  });

  await t.test('many operations at once share signatures and are each accepted', async () => {
    await using verifier = verifierOf(SYSTEM, endpoints);
    const holds = Array.from({ length: 60 }, () => newOperation(SYSTEM, 'hold', { ...TERMS, amount: '1' }));
    const outcomes = await Promise.all(holds.map((hold) => accepted(verifier.perform(hold, undefined, limit()))));
    assert.ok(
      outcomes.some(({ signed }) => signed.signatures.some(({ path }) => path !== undefined)),
      'nothing was signed together',
    );
  });

  await t.test(
    'a certificate that the system does not accept leaves the operation open for the right one',
    async () => {
      const refusals = new Set<ErrorCode>();
      await using verifier = verifierOf(SYSTEM, endpoints, { onRefusal: (_, __, { code }) => refusals.add(code) });
      const hold = newOperation(SYSTEM, 'hold', TERMS);
      await accepted(verifier.perform(hold, undefined, limit()));
      const execute = newOperation(SYSTEM, 'execute', { ...TERMS, hold: hold.id }, hold.settlement);
      const brief = AbortSignal.timeout(300);
      await assert.rejects(verifier.perform(execute, certify('commit', hold.settlement, [], 1), brief), Fault);
      await assert.rejects(
        verifier.perform(execute, certify('commit', hashOf('another'), [], 2), AbortSignal.timeout(100)),
        Fault,
      );
      await assert.rejects(verifier.perform(execute, undefined, AbortSignal.timeout(100)), Fault);
      assert.deepEqual([...refusals].toSorted(), ['certificate-missing', 'certificate-refused']);
      assert.equal(
        (await accepted(verifier.perform(execute, certify('commit', hold.settlement, [], 2), limit()))).statement
          .status,
        'effective',
      );
    },
  );

  await t.test(
    'readings are signed for the one who asked; events come signed, and are carried on from a cursor',
    async () => {
      await using verifier = verifierOf(SYSTEM, endpoints);
      const { cursor, positions } = await verifier.read({ type: 'balances', accounts: ['0099'] }, limit());
      assert.ok(positions.some(({ asset }) => asset === 'JPY'));
      const holds = [newOperation(SYSTEM, 'hold', TERMS), newOperation(SYSTEM, 'hold', TERMS)];
      for (const hold of holds) await accepted(verifier.perform(hold, undefined, limit()));
      const first = await firstEvents(verifier, cursor, 1);
      const rest = await firstEvents(verifier, first[0]?.observation.after ?? '', 1);
      assert.deepEqual(
        [...first, ...rest].map(({ observation }) => observation.operation),
        holds.map(({ id }) => id),
      );
    },
  );

  await t.test('a system that is away delays, and changes nothing', async () => {
    await using verifier = verifierOf(SYSTEM, endpoints);
    await system.kill();
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    const waiting = accepted(verifier.perform(hold, undefined, limit()));
    await assert.rejects(
      verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, AbortSignal.timeout(200)),
      Fault,
    );
    await system.start();
    assert.deepEqual((await waiting).statement.terms, TERMS);
  });
}

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
      const refused: { readonly key: SigningKey; readonly code: ErrorCode }[] = [];
      const heard = Promise.withResolvers<void>();
      const onRefusal = (key: SigningKey, _: Operation, refusal: { readonly code: ErrorCode }): void => {
        refused.push({ key, code: refusal.code });
        heard.resolve();
      };
      await using verifier = verifierOf(SYSTEM, [{ key: first.key, url: liar.url }, second, third], { onRefusal });
      const { signed } = await accepted(verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit()));
      await heard.promise;
      assert.deepEqual(refused[0], { key: first.key, code });
      assert.deepEqual(
        signed.signatures.map(({ key }) => key),
        [second.key, third.key].toSorted(),
      );
    });
  }

  await t.test('a statement by another key than the one that was asked for is refused', async () => {
    const [first, second, third] = endpoints;
    assert.ok(first && second && third);
    const codes: ErrorCode[] = [];
    const heard = Promise.withResolvers<void>();
    const onRefusal = (_: SigningKey, __: Operation, { code }: { readonly code: ErrorCode }): void => {
      codes.push(code);
      heard.resolve();
    };
    // Two of the three addresses lead to one validator: its word must not count twice.
    await using verifier = verifierOf(SYSTEM, [first, { key: second.key, url: first.url }, third], { onRefusal });
    const { signed } = await accepted(verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit()));
    await heard.promise;
    assert.equal(codes[0], 'statement-key-unknown');
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
    const codes = new Set<ErrorCode>();
    await using verifier = verifierOf(SYSTEM, endpoints, { onRefusal: (_, __, { code }) => codes.add(code) });
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    await assert.rejects(
      verifier.perform({ ...hold, network: hashOf('another') }, undefined, AbortSignal.timeout(100)),
      Fault,
    );
    await assert.rejects(verifier.perform({ ...hold, system: 'csd' }, undefined, AbortSignal.timeout(100)), Fault);
    assert.deepEqual([...codes].toSorted(), ['network-mismatch', 'statement-other-system']);
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

async function silence(t: TestContext, { endpoints, validators }: Network): Promise<void> {
  const [one, two, three] = validators;
  assert.ok(one && two && three);

  await t.test('when the executor is down the next one executes', async () => {
    await one.stop();
    const silent: SigningKey[] = [];
    await using verifier = verifierOf(SYSTEM, endpoints, { waitMs: 20_000, onSilence: (key) => silent.push(key) });
    const { signed } = await accepted(verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit()));
    assert.deepEqual(
      signed.signatures.map(({ key }) => key),
      [two.signer.key, three.signer.key].toSorted(),
    );
    assert.ok(silent.includes(one.signer.key));
    await one.start();
  });

  await t.test('F31 when the executor claims what it has not done, another one does it', async () => {
    const [first, second, third] = endpoints;
    assert.ok(first && second && third);
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    const { network, settlement, id: operation, terms } = hold;
    const claim: Statement = {
      schema: 'statement/1',
      network,
      settlement,
      operation,
      system: SYSTEM,
      status: 'effective',
      terms,
      reason: '',
      transaction: '1',
    };
    const claims: Lie = () => ({ status: 'final', statement: claim, signature: signOne(one.signer, claim) });
    await using liar = await createLiar(first.url, (_, said) => said, claims);
    await using verifier = verifierOf(SYSTEM, [{ key: first.key, url: liar.url }, second, third], { waitMs: 100 });
    const { signed } = await accepted(verifier.perform(hold, undefined, limit()));
    assert.deepEqual(
      signed.signatures.map(({ key }) => key),
      [second.key, third.key].toSorted(),
    );
  });

  await t.test('when all are down it waits, and goes on by itself when enough are back', async () => {
    for (const validator of validators) await validator.stop();
    await using verifier = verifierOf(SYSTEM, endpoints);
    const waiting = accepted(verifier.perform(newOperation(SYSTEM, 'hold', TERMS), undefined, limit()));
    await assert.rejects(
      verifier.attest(newOperation(SYSTEM, 'hold', TERMS), AbortSignal.timeout(100)),
      (error) => error instanceof Fault && error.code === 'validator-unavailable',
    );
    await three.start();
    await two.start();
    assert.deepEqual(
      (await waiting).signed.signatures.map(({ key }) => key),
      [two.signer.key, three.signer.key].toSorted(),
    );
    await one.start();
  });

  await t.test('F8 an event stream is carried on by the next validator when the first one dies', async () => {
    await using verifier = verifierOf(SYSTEM, endpoints);
    const { cursor } = await verifier.read({ type: 'health' }, limit());
    const holds = [newOperation(SYSTEM, 'hold', TERMS), newOperation(SYSTEM, 'hold', TERMS)];
    const seen: string[] = [];
    const seenFirst = Promise.withResolvers<void>();
    const following = (async () => {
      for await (const { observation } of verifier.observe(cursor, {}, limit())) {
        seen.push(observation.operation);
        seenFirst.resolve();
        if (seen.length === holds.length) return;
      }
    })();
    const [before, after] = holds;
    assert.ok(before && after);
    await accepted(verifier.perform(before, undefined, limit()));
    await seenFirst.promise;
    await one.stop();
    await accepted(verifier.perform(after, undefined, limit()));
    await following;
    assert.deepEqual(seen, [before.id, after.id]);
    await one.start();
  });
}

function limit(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

async function accepted(outcome: ReturnType<Verifier['perform']>) {
  const value = await outcome;
  assert.equal(value.kind, 'accepted', JSON.stringify(value));
  assert.ok(value.kind === 'accepted');
  return value;
}

async function firstEvents(verifier: Verifier, cursor: string, count: number) {
  const events = [];
  for await (const event of verifier.observe(cursor, {}, limit())) {
    events.push(event);
    if (events.length === count) break;
  }
  assert.equal(events.length, count);
  return events;
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
