import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localNetworkFile, readNetworkFile } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { agreedProduct, LOCAL_DEFINITION, readDefinition } from './product.ts';
import { productPlaces } from './product-places.ts';
import { firewallRules, nftables, systemdUnits } from './systemd-units.ts';

const network = readNetworkFile(localNetworkFile(4, 20_000));
const layout = networkLayout('/srv/the link');
const product = agreedProduct(network, readDefinition(LOCAL_DEFINITION));
const [, organisation] = network.organisations;
assert.ok(organisation);
const units = systemdUnits({
  programs: {
    configtxgen: '/opt/fabric/configtxgen',
    configtxlator: '/opt/fabric/configtxlator',
    orderer: '/opt/fabric/orderer',
    peer: '/opt/fabric/peer',
  },
  network,
  layout,
  organisation,
  prepared: { product, places: productPlaces(network, layout, product) },
  program: { main: '/opt/contract.ts', args: ['--price', '5$%'] },
  sequence: 2,
  user: 'settler',
});
const textOf = (name: string): string => units.find((unit) => unit.name === name)?.text ?? '';

test('every process of an organisation has a unit, and one target starts them all', () => {
  assert.deepEqual(
    units.map(({ name }) => name),
    [
      ...['orderer', 'peer', 'chaincode', 'rtgs', 'validator-rtgs', 'core-api'].map(
        (name) => `linkspan-${name}.service`,
      ),
      'linkspan.target',
    ],
  );
  for (const { name } of units.slice(0, -1)) assert.ok(textOf('linkspan.target').includes(name));
});

test('a unit runs its program as the user, writes only into the organisation’s own folder, and comes back when it ends', () => {
  for (const { name, text } of units.slice(0, -1)) {
    const lines = text.split('\n');
    assert.ok(lines.includes('User=settler') && lines.includes('Restart=always'), name);
    assert.ok(lines.includes('ReadWritePaths="/srv/the link/organisations/country-b"'), name);
    assert.ok(lines.includes('ProtectSystem=strict'), name);
  }
  assert.match(textOf('linkspan-peer.service'), /^ExecStart=\/opt\/fabric\/peer node start$/m);
  assert.match(
    textOf('linkspan-peer.service'),
    /^Environment="FABRIC_CFG_PATH=\/srv\/the link\/organisations\/country-b\/peer"$/m,
  );
});

test('what systemd would replace in a line stands for itself', () => {
  const [line = ''] = /^ExecStart=.*$/m.exec(textOf('linkspan-chaincode.service')) ?? [];
  assert.ok(line.endsWith(' --price "5$$%%"'), line);
  assert.match(line, /--address 127\.0\.0\.1:20027 --id linkspan_2:[0-9a-f]{64} /);
});

test('the firewall lets the other organisations reach three ports, its own people the CoreAPI, and nobody else', () => {
  const rules = firewallRules(
    { ...network, organisations: network.organisations.map((each, i) => ({ ...each, host: `10.0.0.${i + 1}` })) },
    organisation,
  );
  assert.deepEqual(
    rules.map(({ port }) => port),
    [organisation.ports.peer, organisation.ports.orderer, organisation.ports.coreApi],
  );
  for (const { from } of rules) assert.deepEqual(from, ['10.0.0.1', '10.0.0.3', '10.0.0.4']);
  const text = nftables(rules, organisation);
  assert.match(text, /ip saddr 10\.0\.0\.4 tcp dport 20028 accept/);
  assert.match(text, /tcp dport \{ 20020, 20023, 20028 \} drop/);
  assert.deepEqual(
    text.match(/^.*own_networks .*$/gm)?.map((line) => line.trim()),
    ['set own_networks {', 'ip saddr @own_networks tcp dport 20028 accept'],
    'the organisation’s own people and programs reach the CoreAPI alone',
  );
  assert.match(text, /iif lo accept/);
});
