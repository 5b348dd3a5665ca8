import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdOf, id, listOf, MEMBERS, problem, signed, signedEpoch, startFor, STRANGERS } from './test-support.ts';

test('the quorum of the latest epoch installs the next, whose members count from then on', async (t) => {
  const web = await startFor(t);
  const [executor, stranger] = [await web.as('executor'), await web.as('kita')];
  const operations = [id('old'), id('new')];
  await executor.post('/holds', holdOf('old'));
  const early = await executor.post(`/holds/${id('old')}/execute`, {
    certificate: signed({ epoch: 2, operations }, STRANGERS),
  });
  assert.deepEqual(problem(early), [403, 'certificate-epoch-unknown', 'NARR']);
  const { signatures, ...epoch } = signedEpoch();
  const reply = await stranger.post('/epochs', { ...epoch, signatures });
  assert.deepEqual([reply.status, reply.body], [201, epoch]);
  const again = await stranger.post('/epochs', { ...epoch, signatures });
  assert.deepEqual([again.status, again.body], [200, epoch]);
  const events = listOf((await executor.get('/events')).body, 'events').filter((event) => event['type'] === 'epoch');
  assert.deepEqual(
    events.map((event) => event['epoch']),
    [2],
  );
  const fresh = await executor.post('/holds', holdOf('new'));
  assert.equal(fresh.body['epoch'], 2);
  const old = await executor.post(`/holds/${id('new')}/execute`, { certificate: signed({ operations }) });
  assert.deepEqual(problem(old), [403, 'certificate-epoch-old', 'NARR']);
  for (const [hold, certificate] of [
    ['old', signed({ operations })],
    ['new', signed({ epoch: 2, operations }, STRANGERS)],
  ] as const) {
    assert.equal((await executor.post(`/holds/${id(hold)}/execute`, { certificate })).status, 200, hold);
  }
});

test('an epoch that is not rightly the next is refused', async (t) => {
  const client = await (await startFor(t)).as('executor');
  const zero = `0x${'0'.repeat(40)}`;
  const [one, two] = STRANGERS.map((each) => each.address);
  assert.ok(one !== undefined && two !== undefined);
  const cases: [object, [number, string, string]][] = [
    [signedEpoch({ network: id('other') }), [403, 'certificate-wrong-network', 'NARR']],
    [signedEpoch({}, MEMBERS.slice(0, 1)), [403, 'certificate-too-few-signatures', 'NARR']],
    [signedEpoch({}, STRANGERS), [403, 'certificate-signature-invalid', 'NARR']],
    [signedEpoch({}, MEMBERS.slice(0, 2).toReversed()), [403, 'certificate-signers-unsorted', 'NARR']],
    [{ ...signedEpoch(), quorum: 1 }, [403, 'certificate-signature-invalid', 'NARR']],
    [signedEpoch({ epoch: 3 }), [409, 'epoch-not-next', 'NARR']],
    [signedEpoch({ epoch: 1 }), [409, 'id-used', 'DUPL']],
    [signedEpoch({ quorum: 3 }), [422, 'epoch-invalid', 'NARR']],
    [signedEpoch({ signers: [one, one] }), [422, 'epoch-invalid', 'NARR']],
    [signedEpoch({ signers: [zero, two] }), [422, 'epoch-invalid', 'NARR']],
    [signedEpoch({ quorum: 0 }), [400, 'request-invalid', 'NARR']],
  ];
  for (const [body, expected] of cases) {
    assert.deepEqual(problem(await client.post('/epochs', body)), expected, JSON.stringify(body));
  }
  assert.equal((await client.post('/epochs', signedEpoch())).status, 201);
  const other = await client.post('/epochs', signedEpoch({ quorum: 1 }));
  assert.deepEqual(problem(other), [409, 'id-used', 'DUPL']);
});

test('an installed epoch outlives a restart', async (t) => {
  const web = await startFor(t);
  await (await web.as('kita')).post('/epochs', signedEpoch());
  await web.restart();
  const hold = await (await web.as('executor')).post('/holds', holdOf('a'));
  assert.equal(hold.body['epoch'], 2);
});
