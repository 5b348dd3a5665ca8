import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './config.ts';
import { configFor, MEMBERS } from './test-support.ts';

test('a right configuration becomes the registry', () => {
  const parsed = parseConfig(configFor('/data'));
  assert.ok(parsed.ok);
  const { accounts, assets, clients, firstEpoch } = parsed.value;
  assert.equal(accounts.get('0042')?.opening.get('JPY'), 1000n);
  assert.ok(accounts.get('0042')?.operators.has('kita'));
  assert.equal(assets.get('JPY')?.kind, 'cash');
  assert.ok(clients.get('reader')?.roles.has('reader'));
  assert.deepEqual(
    firstEpoch.signers,
    MEMBERS.map((each) => each.address),
  );
});

test('every mistake in a configuration is reported at once', () => {
  const config = configFor('/data');
  const account = { id: '1', name: 'One', operators: ['nobody'], positions: { USD: '1', JPY: '01' } };
  const largest = String(2n ** 62n);
  const parsed = parseConfig({
    ...config,
    port: 70_000,
    certificates: { ...config.certificates, quorum: 4 },
    clients: [...config.clients, ...config.clients.slice(0, 1)],
    accounts: [account, { ...account, id: '2', operators: [], positions: { JPY: largest } }, ...config.accounts],
    colour: 'blue',
  });
  assert.ok(!parsed.ok);
  const { detail } = parsed.refusal;
  for (const part of [
    '/colour is not a known member',
    '/port must be an integer from 0 to 65535',
    '/certificates The quorum exceeds the number of signers.',
    '/clients names an id twice',
    '/accounts/0/positions/JPY must be an integer of minor units in a string',
    '/accounts of 1 name an unknown operator nobody',
    '/accounts of 1 name an unknown asset USD',
    `/accounts open with more than ${largest} of JPY`,
  ]) {
    assert.ok(detail.includes(part), `${part} is not in ${detail}`);
  }
});

test('what is no object is refused like an empty one', () => {
  for (const value of [undefined, null, 7, 'x', []]) assert.ok(!parseConfig(value).ok);
});
