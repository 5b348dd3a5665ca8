import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Hash } from '@linkspan/protocol';
import { type Connector, NO_OPERATION, type ObservationFilter, type ObservedEvent } from '../connector.ts';
import { type ConformanceSystem, DEADLINE_MS, newTrade, sent, until } from './system.ts';

/** The stream of final events. Row F8. */
export async function streams(t: TestContext, of: ConformanceSystem): Promise<void> {
  const connector = await of.connect(of.url);
  t.after(() => connector[Symbol.asyncDispose]());

  await t.test(
    'every change is told once, in order, with what happened; from any cursor the rest follows',
    async () => {
      const trade = newTrade(of);
      const { cursor } = await connector.read({ type: 'health' });
      const [one, two, dead] = [trade.hold(1n, 'one'), trade.hold(2n, 'two'), trade.hold(3n, 'three')];
      const [execute, release] = [trade.close(of.complete, one), trade.close('release', two)];
      await sent(connector, one);
      await sent(connector, two);
      await connector.fence(dead, 'TIMO');
      await sent(connector, execute, trade.certificate('commit'));
      await sent(connector, release, trade.certificate('abort'));
      const expected = [one.id, two.id, dead.id, execute.id, release.id];
      const events = await take(connector, cursor, {}, expected.length);
      assert.deepEqual(
        events.map(({ observation }) => observation.operation),
        expected,
      );
      for (const { observation } of events) {
        const operation = [one, two, dead, execute, release].find(({ id }) => id === observation.operation);
        assert.ok(operation);
        assert.deepEqual(await connector.lookup(operation), observation);
      }
      for (const [i, { cursor: after }] of events.entries()) {
        const rest = await take(connector, after, {}, expected.length - i - 1);
        assert.deepEqual(rest, events.slice(i + 1));
      }
      const ofSettlement = await take(connector, cursor, { settlement: trade.settlement }, 4);
      assert.deepEqual(
        ofSettlement.map(({ observation }) => observation.operation),
        expected.filter((id) => id !== dead.id),
      );
      const ofOperation = await take(connector, cursor, { operations: [dead.id] }, 1);
      assert.deepEqual(ofOperation, events.slice(2, 3));
    },
  );

  await t.test('a change that a stranger made is told with its hold', async () => {
    const trade = newTrade(of);
    const hold = trade.hold(2n);
    await sent(connector, hold);
    const { cursor } = await connector.read({ type: 'health' });
    await of.closeAsStranger(of.complete, hold.id, trade.certificate('commit'));
    const [event] = await take(connector, cursor, { operations: [hold.id] }, 1);
    assert.equal(event?.observation.operation, NO_OPERATION);
    assert.deepEqual(event?.observation.terms, { ...hold.terms, hold: hold.id });
  });

  await t.test(
    'F8 a stream that was running when the system was killed tells what happened afterwards, without gap',
    async () => {
      const trade = newTrade(of);
      const { cursor } = await connector.read({ type: 'health' });
      const seen: Hash[] = [];
      const stop = new AbortController();
      const following = follow(connector, cursor, seen, stop.signal);
      const [before, after] = [trade.hold(1n, 'before'), trade.hold(1n, 'after')];
      await sent(connector, before);
      await until('event before the restart', async () => (seen.includes(before.id) ? true : undefined));
      await of.kill();
      await of.start();
      await until('the system after its restart', () => connector.submit(after).catch(() => undefined));
      await until('event after the restart', async () => (seen.includes(after.id) ? true : undefined));
      assert.deepEqual(seen, [before.id, after.id]);
      stop.abort();
      await following;
    },
  );

  await t.test('a stream ends when it is told to', async () => {
    const stop = new AbortController();
    const following = follow(connector, (await connector.read({ type: 'health' })).cursor, [], stop.signal);
    stop.abort();
    await following;
  });
}

async function follow(connector: Connector, cursor: string, into: Hash[], signal: AbortSignal): Promise<void> {
  for await (const { observation } of connector.observe(cursor, {}, signal)) into.push(observation.operation);
}

/** The next events; fails when there are fewer, and looks no further. */
async function take(
  connector: Connector,
  cursor: string,
  filter: ObservationFilter,
  count: number,
): Promise<ObservedEvent[]> {
  const events: ObservedEvent[] = [];
  if (count === 0) return events;
  for await (const event of connector.observe(cursor, filter, AbortSignal.timeout(DEADLINE_MS))) {
    events.push(event);
    if (events.length === count) break;
  }
  assert.equal(events.length, count, `${events.length} events came within ${DEADLINE_MS} ms`);
  return events;
}
