import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  certificateOf,
  holdOf,
  id,
  ISIN,
  MEMBERS,
  position,
  problem,
  signed,
  signedBlock,
  SIGNERS,
  startFor,
  STRANGERS,
} from './test-support.ts';

const [FIRST, SECOND, THIRD] = MEMBERS;
assert.ok(FIRST !== undefined && SECOND !== undefined && THIRD !== undefined);

test('a commit certificate moves what is held to the beneficiary, once', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  await executor.post('/holds', holdOf('a'));
  const request = { operation: id('op'), certificate: signed() };
  const reply = await executor.post(`/holds/${id('a')}/execute`, request);
  const { booking, ...rest } = reply.body;
  const { id: hold, settlement, ...terms } = holdOf('a');
  assert.deepEqual([reply.status, rest], [200, { operation: id('op'), hold, status: 'executed', ...terms }]);
  const again = await executor.post(`/holds/${id('a')}/execute`, request);
  assert.deepEqual([again.status, again.body], [200, reply.body]);
  assert.deepEqual(await position(executor, '0042'), { free: '900', held: '0' });
  assert.deepEqual(await position(executor, '0099'), { free: '150', held: '0' });
  const found = (await executor.get(`/holds/${id('a')}`)).body;
  assert.equal(found['status'], 'executed');
  assert.deepEqual(found['closing'], { operation: id('op'), verb: 'execute', booking });
  const operation = (await executor.get(`/operations/${id('op')}`)).body;
  const effect = { operation: id('op'), status: 'effective', verb: 'execute', hold, settlement, ...terms, booking };
  assert.deepEqual(operation, effect);
});

test('securities are delivered and not executed, cash is executed and not delivered', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  await executor.post('/holds', holdOf('cash'));
  await executor.post('/holds', holdOf('bond', { asset: ISIN }));
  const operations = [id('cash'), id('bond')];
  const request = { operation: id('op'), certificate: signed({ operations }) };
  const mismatch = [422, 'verb-mismatch', 'NARR'];
  assert.deepEqual(problem(await executor.post(`/holds/${id('cash')}/deliver`, request)), mismatch);
  assert.deepEqual(problem(await executor.post(`/holds/${id('bond')}/execute`, request)), mismatch);
  const delivered = await executor.post(`/holds/${id('bond')}/deliver`, request);
  assert.deepEqual([delivered.status, delivered.body['status']], [200, 'executed']);
  assert.deepEqual(await position(executor, '0099', ISIN), { free: '100', held: '0' });
});

test('an abort certificate gives the amount back, and nothing but that', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  await executor.post('/holds', holdOf('a'));
  const release = (body: object) => executor.post(`/holds/${id('a')}/release`, body);
  assert.deepEqual(problem(await release({ operation: id('op') })), [403, 'certificate-missing', 'NARR']);
  const commit = await release({ operation: id('op'), certificate: signed() });
  assert.deepEqual(problem(commit), [403, 'certificate-wrong-kind', 'NARR']);
  const certificate = signed({ kind: 'abort' });
  const reply = await release({ operation: id('op'), certificate });
  assert.deepEqual([reply.status, reply.body['status']], [200, 'released']);
  assert.deepEqual(await position(executor, '0042'), { free: '1000', held: '0' });
  const execute = await executor.post(`/holds/${id('a')}/execute`, { operation: id('b'), certificate: signed() });
  assert.deepEqual(problem(execute), [409, 'hold-closed', 'NARR']);
  assert.equal(execute.body['closedBy'], 'release');
  assert.equal((await executor.post('/holds', holdOf('a'))).status, 200, 'the id stays what it was');
  assert.deepEqual(await position(executor, '0042'), { free: '1000', held: '0' });
});

