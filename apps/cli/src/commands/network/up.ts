import { relative } from 'node:path';
import type { NetworkDefinition } from '@linkspan/protocol';
import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { fabricPrograms } from '../../network/fabric-programs.ts';
import { type FabricNetwork, networkFileOf } from '../../network/network-definition.ts';
import { type NetworkLayout, networkLayout } from '../../network/network-layout.ts';
import { bringUp } from '../../network/network-up.ts';
import { checkRuns } from '../../network/node-process.ts';
import { agreedProduct, hasProduct, keptProduct, type Product, readDefinition } from '../../network/product.ts';
import { type PreparedProduct, prepareProduct, processesOfProduct } from '../../network/product-processes.ts';
import { ownParts } from '../../network/product-places.ts';
import { startMembers } from '../../network/start-members.ts';
import { checkPorts, PORTS_STAY } from '../../network/used-ports.ts';
import { writeJson } from '../../network/write-json.ts';
import { table } from '../../table.ts';
import { plain } from '../../terminal.ts';
import { definitionFileOf } from './network-action.ts';
import { requestedNetwork } from './requested-network.ts';

/** Brings up a network, and the product on it unless only the ledger is asked for. */
export async function up(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { options, terminal, env, folder } = invocation;
  const layout = networkLayout(data);
  const begun = performance.now();
  const definition = readDefinition(definitionFileOf(invocation));
  const { network, isNew } = requestedNetwork(invocation, data, layout, definition);
  // Before anything is written, so that a start that cannot be leaves nothing behind.
  const programs = await fabricPrograms(env, terminal.error);
  const wanted = options['ledger-only'] === true ? undefined : productOf(network, layout, definition);
  await checkPorts(
    network.organisations,
    layout,
    isNew ? 'choose others with --port-base N or --file' : PORTS_STAY,
    wanted,
  );
  if (isNew) writeJson(layout.definitionFile, networkFileOf(network));
  await bringUp({ network, directory: data, programs, say: terminal.error });
  const { organisations, channel } = network;
  const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(1);
  const ledgerLine = `The channel ${channel} of ${organisations.length} organisations is up after ${seconds()} s. Data: ${data}`;
  if (options['ledger-only'] === true)
    return { ok: true, value: { document: { data, network }, lines: [plain(ledgerLine)] } };
  terminal.error(plain(ledgerLine));
  const prepared = prepareProduct(network, layout, definition);
  terminal.error('Starting the systems, validators and CoreAPI of each organisation.');
  await startMembers(network, layout, prepared, (line) => terminal.error(plain(line)));
  checkEverythingRuns(network, layout, prepared);
  return {
    ok: true,
    value: {
      document: { data, network, profile: prepared.profile, apis: apisOf(network, prepared) },
      lines: [
        plain(`Everything is ready after ${seconds()} s.`),
        ...addresses(invocation, network, prepared),
        '',
        'Settle a first trade:',
        `  ${firstTrade(prepared, folder)}`,
      ],
    },
  };
}

/** What answered a moment ago may have been another program at the same port. */
function checkEverythingRuns({ organisations }: FabricNetwork, layout: NetworkLayout, prepared: PreparedProduct): void {
  for (const each of organisations) {
    const isFounder = prepared.product.members[each.id] !== undefined;
    const ofProduct = isFounder ? processesOfProduct(each, prepared).map(({ name }) => name) : [];
    for (const name of ['orderer', 'peer', 'chaincode', ...ofProduct]) checkRuns(layout.organisation(each), each, name);
  }
}

function productOf(network: FabricNetwork, layout: NetworkLayout, definition: NetworkDefinition): Product {
  return hasProduct(layout) ? keptProduct(network, layout) : agreedProduct(network, definition);
}

function apisOf({ organisations }: FabricNetwork, { product, places }: PreparedProduct): object {
  const members = organisations.flatMap((each) => product.memberOf(each) ?? []);
  return Object.fromEntries(members.map((member) => [member, places.urlOf(member)]));
}

function addresses(
  { terminal }: Invocation,
  { organisations }: FabricNetwork,
  { product, places }: PreparedProduct,
): readonly string[] {
  const columns = [
    { title: 'country' },
    { title: 'is' },
    { title: 'CoreAPI' },
    { title: 'peer' },
    { title: 'systems' },
  ] as const;
  const rows = organisations.map((each) => {
    const member = product.memberOf(each);
    const systems = ownParts(product.definition, member ?? '').filter((name) => !name.startsWith('validator-'));
    return [
      each.id,
      member ?? '-',
      member === undefined ? '-' : places.urlOf(member),
      `${each.host}:${each.ports.peer}`,
      systems.map((system) => `${system} ${places.urlOf(system)}`).join(', '),
    ];
  });
  return table(terminal, columns, rows);
}

/** As somebody in this folder would type it: both sides of the example lodge it, and its states are followed to the end. */
function firstTrade({ profile }: PreparedProduct, folder: string): string {
  const path = relative(folder, profile);
  const named = `export LINKSPAN_PROFILE=${path.startsWith('..') ? profile : path}`;
  const lodge = ['central-bank-a', 'csd-b'].map((side) => `npx linkspan instruct trade.json --organisation ${side}`);
  return [named, 'npx linkspan instruct --example --out trade.json', ...lodge, 'npx linkspan settlements'].join(' && ');
}
