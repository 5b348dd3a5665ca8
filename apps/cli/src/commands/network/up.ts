import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Invocation, Shown } from '../../command.ts';
import { fail, type Outcome } from '../../failure.ts';
import { fabricPrograms } from '../../network/fabric-programs.ts';
import { type FabricNetwork, localNetworkFile, readNetworkFile } from '../../network/network-definition.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { bringUp } from '../../network/network-up.ts';
import { agreedProduct, readDefinition } from '../../network/product.ts';
import { type PreparedProduct, prepareProduct, startProduct } from '../../network/product-processes.ts';
import { ownParts } from '../../network/product-places.ts';
import { writeJson } from '../../network/write-json.ts';
import { table } from '../../table.ts';
import { plain } from '../../terminal.ts';
import { definitionFileOf, keptNetwork } from './network-action.ts';

export const PORT_BASE = 7300;

/** Brings up a network, and the product on it unless only the ledger is asked for. */
export async function up(invocation: Invocation, data: string): Promise<Outcome<Shown>> {
  const { options, terminal, env, folder } = invocation;
  const layout = networkLayout(data);
  const begun = performance.now();
  const definition = readDefinition(definitionFileOf(invocation));
  if (!existsSync(layout.definitionFile)) {
    const asked = askedFor(invocation);
    if (!asked.ok) return asked;
    // Read before it is kept, so that nothing is kept that cannot be used.
    const asking = readNetworkFile(asked.value);
    if (!options['ledger-only']) agreedProduct(asking, definition);
    writeJson(layout.definitionFile, asked.value);
  } else if (['countries', 'file', 'port-base', 'definition'].some((name) => options[name] !== undefined)) {
    return fail(
      'request-invalid',
      `${data} holds a network already: end it with network down --remove, or name another --data.`,
    );
  }
  const network = keptNetwork(data);
  const programs = await fabricPrograms(env, terminal.error);
  await bringUp({ network, directory: data, programs, say: terminal.error });
  const { organisations, channel } = network;
  const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(1);
  const ledgerLine = `The channel ${channel} of ${organisations.length} organisations is up after ${seconds()} s. Data: ${data}`;
  if (options['ledger-only'] === true)
    return { ok: true, value: { document: { data, network }, lines: [plain(ledgerLine)] } };
  terminal.error(plain(ledgerLine));
  const prepared = prepareProduct(network, layout, definition);
  terminal.error('Starting the systems, validators and CoreAPI of each organisation.');
  await Promise.all(organisations.map((each) => startProduct(each, layout.organisation(each), prepared)));
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

function askedFor({ options, readInput }: Invocation): Outcome<object> {
  const { file, countries = '4', 'port-base': portBase = String(PORT_BASE) } = options;
  if (typeof file === 'string') {
    const text = readInput(file);
    if (!text.ok) return text;
    try {
      const document: unknown = JSON.parse(text.value);
      if (typeof document === 'object' && document !== null) return { ok: true, value: document };
    } catch {
      // Told below, as for any other document that is none.
    }
    return fail('request-invalid', `${file} is no JSON object.`);
  }
  return { ok: true, value: localNetworkFile(Number(countries), Number(portBase)) };
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
