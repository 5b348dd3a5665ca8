import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CertificatesBody, ENDPOINTS, parse } from '@linkspan/protocol';
import {
  get,
  lodgeBoth,
  performAll,
  problemOf,
  startTestNetwork,
  type TestNetwork,
  until,
  valid,
} from './test-support.ts';

let network: TestNetwork;

before(async () => {
  network = await startTestNetwork();
});

after(() => network[Symbol.asyncDispose]());

async function show(id: string): Promise<CertificatesBody> {
  const { status, body } = await get(
    network.urls['csd-b'] ?? '',
    `/settlements/${encodeURIComponent(id)}/certificates`,
  );
  assert.equal(status, 200, JSON.stringify(body));
  return valid(parse(ENDPOINTS.certificates.answer, body, 'internal'));
}

test('the commit certificate is given once a quorum has signed, and all the same after the end and a restart', async () => {
  const { id, operations } = await lodgeBoth(network, network.instruction('CERTIFICATE-1'));
  assert.deepEqual(await show('CERTIFICATE-1'), { id, certificates: [] });
  await performAll(network, id);
  const gathered = await until(
    () => show(id),
    ({ certificates }) => certificates.some(({ certificate }) => certificate !== null),
  );
  const [commit, other] = gathered.certificates;
  assert.ok(commit?.certificate && !other);
  const { certificate, signatures } = commit.certificate;
  assert.deepEqual([commit.kind, certificate.kind, signatures.length], ['commit', 'commit', commit.quorum]);
  assert.ok(commit.signatures >= commit.quorum);
  const hex = (hash: string): string => hash.replace('sha256:', '0x');
  assert.deepEqual(certificate.operations.toSorted(), operations.map((each) => hex(each.id)).toSorted());
  assert.deepEqual([certificate.settlement, certificate.network], [hex(id), hex(network.sample.id)]);
  assert.equal((await performAll(network, id)).phase, 'settled');
  await network.restart();
  const [ended] = (await show(id)).certificates;
  assert.deepEqual(ended?.certificate?.certificate, certificate, 'from the shares on the ledger');
});

test('what is not known has no certificates, and who may not read settlements is refused', async () => {
  const url = network.urls['csd-b'] ?? '';
  assert.equal(problemOf(await get(url, '/settlements/NOTHING/certificates')).code, 'not-found');
  assert.equal(problemOf(await get(url, '/settlements/NOTHING/certificates', 'monitor')).code, 'scope-missing');
});
