import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Fault } from '@linkspan/protocol';
import { fabricPrograms } from '../../apps/cli/src/network/fabric-programs.ts';
import {
  type FabricOrganisation,
  localNetworkFile,
  readNetworkFile,
} from '../../apps/cli/src/network/network-definition.ts';
import { type NetworkLayout, networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { makeBeginnings, prepareHere, renewHere } from '../../apps/cli/src/network/one-organisation.ts';
import { LOCAL_DEFINITION, openProduct, readDefinition } from '../../apps/cli/src/network/product.ts';
import { productPlaces } from '../../apps/cli/src/network/product-places.ts';
import { processesOfProduct } from '../../apps/cli/src/network/product-processes.ts';
import { whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();
const WHAT =
  'organisations on hosts of their own exchange nothing but the shared folder, and every program finds its production configuration in order';

test(WHAT, missing === undefined ? {} : { skip: missing }, async () => {
  const base = mkdtempSync(join(tmpdir(), 'linkspan-hosts-'));
  const file = localNetworkFile(4, 20_000);
  const network = readNetworkFile({
    ...file,
    organisations: file.organisations.map((each) => ({ ...each, host: `${each.id}.example` })),
  });
  const hosts = network.organisations.map((organisation) => {
    return { organisation, layout: networkLayout(join(base, organisation.id)) };
  });
  try {
    const [first] = hosts;
    assert.ok(first);
    for (const { organisation, layout } of hosts) {
      mkdirSync(layout.shared, { recursive: true });
      const lacks = await prepareHere(network, layout, organisation, LOCAL_DEFINITION);
      const others = hosts.flatMap(({ organisation: { id } }) => (id === organisation.id ? [] : [id]));
      assert.deepEqual(lacks, [...others, 'genesis.block', 'genesis.json']);
    }
    const programs = await fabricPrograms(process.env, () => undefined);
    const begin = (): Promise<void> => makeBeginnings(programs, network, first.layout, LOCAL_DEFINITION);
    await assert.rejects(
      begin(),
      (error) => error instanceof Fault && /country-b, country-c, country-d/.test(error.message),
    );
    exchange(
      hosts.map(({ layout }) => layout),
      (name) => name.startsWith('country-'),
    );
    await begin();
    exchange(
      hosts.map(({ layout }) => layout),
      (name) => name.startsWith('genesis'),
    );

    for (const { organisation, layout } of hosts) {
      const own = layout.organisation(organisation);
      const issuer = { kind: 'issuer', issuer: 'https://id.example', audience: 'x', jwks: 'https://id.example/keys' };
      const prepare = () => prepareHere(network, layout, organisation, LOCAL_DEFINITION);
      await assert.rejects(
        prepare(),
        (error) => error instanceof Fault && /authentication\.json is missing/.test(error.message),
      );
      writeFileSync(join(own.folder, 'authentication.json'), JSON.stringify(issuer));
      assert.deepEqual(await prepare(), []);
      assert.deepEqual(readdirSync(join(own.folder, '..')), [organisation.id], 'nothing of anybody else is here');
      const product = openProduct(network, layout, readDefinition(LOCAL_DEFINITION));
      const prepared = { product, places: productPlaces(network, layout, product) };
      for (const { script, config } of processesOfProduct(organisation, prepared)) {
        const { stdout } = await run(process.execPath, [script, '--config', config, '--check-config']);
        assert.match(stdout, script.includes('systems/') ? /in order/ : /in order, mode production/);
      }
      const peer = readFileSync(join(own.peerConfig, 'core.yaml'), 'utf8');
      assert.match(peer, /"listenAddress": "0\.0\.0\.0:/);
      assert.match(peer, /"operations": \{\s+"listenAddress": "127\.0\.0\.1:/);
    }
    const own = first.layout.organisation(first.organisation);
    const before = certificatesIn(own.crypto);
    assert.deepEqual(await renewHere(network, first.layout, first.organisation, ['tls', 'signing']), {
      isOffered: true,
    });
    const renewed = [...certificatesIn(own.crypto)].flatMap(([name, text]) =>
      before.get(name) === text ? [] : [name],
    );
    const services = ['core-api', 'validator-fcy-evm-1', 'validator-fcy-evm-2', 'validator-fcy-evm-3'];
    assert.deepEqual(renewed.toSorted(), [
      'admin/msp/signcerts/admin.pem',
      'client/client.pem',
      'orderer/next.pem',
      'orderer/tls/server.pem',
      'peer/msp/signcerts/peer.pem',
      'peer/tls/server.pem',
      ...services.map((name) => `tls/${name}.pem`),
    ]);
    const ids = hosts.map(({ layout }) => readFileSync(join(layout.shared, 'product.json'), 'utf8'));
    assert.equal(new Set(ids).size, 1, 'all have agreed on the same product');
    await prepareNewcomer(base, first);
  } finally {
    rmSync(base, { recursive: true });
  }
});

/** A fifth one, on a host of its own with what the others have shown, and then one of the others with what it shows. */
async function prepareNewcomer(base: string, first: Host): Promise<void> {
  const file = localNetworkFile(5, 20_000);
  const network = readNetworkFile({
    ...file,
    organisations: file.organisations.map((each, i) => ({ ...each, host: `${each.id}.example`, votes: i < 4 })),
  });
  const newcomer = network.organisations.at(-1);
  assert.ok(newcomer);
  const layout = networkLayout(join(base, newcomer.id));
  cpSync(first.layout.shared, layout.shared, { recursive: true });
  const { folder } = layout.organisation(newcomer);
  cpSync(
    join(first.layout.organisation(first.organisation).folder, 'authentication.json'),
    join(folder, 'authentication.json'),
  );
  assert.deepEqual(await prepareHere(network, first.layout, first.organisation, LOCAL_DEFINITION), [newcomer.id]);
  assert.deepEqual(await prepareHere(network, layout, newcomer, LOCAL_DEFINITION), []);
  exchange([layout, first.layout], (name) => name === newcomer.id);
  assert.deepEqual(await prepareHere(network, first.layout, first.organisation, LOCAL_DEFINITION), []);
  for (const host of [{ organisation: newcomer, layout }, first]) {
    const config = join(host.layout.organisation(host.organisation).folder, 'core-api/config.json');
    const { stdout } = await run(process.execPath, ['apps/core-api/src/main.ts', '--config', config, '--check-config']);
    assert.match(stdout, /in order, mode production/);
    assert.match(readFileSync(config, 'utf8'), /"country-e": \{\s+"url": "https:\/\/country-e\.example:20088"/);
  }
}

type Host = { readonly organisation: FabricOrganisation; readonly layout: NetworkLayout };

const run = promisify(execFile);

function certificatesIn(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pem'));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** What people send each other: files of the shared folders, each to those who do not have them. */
function exchange(layouts: readonly NetworkLayout[], isSent: (name: string) => boolean): void {
  for (const from of layouts)
    for (const to of layouts)
      for (const name of readdirSync(from.shared).filter(isSent))
        if (from !== to && !readdirSync(to.shared).includes(name))
          cpSync(join(from.shared, name), join(to.shared, name), { recursive: true });
}
