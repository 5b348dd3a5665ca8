import { existsSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Fault, type NetworkDefinition } from '@linkspan/protocol';
import type { Invocation } from '../../command.ts';
import {
  FEWEST,
  type FabricNetwork,
  isLocal,
  localNetworkFile,
  MOST,
  networkFileOf,
  PORTS_OF_ORGANISATION,
  readNetworkFile,
} from '../../network/network-definition.ts';
import type { NetworkLayout } from '../../network/network-layout.ts';
import { agreedProduct, hasProduct, keptProduct } from '../../network/product.ts';
import { keptNetwork } from './network-action.ts';
import { numberOption } from './number-option.ts';

export const PORT_BASE = 7300;
const COUNTRIES = 4;

/** The network that `up` is to bring up. It is `isNew` where nothing is kept of it yet. */
export type RequestedNetwork = { readonly network: FabricNetwork; readonly isNew: boolean };

type Request = Pick<Invocation, 'options' | 'readInput'>;

/**
 * The network that is kept in a folder, or the one that the options ask for. The same options may be given again; throws a Fault that says which one
 * says something else than what is kept, what cannot be, and where a network is none of this machine.
 */
export function requestedNetwork(
  request: Request,
  data: string,
  layout: NetworkLayout,
  definition: NetworkDefinition,
): RequestedNetwork {
  const { options } = request;
  const isNew = !existsSync(layout.definitionFile);
  const network = isNew ? askedFor(request) : keptNetwork(data);
  const elsewhere = network.organisations.find((each) => !isLocal(each));
  if (elsewhere)
    throw new Fault(
      'request-invalid',
      `up starts everything on this machine, and ${elsewhere.id} is on ${elsewhere.host}: organisations on hosts of their own begin with linkspan network prepare ID --file FILE, each on its host.`,
    );
  if (isNew && options['ledger-only'] !== true) agreedProduct(network, definition);
  if (!isNew) refuseOther(request, data, network, layout, definition);
  return { network, isNew };
}

function askedFor({ options, readInput }: Request): FabricNetwork {
  if (typeof options['file'] !== 'string') {
    const countries = countriesAsked(options) ?? COUNTRIES;
    return readNetworkFile(localNetworkFile(countries, portBaseAsked(options, countries) ?? PORT_BASE));
  }
  if (options['countries'] !== undefined || options['port-base'] !== undefined)
    throw new Fault('request-invalid', 'A network file says how many there are and at which ports: give --file alone.');
  const text = readInput(options['file']);
  if (!text.ok)
    throw new Fault(
      'request-invalid',
      `${text.failure.title}; --file names a network file, see linkspan help network.`,
    );
  return readNetworkFile(parsed(text.value));
}

function countriesAsked(options: Invocation['options']): number | undefined {
  return numberOption({ options }, 'countries', { least: FEWEST.raft, most: MOST });
}

function portBaseAsked(options: Invocation['options'], countries: number): number | undefined {
  const ports = countries * PORTS_OF_ORGANISATION;
  return numberOption({ options }, 'port-base', {
    least: 1024,
    most: 65_536 - ports,
    why: `, since ${countries} organisations take ${ports} ports from there on`,
  });
}

/** Whoever repeats what the network was made with means that network. */
function refuseOther(
  { options, readInput }: Request,
  data: string,
  network: FabricNetwork,
  layout: NetworkLayout,
  definition: NetworkDefinition,
): void {
  const { organisations } = network;
  const countries = countriesAsked(options);
  const portBase = portBaseAsked(options, organisations.length);
  const first = Math.min(...organisations.map(({ ports }) => ports.peer));
  const other = (what: string): Fault =>
    new Fault(
      'request-invalid',
      `${data} holds a network already, ${what}: leave the option away, end that network with network down --remove, or name another --data.`,
    );
  if (countries !== undefined && countries !== organisations.length)
    throw other(`with ${organisations.length} organisations and not ${countries} (--countries)`);
  if (portBase !== undefined && portBase !== first)
    throw other(`with ports from ${first} and not from ${portBase} on (--port-base)`);
  if (typeof options['file'] === 'string') {
    const asked = networkFileOf(askedFor({ options: { file: options['file'] }, readInput }));
    if (!isDeepStrictEqual(asked, networkFileOf(network)))
      throw other(`another one than in ${options['file']} (--file)`);
  }
  if (options['definition'] !== undefined && hasProduct(layout) && !wasMadeWith(network, layout, definition))
    throw other('made with another definition of systems and parties (--definition)');
}

/** Organisations that the definition does not name are added behind its own. */
function wasMadeWith(network: FabricNetwork, layout: NetworkLayout, definition: NetworkDefinition): boolean {
  const { founding } = keptProduct(network, layout);
  const organisations = founding.organisations.slice(0, definition.organisations.length);
  return isDeepStrictEqual({ ...founding, organisations }, definition);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
