import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { scenarioHash } from '@linkspan/protocol';
import { readScenario, sampleNetwork, testKeys } from '@linkspan/testkit';
import { call, startTestApi, type TestApi } from '../test-support.ts';

const NEXT = testKeys('next');
const net = sampleNetwork();

let api: TestApi;

before(async () => {
  api = await startTestApi();
});

after(() => api[Symbol.asyncDispose]());

test('a change is proposed by one, approved by another, announced, and begins when a quorum has confirmed it', async () => {
  assert.equal((await change(['list'])).out, 'Nothing was ever proposed.');
  assert.equal((await change(['epochs'])).out, 'The network is in its first epoch.');
  const proposed = await change(['rotate', 'central-bank-a', '--certificate-key', NEXT.certificate.key]);
  assert.deepEqual([proposed.exit, proposed.error], [0, '']);
  assert.match(
    proposed.out,
    /^new keys for central-bank-a\ncertificate key secp256k1:[0-9a-f]{40}\nApproved by central-bank-a; it waits for others\.\nid sha256:[0-9a-f]{64}$/,
  );
  const id = proposed.out.split('id ')[1] ?? '';
  const approved = await change(['approve', id], 'csd-b');
  assert.match(approved.out, /^Approved by central-bank-a, csd-b\. Its epoch is announced/, approved.error);
  const list = await change(['list']);
  assert.match(list.out, /new keys for central-bank-a, certificate key .* announced +central-bank-a, csd-b$/);
  assert.match((await call(api.folder, ['organisations'])).out, /\nepoch +1, and 2 is announced\n/);
  const epochs = JSON.parse((await change(['epochs', '--json'])).out);
  assert.deepEqual(
    [epochs.epochs[0].forSystems.epoch, epochs.epochs[0].forSystems.signers.length, epochs.epochs[0].begunAt],
    [2, 3, null],
  );
  const first = await change(['confirm', '2'], 'central-bank-b');
  assert.equal(first.out, 'Epoch 2 is confirmed by central-bank-b, and waits for others.', first.error);
  assert.equal((await change(['confirm', '2'], 'csd-b')).out, 'Epoch 2 has begun.');
  assert.match((await change(['epochs'])).out, /\n2 +2 of 3 +[^ ]+ +2\d{3}-/);
  assert.match((await call(api.folder, ['organisations'])).out, new RegExp(NEXT.certificate.key));
});

test('keys are revoked by their owner, validators and organisations alike; the network says which are gone', async () => {
  const validator = net.validators['fcy-evm']?.[0]?.key ?? '';
  const one = await change(['revoke', 'fcy-evm', validator], 'central-bank-a');
  assert.match(
    one.out,
    /^revoke the validator ed25519:.* of fcy-evm\nApproved by central-bank-a; it is in effect\./,
    one.error,
  );
  const key = net.organisations['csd-b']?.call.key ?? '';
  const two = await change(['revoke', 'csd-b', key], 'csd-b');
  assert.match(two.out, /it is in effect\./, two.error);
  assert.match((await call(api.folder, ['organisations'])).out, /csd-b .* revoked ed25519:/);
  assert.equal((await change(['list'], 'csd-b')).exit, 0, 'who has no key left still sees');
  const silent = await change(['remove', 'central-bank-a'], 'csd-b');
  assert.equal(silent.exit, 5, silent.error);
});

test('a scenario is retired, an organisation is admitted or removed, and validators change, all in the same way', async () => {
  const hash = scenarioHash(readScenario('dvp-buyer-overseas-report'));
  const retire = await change(['retire', 'dvp-buyer-overseas-report@1', '--hash', hash]);
  assert.match(
    retire.out,
    /^retire dvp-buyer-overseas-report@1\nsha256:.*\nApproved by central-bank-a; it waits/,
    retire.error,
  );
  const keys = testKeys('central-bank-d');
  const organisation = {
    id: 'central-bank-d',
    name: 'D',
    economy: 'D',
    callKey: keys.call.key,
    certificateKey: keys.certificate.key,
  };
  const admit = await change(['admit', api.write('d.json', organisation)], 'central-bank-b');
  assert.match(
    admit.out,
    /^admit central-bank-d \(D\)\ncall key .*\ncertificate key .*\nApproved by central-bank-b; it waits/,
    admit.error,
  );
  const validators = await change(
    ['validators', 'fcy-evm', '--validators', [NEXT.call.key, keys.call.key].join(), '--threshold', '2'],
    'central-bank-b',
  );
  assert.match(validators.out, /^new validators for fcy-evm\n2 of 2 must agree\n/, validators.error);
  assert.match((await change(['remove', 'csd-b'], 'central-bank-b')).out, /^remove csd-b\n/);
});

test('what is written wrongly is said before anything is sent', async () => {
  for (const words of [
    ['rotate', 'central-bank-a'],
    ['admit', 'missing.json'],
    ['revoke', 'central-bank-a'],
    ['other', 'x'],
    ['remove', 'No Name'],
  ]) {
    const { exit, error } = await change(words);
    assert.equal(exit, 2, `${words.join(' ')}: ${error}`);
  }
  assert.equal((await change(['approve', 'nothing'])).exit, 2);
  assert.equal((await change(['confirm', '9'])).exit, 7);
});

let asked = 0;

function change(words: readonly string[], organisation = 'central-bank-a') {
  const key = words[0] === 'list' || words[0] === 'epochs' ? [] : ['--key', `key ${++asked}`];
  return call(api.folder, ['change', ...words, '--organisation', organisation, ...key]);
}
