import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hashOf } from '@linkspan/protocol';
import { isObject } from '../failure.ts';
import { call, startTestApi, type TestApi } from '../test-support.ts';

let api: TestApi;

before(async () => {
  api = await startTestApi();
  const file = api.write('trade.json', api.instruction('DOCTOR-1'));
  for (const side of ['central-bank-a', 'csd-b'])
    assert.equal((await call(api.folder, ['instruct', file, '--organisation', side, '--key', side])).exit, 0);
});

after(() => api[Symbol.asyncDispose]());

test('every check is a line; what does not work says what to do, and the exit code is that of the first', async () => {
  const { exit, out, error } = await call(api.folder, ['doctor']);
  assert.deepEqual([exit, error], [6, ''], out);
  assert.match(out, /^✓ Node \d/);
  assert.match(out, /^✓ The profile .*var\/profile\.json has 3 organisations; central-bank-a speaks\.$/m);
  assert.equal(out.match(/^✓ The .* answers at http:/gm)?.length, 3);
  assert.match(out, /^✓ All are of the network sha256:[0-9a-f]{64}, as the profile says\.$/m);
  assert.match(out, /^✓ All ledgers have reached block \d+\.$/m);
  // Nothing listens where the validator of this organisation should be.
  assert.match(
    out,
    /^✗ The central-bank-b cannot settle\. 0 of 1 validators of rtgs answer, 1 are needed\.\n {4}Start /m,
  );
  assert.match(out, /^✗ rtgs: No validator of rtgs gave a reading\.\n {4}Are rtgs and its validators running/m);
  assert.match(out, /\n\n2 of \d+ checks failed; \d to look at\.$/);
});

test('a network that is well ends with exit code 0, and --json has every finding in one document', async () => {
  const { exit, out } = await call(api.folder, ['doctor', '--organisation', 'csd-b', '--json']);
  assert.equal(exit, 0, out);
  const document: unknown = JSON.parse(out);
  assert.ok(isObject(document) && Array.isArray(document['findings']));
  for (const finding of document['findings']) {
    assert.ok(isObject(finding) && typeof finding['check'] === 'string' && Array.isArray(finding['todo']));
    assert.notEqual(finding['state'], 'bad');
  }
});

test('--full runs every call again and checks every block; a block that was tampered with is found', async () => {
  const ledger = join(api.folder, 'ledger');
  const { exit, out } = await call(api.folder, ['doctor', '--full', '--organisation', 'csd-b', '--ledger', 'ledger']);
  assert.equal(exit, 0, out);
  assert.match(out, /^✓ Every call of 1 settlements was run again, \d+ in all/m);
  assert.match(out, /^✓ The ledger in .*ledger holds: \d+ blocks in one chain/m);
  const head = join(ledger, 'head');
  const before = readFileSync(head);
  try {
    writeFileSync(head, '');
    const broken = await call(api.folder, ['doctor', '--full', '--organisation', 'csd-b', '--ledger', ledger]);
    assert.notEqual(broken.exit, 0);
    assert.match(broken.out, /^✗ The ledger in .*ledger (does not hold together|cannot be checked)/m);
  } finally {
    writeFileSync(head, before);
  }
  const none = await call(api.folder, ['doctor', '--full', '--organisation', 'csd-b', '--ledger', '.']);
  assert.match(none.out, /^✗ There is no embedded ledger in /m);
});

test('a profile of another network, an address where nobody answers, and a secret that others can read are told apart', async () => {
  const profile: unknown = JSON.parse(readFileSync(join(api.folder, 'var/profile.json'), 'utf8'));
  assert.ok(isObject(profile) && isObject(profile['organisations']));
  const { organisations } = profile;
  const other = api.write('var/other.json', { ...profile, network: hashOf('another') });
  const mismatch = await call(api.folder, ['doctor', '--profile', other, '--organisation', 'csd-b']);
  assert.deepEqual([mismatch.exit, /^✗ The csd-b is of the network /m.test(mismatch.out)], [3, true], mismatch.out);

  const away = { ...organisations, 'csd-b': { name: 'Gone', api: 'http://127.0.0.1:1' } };
  const silent = api.write('var/silent.json', { ...profile, organisations: away });
  const gone = await call(api.folder, ['doctor', '--profile', silent, '--organisation', 'csd-b']);
  assert.deepEqual(
    [
      gone.exit,
      /^✗ Gone: Nothing listens at http:\/\/127\.0\.0\.1:1: is `npm start` running\?\n {4}If /m.test(gone.out),
    ],
    [6, true],
  );

  const { 'csd-b': entry } = organisations;
  assert.ok(isObject(entry));
  const access = { issuer: 'http://127.0.0.1:1', clientId: 'a', clients: { a: { secretEnv: 'PATH' } } };
  const down = { ...organisations, 'csd-b': { ...entry, access } };
  const silentIssuer = api.write('var/down.json', { ...profile, organisations: down });
  const once = await call(api.folder, ['doctor', '--profile', silentIssuer, '--organisation', 'csd-b']);
  assert.equal(once.out.match(/^✗ /gm)?.length, 1, once.out);
  assert.match(once.out, /^✗ .*: Nothing listens at http:\/\/127\.0\.0\.1:1: is `npm start` running\?$/m);

  const open = api.write('var/open.key', 'not really');
  chmodSync(join(api.folder, open), 0o644);
  const secrets = await call(api.folder, ['doctor', '--organisation', 'csd-b']);
  chmodSync(join(api.folder, open), 0o600);
  assert.equal(secrets.exit, 2);
  assert.match(secrets.out, /secret files can be read by others than their owner\.\n {4}chmod 600 .*open\.key\n/);
});

test('where there is no profile it says how to come by one', async () => {
  const { exit, out } = await call('/', ['doctor']);
  assert.equal(exit, 6);
  assert.match(out, /^✗ There is no profile of a network\.\n {4}Start the local network with npm start/m);
});
