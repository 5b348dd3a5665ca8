import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  authorization,
  get,
  isObject,
  lodgeBoth,
  performAll,
  problemOf,
  readEvents,
  startTestNetwork,
  type TestNetwork,
} from './test-support.ts';

let network: TestNetwork;

before(async () => {
  network = await startTestNetwork();
  const { id } = await lodgeBoth(network, network.instruction('STREAM-1'));
  await performAll(network, id);
  await performAll(network, id);
  await lodgeBoth(network, network.instruction('STREAM-2'));
});

after(() => network[Symbol.asyncDispose]());

test('from=0 tells everything that ever happened, in order and in words', async () => {
  const events = await all();
  assert.ok(events.every(({ event }) => event === 'change'));
  const places = events.map(({ id }) => id.split('.').map(Number));
  const ordered = places.toSorted(([a = 0, i = 0], [b = 0, j = 0]) => a - b || i - j);
  assert.deepEqual(places, ordered);
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  const first = events[0]?.data;
  assert.ok(isObject(first));
  assert.deepEqual(Object.keys(first).toSorted(), [
    'block',
    'changes',
    'phase',
    'proposal',
    'sequence',
    'settlement',
    'time',
    'tradeId',
    'words',
  ]);
  assert.deepEqual(
    [first['tradeId'], first['sequence'], first['words']],
    ['STREAM-1', 1, ['Central Bank of A lodged its instruction']],
  );
  const words = events.flatMap(({ data }) => (isObject(data) && Array.isArray(data['words']) ? data['words'] : []));
  assert.ok(words.includes('fcy-evm: 6,711.41 USD executed for Central Bank of A'), words.join('; '));
});

test('after any event the stream resumes with exactly the next one', async () => {
  const events = await all();
  for (const [i, { id }] of events.slice(0, -1).entries()) {
    const rest = await readEvents(base(), '/events', { 'last-event-id': id }, events.length - i - 1);
    assert.deepEqual(
      rest.map((each) => each.id),
      events.slice(i + 1).map((each) => each.id),
    );
  }
});

test('without a place to begin only what happens from now on is told', async () => {
  const live = readEvents(base(), '/events', {}, 1, () => lodgeBoth(network, network.instruction('STREAM-3')));
  const [event] = await live;
  assert.ok(isObject(event?.data));
  assert.equal(event.data['tradeId'], 'STREAM-3');
});

test('a stream that ended with the process is resumed after a restart', async () => {
  const events = await all();
  const last = events.at(-1)?.id ?? '';
  const url = base();
  const ended = readEvents(url, '/events', { 'last-event-id': last }, Infinity, () => network.restart());
  assert.deepEqual(await ended, []);
  const next = await readEvents(base(), '/events', { 'last-event-id': last }, 1, () =>
    lodgeBoth(network, network.instruction('STREAM-4')),
  );
  assert.ok(isObject(next[0]?.data));
  assert.equal(next[0].data['tradeId'], 'STREAM-4');
});

test('a place that this ledger never had is refused', async () => {
  for (const id of ['999999.0', '0.0', 'x', '1', '-1.0']) {
    const answer = await fetch(`${base()}/events`, {
      headers: { ...(await authorization(base())), 'last-event-id': id },
    });
    assert.equal(answer.status, 422, id);
    await answer.body?.cancel();
  }
  assert.equal(problemOf(await get(base(), '/events?from=x')).code, 'request-invalid');
});

function base(): string {
  return network.urls['central-bank-b'] ?? '';
}

/** Every event so far: those of all entries that the settlements have. */
async function all(): Promise<Awaited<ReturnType<typeof readEvents>>> {
  const { body } = await get(base(), '/settlements');
  assert.ok(isObject(body) && Array.isArray(body['settlements']));
  let entries = 0;
  for (const each of body['settlements']) {
    const settlement = await get(base(), `/settlements/${isObject(each) ? String(each['id']) : ''}`);
    assert.ok(isObject(settlement.body) && typeof settlement.body['entries'] === 'number');
    entries += settlement.body['entries'];
  }
  return readEvents(base(), '/events?from=0', {}, entries);
}
