import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Fault } from '@linkspan/protocol';
import type { Invocation, Shown } from '../../command.ts';
import type { Outcome } from '../../failure.ts';
import { type FabricNetwork, type FabricOrganisation, readNetworkFile } from '../../network/network-definition.ts';
import type { NetworkChanger } from '../../network/channel-update.ts';
import { fabricPrograms } from '../../network/fabric-programs.ts';
import { networkLayout } from '../../network/network-layout.ts';
import { LOCAL_DEFINITION } from '../../network/product.ts';
import { plain } from '../../terminal.ts';

/** One of the things that `linkspan network` does, to the network that is kept in a folder. */
export type NetworkAction = (invocation: Invocation, data: string) => Promise<Outcome<Shown>>;

export const DATA = 'var/fabric';

/** The folder that is named, or the usual one. */
export function dataFolder({ options, folder }: Invocation): string {
  return resolve(folder, typeof options['data'] === 'string' ? options['data'] : DATA);
}

/** The network that is kept in a folder. */
export function keptNetwork(data: string): FabricNetwork {
  const { definitionFile } = networkLayout(data);
  if (!existsSync(definitionFile))
    throw new Fault('not-found', `There is no network in ${data}: make one with linkspan network up.`);
  return readNetworkFile(JSON.parse(readFileSync(definitionFile, 'utf8')));
}

/** The one organisation that is named, on a host of its own. */
export function namedOrganisation(network: FabricNetwork, name: string | undefined): FabricOrganisation {
  const [named] = name === undefined ? [] : chosenOrganisations(network, name);
  if (named) return named;
  throw new Fault('request-invalid', 'Name the organisation whose host this is.');
}

/** Whoever changes the network that is kept in a folder, from here. */
export async function changerOf({ env, terminal }: Invocation, data: string): Promise<NetworkChanger> {
  return {
    programs: await fabricPrograms(env, terminal.error),
    layout: networkLayout(data),
    say: (line) => terminal.error(plain(line)),
  };
}

/** The definition of systems and parties that is named, or that of the local network. */
export function definitionFileOf({ options, folder }: Invocation): string {
  return typeof options['definition'] === 'string' ? resolve(folder, options['definition']) : LOCAL_DEFINITION;
}

/** Of a network's organisations the one that is named, or all. */
export function chosenOrganisations(
  { organisations }: FabricNetwork,
  name: string | undefined,
): FabricNetwork['organisations'] {
  const chosen = organisations.filter(({ id }) => name === undefined || id === name);
  if (chosen.length > 0) return chosen;
  throw new Fault('not-found', `There is no ${name}; the network has ${organisations.map(({ id }) => id).join(', ')}.`);
}
