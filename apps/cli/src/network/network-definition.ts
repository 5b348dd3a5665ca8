import { Fault, identifierSchema, quorumFor } from '@linkspan/protocol';

/** A Fabric network of organisations, each with one peer, one orderer and one chaincode process. */
export type FabricNetwork = {
  readonly channel: string;
  readonly chaincode: string;
  readonly consensus: 'bft' | 'raft';
  /** Organisations whose peers must endorse a transaction, and who must agree to a new chaincode. */
  readonly endorsements: number;
  readonly organisations: readonly FabricOrganisation[];
};

export type FabricOrganisation = {
  readonly id: string;
  readonly host: string;
  readonly ports: FabricPorts;
  /** By which orderers that agree by BFT know its orderer. It stays the same when others come and go. */
  readonly number: number;
  /** Whether its orderer agrees on blocks and its endorsements count. One that joins or leaves takes part without, for a while. */
  readonly votes: boolean;
  /** Where other organisations reach its nodes when something stands in between; at `ports` otherwise. */
  readonly outside?: Pick<FabricPorts, 'peer' | 'orderer'>;
  /** The organisation of the consortium ledger that it is, where the network file says so. */
  readonly member?: string;
};

export type FabricPorts = { readonly [P in (typeof PORTS)[number]]: number };

/** One port for each, counted from an organisation's first; from the last on they are those of its systems and validators. */
const PORTS = [
  'peer',
  'peerChaincode',
  'peerOperations',
  'orderer',
  'ordererOperations',
  'ordererAdmin',
  'chaincode',
  'otherChaincode',
  'coreApi',
  'firstSystem',
] as const;
export const PORTS_OF_ORGANISATION = 20;

/** The fewest organisations with a vote. Raft stands against crashes, BFT against lies of fewer than a third. */
export const FEWEST = { raft: 3, bft: 4 } as const;
export const MOST = 16;

/** A network as people write it down: who takes part, on which host, and the first of twenty ports in a row there. */
export type NetworkFile = {
  readonly channel: string;
  /** Chosen by the number of organisations at first, and kept when it changes. */
  readonly consensus?: FabricNetwork['consensus'];
  readonly organisations: readonly OrganisationEntry[];
};

export type OrganisationEntry = {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** Its place in the list, counted from one, unless others before it have left. */
  readonly number?: number;
  /** False while it joins or leaves. */
  readonly votes?: boolean;
  /** An organisation of the definition of systems and parties; in their order unless given. */
  readonly member?: string;
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
  const { channel, organisations, consensus: named } = parseFile(document);
  const members = organisations.map((entry, i) => organisationOf(entry, i + 1));
  const consensus = named ?? (members.filter(({ votes }) => votes).length < FEWEST.bft ? 'raft' : 'bft');
  return withOrganisations({ channel, chaincode: 'linkspan', consensus }, members);
}

/** A network with other organisations than it had, and all that follows from them. Throws as `readNetworkFile` does. */
export function withOrganisations(
  { channel, chaincode, consensus }: Pick<FabricNetwork, 'channel' | 'chaincode' | 'consensus'>,
  organisations: readonly FabricOrganisation[],
): FabricNetwork {
  const voting = organisations.filter(({ votes }) => votes).length;
  if (voting < FEWEST[consensus] || organisations.length > MOST)
    throw invalid(`a network has ${FEWEST[consensus]} to ${MOST} organisations, not ${organisations.length}`);
  for (const member of ['id', 'number'] as const)
    if (new Set(organisations.map((each) => each[member])).size < organisations.length)
      throw invalid(`two organisations share ${member === 'id' ? 'an id' : 'a number'}`);
  for (const [i, one] of organisations.entries())
    for (const other of organisations.slice(i + 1))
      if (sharePorts(one, other))
        throw invalid(
          `${one.id} and ${other.id} share ports: each takes ${PORTS_OF_ORGANISATION} in a row, from ${one.ports.peer} and from ${other.ports.peer} on`,
        );
  return { channel, chaincode, consensus, endorsements: quorumFor(voting), organisations };
}

/**
 * A network with one more organisation, which has no vote yet; the next free number goes to it. One that began to join before is as it was. Throws
 * as `readNetworkFile` does where what is said of it could not stand in a network file.
 */
export function withNewcomer(network: FabricNetwork, entry: OrganisationEntry): FabricNetwork {
  const { organisations } = network;
  if (organisations.some(({ id }) => id === entry.id)) return network;
  const number = Math.max(...organisations.map((each) => each.number)) + 1;
  const file = networkFileOf(network);
  parseFile({ ...file, organisations: [...file.organisations, entry] });
  return withOrganisations(network, [...organisations, organisationOf({ ...entry, votes: false }, number)]);
}

/** An organisation as a network file has it; `place` is its number where the file gives none. */
export function organisationOf(
  { id, host, port, number, votes = true, member }: OrganisationEntry,
  place: number,
): FabricOrganisation {
  const optional = member === undefined ? {} : { member };
  return { id, host, ports: portsFrom(port), number: number ?? place, votes, ...optional };
}

