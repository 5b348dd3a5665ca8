import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeKeyFile } from '@linkspan/keys';
import { ENDPOINTS, type NetworkChange, parse } from '@linkspan/protocol';
import { testKeys } from '@linkspan/testkit';
import {
  type Answer,
  get,
  lodge,
  lodgeBoth,
  performAll,
  post,
  problemOf,
  startTestNetwork,
  testSecret,
  type TestNetwork,
  until,
  valid,
} from './test-support.ts';

const [A, B, CSD] = ['central-bank-a', 'central-bank-b', 'csd-b'] as const;
const NEXT = testKeys('next');
const ROTATE: NetworkChange = {
  what: 'rotate',
  organisation: A,
  callKey: NEXT.call.key,
  certificateKey: NEXT.certificate.key,
};

let network: TestNetwork;

before(async () => {
  network = await startTestNetwork({}, (config, directory) => {
    const nextKeyFile = join(directory, 'next.keys.json');
    writeKeyFile(nextKeyFile, { ed25519: testSecret('next call'), secp256k1: testSecret('next certificate') });
    const organisations = config.organisations.map((one) => (one.id === A ? { ...one, nextKeyFile } : one));
    return { ...config, organisations };
  });
});

after(() => network[Symbol.asyncDispose]());

test('an organisation gets new keys while a settlement is under way, by the approvals of others and without a restart', async () => {
  const begun = await lodgeBoth(network, network.instruction('KEYS-1'));
  assert.equal((await performAll(network, begun.id)).phase, 'committed');
  const proposed = await propose(A, ROTATE, 'p1');
  assert.deepEqual([proposed.standing, proposed.approvals], ['proposed', [A]]);
  const again = await propose(A, ROTATE, 'p1');
  assert.deepEqual(again, proposed, 'the same request has the same answer');
  const approve = async (key: string) => {
    const answer = await ask(B, `/network/changes/${proposed.change}/approve`, undefined, key);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return valid(parse(ENDPOINTS['approve-change'].answer, answer.body, 'internal'));
  };
  const approved = await approve('a1');
  assert.deepEqual([approved.standing, approved.approvals], ['announced', [A, B]]);
  assert.deepEqual(await approve('a1'), approved);
  const { changes } = valid(
    parse(ENDPOINTS.changes.answer, (await get(url(CSD), '/network/changes')).body, 'internal'),
  );
  assert.deepEqual(changes, [
    { id: proposed.change, change: ROTATE, epoch: 1, proposedBy: A, standing: 'announced', approvals: [A, B] },
  ]);
  assert.equal((await readNetwork()).announced, 2);
  assert.deepEqual((await confirm(B, 'c1')).begun, false);
  const [epoch] = (await readEpochs()).epochs;
  assert.deepEqual([epoch?.confirmed, epoch?.begunAt, epoch?.forSystems.signatures.length], [[B], null, 2]);
  assert.deepEqual(await confirm(CSD, 'c1'), { epoch: 2, confirmed: [B, CSD], begun: true });
  assert.deepEqual((await confirm(CSD, 'c1')).begun, true);
  const { organisations, announced } = await readNetwork();
  assert.deepEqual([organisations.find(({ id }) => id === A)?.callKey, announced], [NEXT.call.key, null]);
  // What was committed under the first epoch is certified again under the second, by the key that counts now.
  const { certificates } = await until(
    async () =>
      valid(
        parse(
          ENDPOINTS.certificates.answer,
          (await get(url(B), `/settlements/${begun.id}/certificates`)).body,
          'internal',
        ),
      ),
    (answer) => answer.certificates.some(({ epoch: of, certificate }) => of === 2 && certificate !== null),
  );
  assert.ok(certificates.every(({ kind }) => kind === 'commit'));
  assert.equal((await performAll(network, begun.id)).phase, 'settled');
  assert.equal((await lodge(url(A), network.instruction('KEYS-2'), 'k2')).status, 202, 'signed with the new call key');
});

test('after a restart the keys that the ledger names are used', async () => {
  await network.restart();
  assert.equal((await lodge(url(A), network.instruction('KEYS-3'), 'k3')).status, 202);
  assert.equal((await get(url(A), '/healthz', null)).status, 200);
});

test('what cannot be is refused with its code, and without the scope nothing is changed', async () => {
  const refusedAs = async (answer: Promise<Answer>) => problemOf(await answer).code;
  const unknown = `/network/changes/sha256:${'0'.repeat(64)}/approve`;
  assert.equal(await refusedAs(ask(B, unknown, undefined, 'u1')), 'not-registered');
  assert.equal(await refusedAs(ask(B, '/network/changes/nothing/approve', undefined, 'u2')), 'request-invalid');
  assert.equal(await refusedAs(ask(B, '/network/epochs/7/confirm', undefined, 'u3')), 'epoch-not-announced');
  assert.equal(await refusedAs(ask(B, '/network/epochs/x/confirm', undefined, 'u4')), 'epoch-not-announced');
  assert.equal(await refusedAs(ask(A, '/network/changes', { change: ROTATE }, 'u5')), 'key-used');
  assert.equal(await refusedAs(ask(A, '/network/changes', { change: { what: 'nothing' } }, 'u6')), 'request-invalid');
  const body = JSON.stringify({ change: { what: 'remove', organisation: CSD } });
  const headers = { 'idempotency-key': 'u7' };
  assert.equal(await refusedAs(post(url(A), '/network/changes', body, headers, 'auditor')), 'scope-missing');
});

async function propose(organisation: string, change: NetworkChange, key: string) {
  const answer = await ask(organisation, '/network/changes', { change }, key);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return valid(parse(ENDPOINTS['propose-change'].answer, answer.body, 'internal'));
}

async function confirm(organisation: string, key: string) {
  const answer = await ask(organisation, '/network/epochs/2/confirm', undefined, key);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return valid(parse(ENDPOINTS['confirm-epoch'].answer, answer.body, 'internal'));
}

async function readNetwork() {
  return valid(parse(ENDPOINTS.network.answer, (await get(url(CSD), '/network')).body, 'internal'));
}

async function readEpochs() {
  return valid(parse(ENDPOINTS.epochs.answer, (await get(url(CSD), '/network/epochs')).body, 'internal'));
}

function ask(organisation: string, path: string, body: object | undefined, key: string): Promise<Answer> {
  return post(url(organisation), path, body && JSON.stringify(body), { 'idempotency-key': key });
}

function url(organisation: string): string {
  return network.urls[organisation] ?? '';
}
