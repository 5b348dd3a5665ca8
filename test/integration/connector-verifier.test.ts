import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  createLedgerVerifier,
  createVerifierFactory,
  type LedgerEvent,
  type LedgerPluginInfo,
  type LedgerVerifier,
  type Verifier,
} from '@linkspan/plugin';
import { checkStatement, Fault, hashOf, type SigningKey, signOne, type Statement } from '@linkspan/protocol';
import { certify, NETWORK } from './connector-systems.ts';
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
  verifierOf,
  verify,
} from './connector-validators.ts';

test('verifier and validators over HTTP, two of three', async (t) => {
  const network = await startNetwork(t);
  await t.test('what goes well', (group) => whatGoesWell(group, network));
  await t.test('silence', (group) => silence(group, network));
  await t.test('names of Cacti', (group) => namesOfCacti(group, network));
});

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
      const done = await accepted(verifier.perform(execute, certify('commit', hold.settlement, [hold.id], 2), limit()));
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

  await t.test('a certificate that is not accepted leaves the operation open for the right one', async () => {
    await using verifier = verifierOf(SYSTEM, endpoints);
    const hold = newOperation(SYSTEM, 'hold', TERMS);
    await accepted(verifier.perform(hold, undefined, limit()));
    const execute = newOperation(SYSTEM, 'execute', { ...TERMS, hold: hold.id }, hold.settlement);
    const wrong = [
      [certify('commit', hold.settlement, [hold.id], 1), 'certificate-refused'],
      [certify('commit', hashOf('another'), [hold.id], 2), 'certificate-refused'],
      [undefined, 'certificate-missing'],
    ] as const;
    for (const [certificate, code] of wrong) {
      assert.equal((await firstRefusal(endpoints, execute, certificate)).code, code);
    }
    const done = await accepted(verifier.perform(execute, certify('commit', hold.settlement, [hold.id], 2), limit()));
    assert.equal(done.statement.status, 'effective');
  });

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

  await t.test('what is still asked for when the verifier is closed is a fault', async () => {
    const verifier = verifierOf(SYSTEM, endpoints);
    const waiting = assert.rejects(
      verifier.attest(newOperation(SYSTEM, 'hold', TERMS), new AbortController().signal),
      Fault,
    );
    await verifier[Symbol.asyncDispose]();
    await waiting;
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

async function namesOfCacti(t: TestContext, { endpoints }: Network): Promise<void> {
  const [first] = endpoints;
  assert.ok(first);

  await t.test('requests and monitors under the names that users of Cacti know', async () => {
    await using verifier = verifierOf(SYSTEM, endpoints);
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const open = ({ validatorID }: LedgerPluginInfo): LedgerVerifier =>
      createLedgerVerifier({ verifierID: validatorID, verifier, requestTimeoutMs: 20_000, onError });
    const list = [{ validatorID: 'rtgs-validators', validatorType: 'LINKSPAN', basePath: first.url }];
    const factory = createVerifierFactory(list, { LINKSPAN: open });
    const ledger = factory.getVerifier('rtgs-validators', 'LINKSPAN');
    assert.equal(factory.getVerifier('rtgs-validators'), ledger);
    assert.throws(() => factory.getVerifier('rtgs-validators', 'BESU_2X'), Fault);
    assert.throws(() => factory.getVerifier('unknown'), Fault);

    const reading = await ledger.sendSyncRequest({}, { command: 'read' }, { type: 'health' });
    assert.ok(reading.status === 200 && 'cursor' in reading.data);
    const seen: LedgerEvent[] = [];
    const both = Promise.withResolvers<void>();
    const onEvent = (event: LedgerEvent): void => {
      seen.push(event);
      if (seen.length === 2) both.resolve();
    };
    ledger.startMonitor('app', { cursor: reading.data.cursor }, { onEvent });
    assert.throws(() => ledger.startMonitor('app', {}, { onEvent }), Fault);
    const [one, two] = [newOperation(SYSTEM, 'hold', TERMS), newOperation(SYSTEM, 'hold', TERMS)];
    const done = await ledger.sendSyncRequest(
      { settlement: one.settlement },
      { command: 'perform' },
      { operation: one },
    );
    assert.ok(done.status === 200 && 'kind' in done.data && done.data.kind === 'accepted');
    await ledger.sendAsyncRequest({}, { command: 'fence' }, { operation: two, reason: 'TIMO' });
    await both.promise;
    assert.deepEqual(
      seen.map(({ verifierId, data }) => [verifierId, data.operation, data.status]),
      [
        ['rtgs-validators', one.id, 'effective'],
        ['rtgs-validators', two.id, 'dead'],
      ],
    );
    ledger.stopMonitor();
    ledger.startMonitor('app', {}, { onEvent });
    ledger.stopMonitor('app');
    const misled = await ledger.sendSyncRequest(
      { settlement: two.settlement },
      { command: 'attest' },
      { operation: one },
    );
    assert.equal(misled.status, 422);
    assert.equal((await ledger.sendSyncRequest({}, { command: 'steal' }, {})).status, 422);
    assert.deepEqual(errors, []);
  });
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
