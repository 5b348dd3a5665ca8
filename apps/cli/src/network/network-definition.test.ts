import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { channelConfiguration } from './channel-configuration.ts';
import { localNetworkFile, ordererMsp, peerMsp, readNetworkFile } from './network-definition.ts';
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
    assert.equal(new Set(ports).size, countries * 7);
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
    'not 5': localNetworkFile(5, 20_000),
    'two organisations share an id': { ...file, organisations: [first, first, ...others.slice(1)] },
    'organisation 1 needs an id': { ...file, organisations: [{ ...first, id: '../elsewhere' }, ...others] },
    'country-a needs a host': { ...file, organisations: [{ ...first, host: 'a b' }, ...others] },
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
  assert.ok(text.includes(`OutOf(3, ${network.organisations.map((each) => `'${peerMsp(each)}.peer'`).join(', ')})`));
  for (const [i, each] of network.organisations.entries()) {
    assert.ok(text.includes(`{"ID":${i + 1},"MSPID":"${ordererMsp(each)}"`));
    assert.ok(text.includes(`"AnchorPeers":[{"Host":"127.0.0.1","Port":${each.ports.peer}}]`));
  }
  assert.ok(!text.includes('/organisations/'), 'what the channel is made from is public');
});
