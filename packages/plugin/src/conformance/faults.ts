import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Fault } from '@linkspan/protocol';
import {
  assertDead,
  assertEffective,
  type ConformanceSystem,
  newTrade,
  position,
  proxyOf,
  sent,
  until,
  untilSeen,
} from './system.ts';

/** Lost answers, late requests, dead systems. Rows F1, F2, F3, F6, F17 of the table of faults. */
export async function faults(t: TestContext, of: ConformanceSystem): Promise<void> {
  await t.test(
    'F2 a lost answer is unknown, not dead: lookup finds the effect, and asking again is no second one',
    async () => {
      await using connector = await of.connect(of.url);
      await using proxy = await proxyOf(of);
      const cut = await of.connect(proxy.url, 1);
      // The way is opened first, so that it is this very answer that is lost.
      await sent(cut, newTrade(of).hold());
      const before = await position(of, connector, 'payer');
      const hold = newTrade(of).hold(5n);
      proxy.mode = 'drop-answers';
      await assert.rejects(
        cut.submit(hold),
        (error) => error instanceof Fault && error.code === 'system-unavailable' && error.mayHaveHappened,
      );
      const seen = await untilSeen(connector, hold);
      assertEffective(of, seen, hold);
      proxy.mode = 'pass';
      assert.deepEqual(await sent(cut, hold), seen);
      assert.equal((await position(of, connector, 'payer')).held, before.held + 5n);
      await cut[Symbol.asyncDispose]();
    },
  );

  await t.test(
    'F17 of two submissions of one id the second is refused and fenced; the delayed first does nothing when it arrives',
    async () => {
      await using connector = await of.connect(of.url);
      await using proxy = await proxyOf(of);
      const slow = await of.connect(proxy.url, 1);
      await sent(slow, newTrade(of).hold());
      const [hold, everything] = [newTrade(of).hold(9n), newTrade(of)];
      proxy.mode = 'keep-requests';
      const first = slow.submit(hold).catch((error: unknown) => error);
      await until('request on its way', async () => (proxy.kept() > 0 ? true : undefined));
      // Meanwhile the payer has nothing left, so that the second submission is refused for a good reason.
      const { balance, held } = await position(of, connector, 'payer');
      const rest = everything.hold(balance - held);
      await sent(connector, rest);
      const second = await connector.submit(hold);
      assert.ok(second.status === 'refused');
      assertDead(await connector.fence(hold, second.reason), hold, of.shortReason);
      // Now there would be enough again, and the first arrives.
      const release = everything.close('release', rest);
      await sent(connector, release, everything.certificate('abort'));
      await slow[Symbol.asyncDispose]();
      assert.ok((await first) instanceof Error);
      await proxy.deliver();
      assertDead(await untilSeen(connector, hold), hold, of.shortReason);
      // Whatever was on its way has been dealt with once a later request has.
      await sent(connector, newTrade(of).hold(1n));
      assert.deepEqual(await position(of, connector, 'payer'), { balance, held: held + 1n });
    },
  );

  await t.test(
    'F1 F3 the system is killed under load: what was asked again happened once, and nothing that was seen is lost',
    async () => {
      await using connector = await of.connect(of.url);
      const before = await position(of, connector, 'payer');
      const trade = newTrade(of);
      const holds = Array.from({ length: 40 }, (_, i) => trade.hold(1n, `load-${i}`));
      const early = holds.slice(0, 10);
      const seen = await Promise.all(early.map((hold) => sent(connector, hold)));
      const under = holds.slice(10).map((hold) => connector.submit(hold).catch((error: unknown) => error));
      await of.kill();
      // While it is down, nothing is claimed.
      await assert.rejects(
        connector.lookup(trade.hold(1n, 'load-0')),
        (error) => error instanceof Fault && error.code === 'system-unavailable',
      );
      await of.start();
      await until('the system after its restart', async () =>
        connector.read({ type: 'health' }).catch(() => undefined),
      );
      assert.deepEqual(await Promise.all(early.map((hold) => connector.lookup(hold))), seen);
      for (const hold of holds) {
        const again = await until('answer after the restart', () => connector.submit(hold).catch(() => undefined));
        assert.deepEqual(again, { status: 'sent' });
      }
      await Promise.all(under);
      for (const hold of holds) assertEffective(of, await untilSeen(connector, hold), hold);
      assert.equal((await position(of, connector, 'payer')).held, before.held + 40n);
    },
  );

  await t.test('F2 a connector that starts anew finds what its earlier life did, and goes on', async () => {
    const trade = newTrade(of);
    const holds = Array.from({ length: 20 }, (_, i) => trade.hold(1n, `life-${i}`));
    const earlier = await of.connect(of.url);
    const left = holds.map((hold) => earlier.submit(hold).catch((error: unknown) => error));
    const [first] = holds;
    assert.ok(first);
    await untilSeen(earlier, first);
    await earlier[Symbol.asyncDispose]();
    await Promise.all(left);
    await using connector = await of.connect(of.url);
    for (const hold of holds) assertEffective(of, await sent(connector, hold), hold);
    assertEffective(of, await sent(connector, trade.hold(1n, 'next')), trade.hold(1n, 'next'));
  });

  await t.test('a system that is not there is a fault, and nothing may have happened', async () => {
    const proxy = await proxyOf(of);
    const { url } = proxy;
    await proxy[Symbol.asyncDispose]();
    await using connector = await of.connect(url);
    const hold = newTrade(of).hold();
    await assert.rejects(
      connector.submit(hold),
      (error) => error instanceof Fault && error.code === 'system-unavailable' && !error.mayHaveHappened,
    );
    await assert.rejects(connector.lookup(hold), Fault);
    await assert.rejects(connector.fence(hold, 'TIMO'), Fault);
    await assert.rejects(connector.read({ type: 'health' }), Fault);
  });
}