/** The organisations whose orderers agree on blocks and whose endorsements count. */
export function votersOf({ organisations }: FabricNetwork): readonly FabricOrganisation[] {
  return organisations.filter(({ votes }) => votes);
}

/** The same, written down again. */
export function networkFileOf({ channel, consensus, organisations }: FabricNetwork): NetworkFile {
  return {
    channel,
    consensus,
    organisations: organisations.map(({ id, host, ports, number, votes, member }) => ({
      id,
      host,
      port: ports.peer,
      number,
      ...(votes ? {} : { votes }),
      ...(member === undefined ? {} : { member }),
    })),
  };
}

function parseFile(document: unknown): NetworkFile {
  if (!isObject(document)) throw invalid('it is no object');
  const { channel, organisations, consensus } = document;
  if (typeof channel !== 'string' || !CHANNEL.test(channel))
    throw invalid('its channel needs a name in lower-case letters');
  if (!Array.isArray(organisations)) throw invalid('it needs a list of organisations');
  if (consensus !== undefined && consensus !== 'raft' && consensus !== 'bft')
    throw invalid('its consensus is raft or bft');
  return {
    channel,
    ...(consensus === undefined ? {} : { consensus }),
    organisations: organisations.map((one: unknown, i) => {
      if (!isObject(one)) throw invalid(`organisation ${i + 1} is no object`);
      const { id, host, port, number, votes, member } = one;
      if (typeof id !== 'string' || !identifierSchema.safeParse(id).success)
        throw invalid(`organisation ${i + 1} needs an id of lower-case letters, digits and hyphens, not ${shown(id)}`);
      if (typeof host !== 'string' || !HOST.test(host))
        throw invalid(`${id} needs a host, a name or an IPv4 address, not ${shown(host)}`);
      if (typeof port !== 'number' || !Number.isInteger(port) || port < 1024 || port + PORTS_OF_ORGANISATION > 65_536)
        throw invalid(
          `${id} needs a port from 1024 to ${65_536 - PORTS_OF_ORGANISATION}, the first of its ${PORTS_OF_ORGANISATION}, not ${shown(port)}`,
        );
      if (number !== undefined && (typeof number !== 'number' || !Number.isInteger(number) || number < 1))
        throw invalid(`the number of ${id} is counted from 1`);
      if (votes !== undefined && typeof votes !== 'boolean') throw invalid(`${id} votes or does not`);
      if (member !== undefined && (typeof member !== 'string' || !identifierSchema.safeParse(member).success))
        throw invalid(`the member of ${id} is an id`);
      return {
        id,
        host,
        port,
        ...(number === undefined ? {} : { number }),
        ...(votes === undefined ? {} : { votes }),
        ...(member === undefined ? {} : { member }),
      };
    }),
  };
}

const CHANNEL = /^[a-z][a-z0-9-]{0,47}$/;
const HOST = /^[a-zA-Z0-9.-]+$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value).slice(0, MOST_SHOWN);
}

const MOST_SHOWN = 60;

function invalid(why: string): Fault {
  return new Fault('configuration-invalid', `The network file cannot be used: ${why}.`);
}

function sharePorts(one: FabricOrganisation, other: FabricOrganisation): boolean {
  const isSameHost = one.host === other.host || (isLocal(one) && isLocal(other));
  return isSameHost && Math.abs(one.ports.peer - other.ports.peer) < PORTS_OF_ORGANISATION;
}

/** Where what speaks without TLS is reached: the operations and administration of nodes, and the contract. Never from another machine. */
export const INSIDE = '127.0.0.1';

/** Where a node listens: on the loopback address if that is its host, else for everybody whom the firewall lets through. */
export function listenHost({ host }: Pick<FabricOrganisation, 'host'>): string {
  return isLocal({ host }) ? INSIDE : '0.0.0.0';
}

/** Whether an organisation is on a machine that all share, where nothing needs to be hidden from a network. */
export function isLocal({ host }: Pick<FabricOrganisation, 'host'>): boolean {
  return host === INSIDE || host === 'localhost';
}

/** An organisation's member service. Fabric tells its peer, orderer, administrator and clients apart by units in their certificates. */
export function mspId({ id }: FabricOrganisation): string {
  return id;
}

function portsFrom(first: number): FabricPorts {
  const at = (port: (typeof PORTS)[number]): number => first + PORTS.indexOf(port);
  return {
    peer: at('peer'),
    peerChaincode: at('peerChaincode'),
    peerOperations: at('peerOperations'),
    orderer: at('orderer'),
    ordererOperations: at('ordererOperations'),
    ordererAdmin: at('ordererAdmin'),
    chaincode: at('chaincode'),
    otherChaincode: at('otherChaincode'),
    coreApi: at('coreApi'),
    firstSystem: at('firstSystem'),
  };
}
