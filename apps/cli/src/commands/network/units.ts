import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { committedOrNone, CONTRACT } from '../../network/chaincode-definition.ts';
import { fabricPrograms } from '../../network/fabric-programs.ts';
import { Administrator } from '../../network/lifecycle.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { openProduct, readDefinition } from '../../network/product.ts';
import { productPlaces } from '../../network/product-places.ts';
import { firewallRules, nftables, OWN_NETWORKS, systemdUnits } from '../../network/systemd-units.ts';
import { table } from '../../table.ts';
import { plain } from '../../terminal.ts';
import { definitionFileOf, keptNetwork, namedOrganisation } from './network-action.ts';

/** Writes systemd units and firewall rules for the host of one organisation. */
export async function units(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { positionals, options, env, terminal, folder } = invocation;
  if (typeof options['out'] !== 'string') return fail('request-invalid', 'Name a folder with --out.');
  const network = keptNetwork(data);
  const organisation = namedOrganisation(network, positionals[1]);
  const layout = networkLayout(data);
  const programs = await fabricPrograms(env, terminal.error);
  const product = openProduct(network, layout, readDefinition(definitionFileOf(invocation)));
  const known = await committedOrNone(new Administrator(programs, network, layout, organisation));
  const written = systemdUnits({
    programs,
    network,
    layout,
    organisation,
    prepared: { product, places: productPlaces(network, layout, product) },
    program: CONTRACT,
    sequence: known?.sequence ?? 1,
    user: typeof options['user'] === 'string' ? options['user'] : userInfo().username,
  });
  const rules = firewallRules(network, organisation);
  const out = resolve(folder, options['out']);
  mkdirSync(out, { recursive: true });
  for (const { name, text } of written) writeFileSync(join(out, name), text);
  writeFileSync(join(out, 'linkspan.nft'), nftables(rules, organisation));
  const columns = [{ title: 'port', align: 'right' }, { title: 'from' }, { title: 'for' }] as const;
  const lines = [
    plain(`${written.length} units and linkspan.nft are in ${out}.`),
    '',
    ...table(
      terminal,
      columns,
      rules.map(({ port, from, purpose }) => [String(port), from.join(', '), purpose]),
    ),
    '',
    'Every other port is for this machine alone.',
    `Write into the set ${OWN_NETWORKS} of linkspan.nft where your own people and programs are; empty, they do not reach the CoreAPI.`,
  ];
  return { ok: true, value: { document: { units: written.map(({ name }) => name), rules }, lines } };
}