test('a stranger may bring the certificate, without an operation id, and again', async (t) => {
  const web = await startFor(t);
  const [executor, stranger] = [await web.as('executor'), await web.as('minami')];
  await executor.post('/holds', holdOf('a'));
  const first = await stranger.post(`/holds/${id('a')}/execute`, { certificate: signed() });
  assert.deepEqual([first.status, first.body['operation'], first.body['status']], [200, undefined, 'executed']);
  const zero = { operation: `0x${'0'.repeat(64)}`, certificate: signed() };
  const again = await stranger.post(`/holds/${id('a')}/execute`, zero);
  assert.deepEqual([again.status, again.body], [200, first.body]);
  const late = await executor.post(`/holds/${id('a')}/execute`, { operation: id('op'), certificate: signed() });
  assert.deepEqual([...problem(late), late.body['closedBy']], [409, 'hold-closed', 'NARR', 'execute']);
  assert.equal((await executor.get(`/operations/${id('op')}`)).status, 404, 'an id that had no effect is not used up');
});

test('a hold that the certificate does not name is neither executed, delivered nor released', async (t) => {
  const web = await startFor(t);
  const [executor, stranger] = [await web.as('executor'), await web.as('kita')];
  const operations = [id('a'), id('op')];
  const [commit, abort] = [signed({ operations }), signed({ kind: 'abort', operations })];
  await executor.post('/holds', holdOf('late'));
  await executor.post('/holds', holdOf('late bond', { asset: ISIN }));
  for (const [hold, verb, certificate] of [
    ['late', 'execute', commit],
    ['late', 'release', abort],
    ['late bond', 'deliver', commit],
    ['late bond', 'release', abort],
  ] as const) {
    const path = `/holds/${id(hold)}/${verb}`;
    const refused = [403, 'certificate-operation-not-named', 'NARR'];
    assert.deepEqual(problem(await executor.post(path, { operation: id('op'), certificate })), refused, verb);
    assert.deepEqual(problem(await executor.post(path, { certificate })), refused, verb);
    assert.deepEqual(problem(await stranger.post(path, { certificate })), refused, verb);
  }
  assert.deepEqual(await position(executor, '0042'), { free: '900', held: '100' });
  assert.deepEqual(await position(executor, '0042', ISIN), { free: '400', held: '100' });
});

test('releasing a hold that never was kills its id, if the certificate names it', async (t) => {
  const web = await startFor(t);
  const [executor, stranger] = [await web.as('executor'), await web.as('kita')];
  const release = (operations: string[]) =>
    stranger.post(`/holds/${id('a')}/release`, { certificate: signed({ kind: 'abort', operations }) });
  assert.deepEqual(problem(await release([])), [403, 'certificate-operation-not-named', 'NARR']);
  const reply = await release([id('a')]);
  assert.deepEqual([reply.status, reply.body], [200, { operation: id('a'), status: 'dead', reason: 'NARR' }]);
  assert.deepEqual((await release([id('a')])).body, reply.body);
  assert.deepEqual(problem(await executor.post('/holds', holdOf('a'))), [409, 'operation-dead', 'NARR']);
  for (const verb of ['execute', 'deliver']) {
    const other = await executor.post(`/holds/${id('b')}/${verb}`, { certificate: signed() });
    assert.deepEqual(problem(other), [404, 'hold-unknown', 'NARR']);
  }
});

