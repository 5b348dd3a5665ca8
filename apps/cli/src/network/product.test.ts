import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { makeCrypto } from './crypto-material.ts';
import { localNetworkFile, type NetworkFile, readNetworkFile } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { agreedProduct, LOCAL_DEFINITION, openProduct, readDefinition } from './product.ts';
import { ownParts, productPlaces } from './product-places.ts';
import { prepareProduct } from './product-processes.ts';

const definition = readDefinition(LOCAL_DEFINITION);

test('organisations of the definition become those of the network in their order, and further ones take part without systems', () => {
  const network = readNetworkFile(localNetworkFile(4, 20_000));
  const product = agreedProduct(network, definition);
  assert.deepEqual(
    network.organisations.map((each) => product.memberOf(each)),
    ['central-bank-a', 'central-bank-b', 'csd-b', 'country-d'],
  );
  assert.deepEqual(product.definition.organisations.at(-1), { id: 'country-d', name: 'Country D', economy: 'D' });
  assert.deepEqual(ownParts(product.definition, 'country-d'), []);
  assert.deepEqual(ownParts(product.definition, 'central-bank-a'), [
    'fcy-evm',
    'validator-fcy-evm-1',
    'validator-fcy-evm-2',
    'validator-fcy-evm-3',
  ]);
});

test('a network file may name who is who; each organisation of the definition must be there once', () => {
  const named = (...members: readonly (string | undefined)[]): NetworkFile => {
    const file = localNetworkFile(4, 20_000);
    return {
      ...file,
      organisations: file.organisations.map((each, i) => {
        const member = members[i];
        return member === undefined ? each : { ...each, member };
      }),
    };
  };
  const network = readNetworkFile(named(undefined, 'csd-b', 'bank-of-c'));
  const { memberOf } = agreedProduct(network, definition);
  assert.deepEqual(network.organisations.map(memberOf), ['central-bank-a', 'csd-b', 'bank-of-c', 'central-bank-b']);
  const turned = readNetworkFile(named('central-bank-b'));
  assert.deepEqual(turned.organisations.map(agreedProduct(turned, definition).memberOf), [
    'central-bank-b',
    'central-bank-a',
    'csd-b',
    'country-d',
  ]);
  for (const members of [
    ['central-bank-a', 'central-bank-a'],
    ['x', 'y', 'z'],
  ])
    assert.throws(
      () => agreedProduct(readNetworkFile(named(...members)), definition),
      (error) => error instanceof Fault && error.code === 'configuration-invalid',
      members.join(),
    );
});

test('no two processes of a network share a port, with seven organisations too', () => {
  for (const countries of [3, 4, 7]) {
    const network = readNetworkFile(localNetworkFile(countries, 20_000));
    const product = agreedProduct(network, definition);
    const places = productPlaces(network, networkLayout('/net'), product);
    const names = product.definition.organisations.flatMap(({ id }) => [id, ...ownParts(product.definition, id)]);
    const ports = [
      ...names.map(places.portOf),
      ...network.organisations.flatMap((each) => {
        const { coreApi: _, firstSystem: __, ...nodes } = each.ports;
        return Object.values(nodes);
      }),
    ];
    assert.equal(new Set(ports).size, ports.length);
    assert.equal(names.length, countries + 3 + 5);
  }
});

test('a secret is made in the folder of whom it belongs to, stays the same, and differs by owner and client', () => {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-product-'));
  try {
    const network = readNetworkFile(localNetworkFile(4, 20_000));
    const layout = networkLayout(directory);
    const product = openProduct(network, layout, definition);
    const { secretOf } = productPlaces(network, layout, product);
    const all = [secretOf('rtgs', 'auditor'), secretOf('central-bank-b', 'auditor'), secretOf('csd', 'auditor')];
    assert.equal(new Set([...all, secretOf('rtgs', 'validator')]).size, 4);
    assert.equal(productPlaces(network, layout, product).secretOf('rtgs', 'auditor'), all[0]);
    const seeds = ['country-b', 'country-c'].map((id) =>
      readFileSync(join(directory, 'organisations', id, 'secret'), 'utf8'),
    );
    assert.equal(new Set(seeds).size, 2);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('whoever has left the network is asked no more by the others, and their files are written all the same', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-product-'));
  try {
    const network = readNetworkFile(localNetworkFile(4, 20_000));
    const layout = networkLayout(directory);
    await Promise.all(network.organisations.map((each) => makeCrypto(each, layout.organisation(each))));
    const peersAfter = (left: number): string[] => {
      const now = { ...network, organisations: network.organisations.slice(0, 4 - left) };
      const { profile } = prepareProduct(now, layout, definition);
      const config: { readonly peers: object } = JSON.parse(
        readFileSync(join(directory, 'organisations/country-a/core-api/config.json'), 'utf8'),
      );
      const { organisations }: { readonly organisations: object } = JSON.parse(readFileSync(profile, 'utf8'));
      assert.deepEqual(Object.keys(organisations), Object.keys(config.peers));
      return Object.keys(config.peers);
    };
    assert.deepEqual(peersAfter(0), ['central-bank-a', 'central-bank-b', 'csd-b', 'country-d']);
    assert.deepEqual(peersAfter(1), ['central-bank-a', 'central-bank-b', 'csd-b']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('whoever joins later is a member by its own id, has a CoreAPI and keys of its own, and changes neither genesis nor agreement', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-product-'));
  try {
    const network = readNetworkFile(localNetworkFile(4, 20_000));
    const layout = networkLayout(directory);
    const larger = readNetworkFile(localNetworkFile(5, 20_000));
    await Promise.all(larger.organisations.map((each) => makeCrypto(each, layout.organisation(each))));
    prepareProduct(network, layout, definition);
    const agreed = ['product.json', 'genesis.json'].map((file) => readFileSync(join(layout.shared, file), 'utf8'));
    const { product, profile } = prepareProduct(larger, layout, definition);
    assert.deepEqual(
      ['product.json', 'genesis.json'].map((file) => readFileSync(join(layout.shared, file), 'utf8')),
      agreed,
    );
    const newcomer = larger.organisations[4];
    assert.ok(newcomer);
    assert.equal(product.memberOf(newcomer), 'country-e');
    assert.deepEqual(product.definition.organisations.at(-1), { id: 'country-e', name: 'Country E', economy: 'E' });
    for (const { id } of larger.organisations) {
      const config: { readonly peers: object; readonly organisations: readonly { readonly keysFrom: string }[] } =
        JSON.parse(readFileSync(join(directory, 'organisations', id, 'core-api/config.json'), 'utf8'));
      assert.equal(Object.keys(config.peers).length, 5, id);
      assert.equal(config.organisations[0]?.keysFrom, 'ledger', id);
    }
    const { organisations }: { readonly organisations: object } = JSON.parse(readFileSync(profile, 'utf8'));
    assert.ok('country-e' in organisations);
    const [, second] = larger.organisations;
    assert.ok(second);
    const impostor = { ...newcomer, member: 'central-bank-a' };
    assert.throws(
      () => prepareProduct({ ...larger, organisations: [second, impostor] }, layout, definition),
      (error) => error instanceof Fault && error.code === 'configuration-invalid',
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
