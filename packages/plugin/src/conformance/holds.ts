import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { hashOf } from '@linkspan/protocol';
import { assertDead, assertEffective, type ConformanceSystem, newTrade, position, sent } from './system.ts';

/** Holds and fences, as they go when nothing fails. */
export async function holdsAndFences(t: TestContext, of: ConformanceSystem): Promise<void> {
  const connector = await of.connect(of.url);
  t.after(() => connector[Symbol.asyncDispose]());

  await t.test('a hold takes effect with the terms that were asked, and every reader reads the same', async () => {
    const other = await of.connect(of.url, 1);
    const hold = newTrade(of).hold(7n);
    assert.equal(await connector.lookup(hold), undefined);
    const before = await position(of, connector, 'payer');
    const seen = await sent(connector, hold);
    assertEffective(of, seen, hold);
    assert.deepEqual(await other.lookup(hold), seen);
    const after = await position(of, connector, 'payer');
    assert.deepEqual(after, { balance: before.balance, held: before.held + 7n });
    await other[Symbol.asyncDispose]();
  });

  await t.test('the same id any number of times, by any executor, is one effect', async () => {
    const other = await of.connect(of.url, 1);
    const hold = newTrade(of).hold(3n);
    const before = await position(of, connector, 'payer');
    const answers = await Promise.all([connector.submit(hold), connector.submit(hold), other.submit(hold)]);
    for (const answer of answers) assert.deepEqual(answer, { status: 'sent' });
    assert.deepEqual(await connector.submit(hold), { status: 'sent' });
    assertEffective(of, await sent(other, hold), hold);
    assert.equal((await position(of, connector, 'payer')).held, before.held + 3n);
    await other[Symbol.asyncDispose]();
  });

  await t.test('a used id with other content is refused, and its first content stands', async () => {
    const trade = newTrade(of);
    const hold = trade.hold(2n);
    const seen = await sent(connector, hold);
    const other = { ...hold, terms: of.terms(5n) };
    const submission = await connector.submit(other);
    assert.equal(submission.status, 'refused');
    assert.ok(submission.status === 'refused' && submission.reason === 'DUPL');
    assert.deepEqual(await connector.fence(other, 'NARR'), seen);
    assert.deepEqual((await connector.lookup(other))?.terms, hold.terms);
  });

  await t.test('what took effect for another settlement never looks regular', async () => {
    const hold = newTrade(of).hold(1n);
    await sent(connector, hold);
    const seen = await connector.lookup({ ...hold, settlement: hashOf({ another: hold.settlement }) });
    assert.equal(seen?.status, 'effective');
    assert.notDeepEqual(seen?.terms, hold.terms);
    assert.equal(seen?.terms['settlement'], hold.settlement);
  });

  await t.test(
    'a hold beyond what is free is refused for shortness; its fence gives it that reason for ever',
    async () => {
      const hold = newTrade(of).hold(of.opening + 1n);
      const submission = await connector.submit(hold);
      assert.ok(submission.status === 'refused');
      assert.equal(submission.reason, of.shortReason);
      assert.equal(await connector.lookup(hold), undefined, 'a refusal alone is not final');
      assertDead(await connector.fence(hold, submission.reason), hold, of.shortReason);
      assertDead(await connector.fence(hold, 'TIMO'), hold, of.shortReason);
      const again = await connector.submit({ ...hold, terms: of.terms(1n) });
      assert.ok(again.status === 'refused');
      assert.equal(again.reason, of.shortReason);
      assert.equal((await connector.lookup(hold))?.status, 'dead');
    },
  );

  await t.test('a fenced id never takes effect', async () => {
    const hold = newTrade(of).hold();
    assertDead(await connector.fence(hold, 'TIMO'), hold, 'TIMO');
    const before = await position(of, connector, 'payer');
    const submission = await connector.submit(hold);
    assert.ok(submission.status === 'refused');
    assert.equal(submission.reason, 'TIMO');
    const dead = await connector.lookup(hold);
    assert.ok(dead);
    assertDead(dead, hold, 'TIMO');
    assert.deepEqual(await position(of, connector, 'payer'), before);
  });

  await t.test('a fence after the effect says that it took effect, and changes nothing', async () => {
    const hold = newTrade(of).hold();
    const seen = await sent(connector, hold);
    assert.deepEqual(await connector.fence(hold, 'ABRT'), seen);
    assert.deepEqual(await connector.lookup(hold), seen);
  });

  await t.test('terms that the system does not know are refused', async () => {
    const trade = newTrade(of);
    for (const [i, terms] of of.wrongTerms.entries()) {
      const hold = { ...trade.hold(1n, `wrong-${i}`), terms };
      const submission = await connector.submit(hold);
      assert.equal(submission.status, 'refused', JSON.stringify(terms));
      assert.equal(
        (await connector.fence(hold, submission.status === 'refused' ? submission.reason : '')).status,
        'dead',
      );
    }
  });

  await t.test('hold and fence at the same moment end one way for everybody', async () => {
    const other = await of.connect(of.url, 1);
    for (let i = 0; i < 5; i++) {
      const hold = newTrade(of).hold();
      const [, fenced] = await Promise.all([connector.submit(hold), other.fence(hold, 'TIMO')]);
      assert.deepEqual(await connector.lookup(hold), fenced);
      assert.deepEqual(await connector.fence(hold, 'NARR'), fenced);
    }
    await other[Symbol.asyncDispose]();
  });
}
