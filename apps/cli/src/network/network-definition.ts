import { Fault, identifierSchema, quorumFor } from '@linkspan/protocol';

/** A Fabric network of organisations, each with one peer, one orderer and one chaincode process. */
export type FabricNetwork = {
  readonly channel: string;
  readonly chaincode: string;
  readonly consensus: 'bft' | 'raft';
  /** Organisations whose peers must endorse a transaction, and whose administrators must agree to a new chaincode. */
  readonly endorsements: number;
  readonly organisations: readonly FabricOrganisation[];
};

export type FabricOrganisation = { readonly id: string; readonly host: string; readonly ports: FabricPorts };

export type FabricPorts = { readonly [P in (typeof PORTS)[number]]: number };

/** One port for each, counted from an organisation's first. */
const PORTS = [
  'peer',
  'peerChaincode',
  'peerOperations',
  'orderer',
  'ordererOperations',
  'ordererAdmin',
  'chaincode',
] as const;
export const PORTS_OF_ORGANISATION = 10;

/** Numbers of organisations for which there is an ordering service: Raft stands against crashes, BFT against lies of fewer than a third. */
const CONSENSUS: ReadonlyMap<number, FabricNetwork['consensus']> = new Map([
  [3, 'raft'],
  [4, 'bft'],
  [7, 'bft'],
]);

/** A network as people write it down: who takes part, on which host, and the first of ten ports in a row there. */
export type NetworkFile = {
  readonly channel: string;
  readonly organisations: readonly { readonly id: string; readonly host: string; readonly port: number }[];
};

/** Organisations `country-a`, `country-b`, … on loopback. */
export function localNetworkFile(countries: number, portBase: number): NetworkFile {
  return {
    channel: 'linkspan',
    organisations: Array.from({ length: countries }, (_, i) => ({
      id: `country-${String.fromCodePoint(A + i)}`,
      host: '127.0.0.1',
      port: portBase + i * PORTS_OF_ORGANISATION,
    })),
  };
}

const A = 97;

/** What a network file says, with all that follows from it. Throws a Fault `configuration-invalid` with one sentence. */
export function readNetworkFile(document: unknown): FabricNetwork {
  const { channel, organisations } = parseFile(document);
  const consensus = CONSENSUS.get(organisations.length);
  if (consensus === undefined) {
    const counts = [...CONSENSUS.keys()].join(', ');
    throw invalid(`a network has one of ${counts} organisations, not ${organisations.length}`);
  }
  if (new Set(organisations.map(({ id }) => id)).size < organisations.length)
    throw invalid('two organisations share an id');
  return {
    channel,
    chaincode: 'linkspan',
    consensus,
    endorsements: quorumFor(organisations.length),
    organisations: organisations.map(({ id, host, port }) => ({ id, host, ports: portsFrom(port) })),
  };
}

function parseFile(document: unknown): NetworkFile {
  if (!isObject(document)) throw invalid('it is no object');
  const { channel, organisations } = document;
  if (typeof channel !== 'string' || !CHANNEL.test(channel))
    throw invalid('its channel needs a name in lower-case letters');
  if (!Array.isArray(organisations)) throw invalid('it needs a list of organisations');
  return {
    channel,
    organisations: organisations.map((one: unknown, i) => {
      if (!isObject(one)) throw invalid(`organisation ${i + 1} is no object`);
      const { id, host, port } = one;
      if (typeof id !== 'string' || !identifierSchema.safeParse(id).success)
        throw invalid(`organisation ${i + 1} needs an id`);
      if (typeof host !== 'string' || !HOST.test(host)) throw invalid(`${id} needs a host`);
      if (typeof port !== 'number' || !Number.isInteger(port) || port < 1024 || port + PORTS_OF_ORGANISATION > 65_536)
        throw invalid(`${id} needs a port from 1024 on`);
      return { id, host, port };
    }),
  };
}

const CHANNEL = /^[a-z][a-z0-9-]{0,47}$/;
const HOST = /^[a-zA-Z0-9.-]+$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(why: string): Fault {
  return new Fault('configuration-invalid', `The network file cannot be used: ${why}.`);
}

/** An organisation's two member services: Fabric tells peers and orderers apart by them, so that neither can stand in for the other. */
export function peerMsp({ id }: FabricOrganisation): string {
  return id;
}

export function ordererMsp({ id }: FabricOrganisation): string {
  return `${id}-orderer`;
}

function portsFrom(first: number): FabricPorts {
  const [peer, peerChaincode, peerOperations, orderer, ordererOperations, ordererAdmin, chaincode] = PORTS.map(
    (_, i) => first + i,
  );
  if (
    peer === undefined ||
    peerChaincode === undefined ||
    peerOperations === undefined ||
    orderer === undefined ||
    ordererOperations === undefined ||
    ordererAdmin === undefined ||
    chaincode === undefined
  )
    throw new TypeError('every port has a number');
  return { peer, peerChaincode, peerOperations, orderer, ordererOperations, ordererAdmin, chaincode };
}