test('F39 every way in which a certificate can be wrong has its own code and moves nothing', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  await executor.post('/holds', holdOf('a'));
  const right = signed();
  const [one, two] = right.signatures;
  const changed = { ...right, certificate: { ...right.certificate, head: id('another head') } };
  const mistimed = { ...right, block: right.block + 1 };
  const highS = `${one?.slice(0, 66)}${'f'.repeat(64)}1b`;
  const cases: Record<string, [object | undefined, string]> = {
    'no certificate': [undefined, 'certificate-missing'],
    'another network': [signed({ network: id('other') }), 'certificate-wrong-network'],
    'another settlement': [signed({ settlement: id('other') }), 'certificate-wrong-settlement'],
    'kind proceed': [signed({ kind: 'proceed', operations: [id('a')] }), 'certificate-wrong-kind'],
    'another hold named': [signed({ operations: [id('b'), id('op')] }), 'certificate-operation-not-named'],
    'no hold named': [signed({ operations: [] }), 'certificate-operation-not-named'],
    'kind abort': [signed({ kind: 'abort' }), 'certificate-wrong-kind'],
    'kind fence': [signed({ kind: 'fence' }), 'certificate-wrong-kind'],
    'an epoch to come': [signed({ epoch: 2 }), 'certificate-epoch-unknown'],
    'an epoch before the hold': [signed({ epoch: 0 }), 'certificate-epoch-old'],
    'no signature': [signed({}, []), 'certificate-too-few-signatures'],
    'one signature less than the quorum': [signed({}, [FIRST]), 'certificate-too-few-signatures'],
    'a signer twice': [signed({}, [FIRST, FIRST]), 'certificate-signers-unsorted'],
    'signers in falling order': [signed({}, [SECOND, FIRST]), 'certificate-signers-unsorted'],
    'a stranger among the signers': [signed({}, [FIRST, ...STRANGERS.slice(0, 1)]), 'certificate-signature-invalid'],
    'a stranger beside a quorum': [signed({}, SIGNERS.slice(0, 4)), 'certificate-signature-invalid'],
    'a field changed after signing': [changed, 'certificate-signature-invalid'],
    'another block': [mistimed, 'certificate-signature-invalid'],
    'a high s': [{ ...right, signatures: [highS, two] }, 'certificate-signature-invalid'],
    'a short signature': [{ ...right, signatures: [one, two?.slice(0, -2)] }, 'certificate-signature-invalid'],
    'a path too long': [{ ...right, path: { index: 0, size: 1, hashes: [id('x')] } }, 'certificate-path-invalid'],
    'a path too short': [{ ...right, path: { index: 0, size: 2, hashes: [] } }, 'certificate-path-invalid'],
    'an index beyond the tree': [{ ...right, path: { index: 1, size: 1, hashes: [] } }, 'certificate-path-invalid'],
    'a wrong neighbour': [
      { ...right, path: { index: 0, size: 2, hashes: [id('x')] } },
      'certificate-signature-invalid',
    ],
  };
  for (const [name, [certificate, code]] of Object.entries(cases)) {
    const body = { operation: id('op'), ...(certificate && { certificate }) };
    assert.deepEqual(problem(await executor.post(`/holds/${id('a')}/execute`, body)), [403, code, 'NARR'], name);
  }
  assert.deepEqual(await position(executor, '0042'), { free: '900', held: '100' });
  const all = await executor.post(`/holds/${id('a')}/execute`, { certificate: signed({}, MEMBERS) });
  assert.equal(all.status, 200, 'more signatures than the quorum are welcome');
});

test('one set of signatures serves every certificate of a block, and none beside it', async (t) => {
  const executor = await (await startFor(t)).as('executor');
  const settlements = Array.from({ length: 5 }, (_, index) => id(`settlement ${index}`));
  const block = signedBlock(
    settlements.map((settlement, index) => certificateOf({ settlement, operations: [id(`hold ${index}`)] })),
    [FIRST, THIRD],
  );
  for (const [index, settlement] of settlements.entries()) {
    await executor.post('/holds', holdOf(`hold ${index}`, { settlement, amount: '10' }));
    const path = `/holds/${id(`hold ${index}`)}/execute`;
    const operations = [id(`hold ${index}`)];
    const forged = { ...block[index], certificate: certificateOf({ settlement, operations, head: id('forged') }) };
    const reply = await executor.post(path, { certificate: forged });
    assert.deepEqual(problem(reply), [403, 'certificate-signature-invalid', 'NARR']);
    assert.equal((await executor.post(path, { certificate: block[index] })).status, 200);
  }
  assert.deepEqual(await position(executor, '0099'), { free: '100', held: '0' });
});
