import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { sampleNetwork } from '@linkspan/testkit';
import { call, startTestApi, type TestApi } from '../test-support.ts';

const scenarioFile = new URL('../../../../scenarios/dvp-buyer-overseas/scenario.json', import.meta.url).pathname;

let api: TestApi;

before(async () => {
  api = await startTestApi();
});

after(() => api[Symbol.asyncDispose]());

test('what is registered already is no change; a list is registered one after the other up to what is refused', async () => {
  const bodies = sampleNetwork().plan.calls.flatMap(({ organisation, body }) =>
    organisation === 'central-bank-a' && body.type === 'register-party' ? [body] : [],
  );
  const [party] = bodies;
  assert.ok(party);
  const one = await call(api.folder, ['register', api.write('party.json', party), '--key', 'one']);
  assert.deepEqual([one.exit, one.error], [0, '']);
  assert.match(one.out, /^party \w+ is registered$/);
  const changed = { ...party, party: { ...party.party, name: 'Another Name' } };
  const list = api.write('list.json', [party, changed]);
  const two = await call(api.folder, ['register', list, '--key', 'two']);
  assert.equal(two.exit, 7, two.error);
  assert.equal(two.out.split('\n').length, 1);
  assert.match(two.error, /, in registration 2 of 2\./);
  assert.equal((await call(api.folder, ['register', api.write('no.json', '[1]'), '--key', 'no'])).exit, 2);
  assert.equal((await call(api.folder, ['register', 'missing.json'])).exit, 2);
});

test('a scenario is proposed by one, and approved by another only under the hash of what it has read', async () => {
  const document: unknown = { ...JSON.parse(readFileSync(scenarioFile, 'utf8')), version: 2 };
  const file = api.write('scenario.json', JSON.stringify(document));
  const proposed = await call(api.folder, ['scenario', 'propose', file, '--key', 'p']);
  assert.deepEqual([proposed.exit, proposed.error], [0, '']);
  assert.match(proposed.out, /^dvp-buyer-overseas@2 \([0-9a-f]{12}\) is proposed/);
  const approve = (...more: string[]) =>
    call(api.folder, ['scenario', 'approve', 'dvp-buyer-overseas@2', '--organisation', 'csd-b', '--key', 'a', ...more]);
  const blind = await approve();
  assert.equal(blind.exit, 2);
  const hash = /--hash (sha256:[0-9a-f]{64})$/.exec(blind.error)?.[1] ?? '';
  assert.equal((await approve('--hash', `sha256:${'0'.repeat(64)}`)).exit, 2);
  const approved = await approve('--hash', hash);
  assert.match(approved.out, /is approved by this organisation\.$/, approved.error);
  const list = await call(api.folder, ['scenario', 'list']);
  assert.match(list.out, /dvp-buyer-overseas@2 .*csd-b/);
});

test('the network, its readiness and its measurements have each a command', async () => {
  const network = await call(api.folder, ['organisations']);
  assert.match(network.out, /\nmust sign {2}2 of 3\n\norganisation +name /);
  const ready = await call(api.folder, ['ready']);
  assert.equal(ready.exit, 6);
  assert.match(ready.out, /central-bank-b +cannot settle, block \d+, \d+ open\n {2}0 of 1 validators of rtgs answer/);
  assert.equal((await call(api.folder, ['ready', '--organisation', 'csd-b'])).exit, 0);
  const metrics = await call(api.folder, ['metrics']);
  assert.match(metrics.out, /^measurement +of +value\n[^]*\nledger_height +\d+\n/, metrics.error);
  const text = await call(api.folder, ['metrics', '--text']);
  assert.match(text.out, /^# HELP linkspan_/);
  assert.equal((await call(api.folder, ['metrics', '--api', 'http://127.0.0.1:1'])).exit, 6);
});

test('settlements are listed up to a limit or all, not both', async () => {
  for (const tradeId of ['ALL-1', 'ALL-2'])
    await call(api.folder, ['instruct', api.write('t.json', api.instruction(tradeId)), '--key', tradeId]);
  assert.equal((await call(api.folder, ['settlements', '--all'])).out.split('\n').length, 3);
  assert.equal((await call(api.folder, ['settlements', '--all', '--limit', '1'])).exit, 2);
});
