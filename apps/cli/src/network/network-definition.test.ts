import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { channelConfiguration } from './channel-configuration.ts';
import { localNetworkFile, mspId, networkFileOf, readNetworkFile } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';

test('as many organisations must endorse as sign certificates, and no port is given twice', () => {
  for (const [countries, consensus, endorsements] of [
    [3, 'raft', 2],
    [4, 'bft', 3],
    [7, 'bft', 5],
  ] as const) {
    const network = readNetworkFile(localNetworkFile(countries, 20_000));
    assert.deepEqual(
      [network.consensus, network.endorsements, network.organisations.length],
      [consensus, endorsements, countries],
    );
    const ports = network.organisations.flatMap((each) => Object.values(each.ports));
    assert.equal(new Set(ports).size, countries * 10);
  }
});

test('a file that cannot be used is refused in one sentence that says why', () => {
  const file = localNetworkFile(4, 20_000);
  const [first, ...others] = file.organisations;
  assert.ok(first);
  const wrong: Record<string, unknown> = {
    'it is no object': 'network',
    'its channel needs a name': { ...file, channel: 'Not/One' },
    'it needs a list': { ...file, organisations: {} },
    '3 to 16 organisations, not 2': localNetworkFile(2, 20_000),
    '4 to 16 organisations, not 3': { ...localNetworkFile(3, 20_000), consensus: 'bft' },
    'raft or bft': { ...file, consensus: 'solo' },
    'two organisations share a number': { ...file, organisations: [{ ...first, number: 2 }, ...others] },
    'the number of country-a is counted': { ...file, organisations: [{ ...first, number: 0 }, ...others] },
    'country-a votes or does not': { ...file, organisations: [{ ...first, votes: 'no' }, ...others] },
    'two organisations share an id': { ...file, organisations: [first, first, ...others.slice(1)] },
    'organisation 1 needs an id': { ...file, organisations: [{ ...first, id: '../elsewhere' }, ...others] },
    'country-a needs a host': { ...file, organisations: [{ ...first, host: 'a b' }, ...others] },
    'country-a and country-b share ports: each takes 20 in a row, from 20005 and from 20020 on': {
      ...file,
      organisations: [{ ...first, host: 'localhost', port: 20_005 }, ...others],
    },
    'country-a needs a port from 1024 to 65516, the first of its 20, not 65520': {
      ...file,
      organisations: [{ ...first, port: 65_520 }, ...others],
    },
    'country-a needs a port': { ...file, organisations: [{ ...first, port: 80 }, ...others] },
  };
  for (const [why, document] of Object.entries(wrong)) {
    assert.throws(
      () => readNetworkFile(document),
      (error) => error instanceof Fault && error.code === 'configuration-invalid' && error.message.includes(why),
      why,
    );
  }
});

test('the channel asks for the endorsements of the quorum, by peers alone, and knows every consenter', () => {
  const network = readNetworkFile(localNetworkFile(4, 20_000));
  const text = JSON.stringify(channelConfiguration(network, networkLayout('/net')));
  assert.ok(text.includes(`OutOf(3, ${network.organisations.map((each) => `'${mspId(each)}.peer'`).join(', ')})`));
  for (const [i, each] of network.organisations.entries()) {
    assert.ok(text.includes(`{"ID":${i + 1},"MSPID":"${mspId(each)}"`));
    assert.ok(text.includes(`"AnchorPeers":[{"Host":"127.0.0.1","Port":${each.ports.peer}}]`));
  }
  assert.ok(!text.includes('/organisations/'), 'what the channel is made from is public');
});

test('an organisation without a vote belongs to the channel, but neither orders nor endorses', () => {
  const file = localNetworkFile(5, 20_000);
  const joining = { ...file, organisations: file.organisations.map((each, i) => ({ ...each, votes: i < 4 })) };
  const network = readNetworkFile(joining);
  const text = JSON.stringify(channelConfiguration(network, networkLayout('/net')));
  assert.equal(network.endorsements, 3);
  assert.ok(text.includes(`'country-e.member'`));
  assert.ok(!text.includes(`'country-d.peer', 'country-e.peer'`));
  assert.ok(!text.includes('{"ID":5'));
  assert.deepEqual(readNetworkFile(networkFileOf(network)), network);
});

test('the orderers’ numbers and the way they agree stay the same when organisations come and go', () => {
  const grown = readNetworkFile({ ...localNetworkFile(4, 20_000), consensus: 'raft' });
  assert.equal(grown.consensus, 'raft');
  const network = readNetworkFile(localNetworkFile(5, 20_000));
  const shrunk = readNetworkFile(
    networkFileOf({ ...network, organisations: network.organisations.filter(({ id }) => id !== 'country-b') }),
  );
  assert.deepEqual(
    shrunk.organisations.map(({ number }) => number),
    [1, 3, 4, 5],
  );
  const text = JSON.stringify(channelConfiguration(shrunk, networkLayout('/net')));
  assert.ok(text.includes('{"ID":5,"MSPID":"country-e"'));
  assert.ok(!text.includes('{"ID":2'));
});
