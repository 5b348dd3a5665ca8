import { existsSync } from 'node:fs';
import { certificatesUntil } from './crypto-material.ts';
import { type FabricNetwork, type FabricOrganisation, INSIDE, isLocal } from './network-definition.ts';
import { networkLayout, type NetworkLayout } from './network-layout.ts';
import { isRunning, notedProcesses, runsFromHere } from './node-process.ts';
import { listens, readMetric, readMetrics } from './node-requests.ts';
import { hasProduct, keptProduct } from './product.ts';
import { ownParts, productPlaces } from './product-places.ts';
import { CORE_API } from './product-tls.ts';

/** How an organisation's nodes stand. A height is the number of blocks; undefined where the node gives no answer. */
export type OrganisationStatus = {
  readonly organisation: string;
  readonly peerHeight: number | undefined;
  readonly ordererHeight: number | undefined;
  /** Blocks that its peer has fewer than the highest node. */
  readonly lag: number | undefined;
  readonly isLeader: boolean;
  /** When the first of its certificates ends. */
  readonly certificatesUntil: string | undefined;
  /** Of its processes those that do not run. */
  readonly missing: readonly string[];
};

/** Of the organisations that are on this machine: all of them, or the one whose host it is. */
export async function networkStatus(network: FabricNetwork, directory: string): Promise<readonly OrganisationStatus[]> {
  const layout = networkLayout(directory);
  const here = network.organisations.filter((each) => existsSync(layout.organisation(each).folder));
  const nodes = await Promise.all(here.map((each) => nodesOf(network, layout, each)));
  const highest = Math.max(
    0,
    ...nodes.flatMap(({ peerHeight, ordererHeight }) => [peerHeight ?? 0, ordererHeight ?? 0]),
  );
  return nodes.map((each) => ({ ...each, lag: each.peerHeight === undefined ? undefined : highest - each.peerHeight }));
}

async function nodesOf(
  network: FabricNetwork,
  layout: NetworkLayout,
  organisation: FabricOrganisation,
): Promise<Omit<OrganisationStatus, 'lag'>> {
  const { channel, consensus } = network;
  const { id, ports } = organisation;
  const own = layout.organisation(organisation);
  // At the same ports another network's nodes may answer.
  const metricsOf = async (name: string, port: number): Promise<string> =>
    isNotedFor(organisation) && !runsFromHere(own, name) ? '' : readMetrics(INSIDE, port);
  const [peer, orderer, missing] = await Promise.all([
    metricsOf('peer', ports.peerOperations),
    metricsOf('orderer', ports.ordererOperations),
    missingOf(network, layout, organisation),
  ]);
  const label = `channel="${channel}"`;
  const kind = consensus === 'bft' ? 'BFT' : 'etcdraft';
  const committed = readMetric(orderer, `consensus_${kind}_committed_block_number`, label);
  return {
    organisation: id,
    peerHeight: readMetric(peer, 'ledger_blockchain_height', label),
    ordererHeight: committed === undefined ? undefined : committed + 1,
    isLeader: readMetric(orderer, `consensus_${kind}_is_leader`, label) === 1,
    certificatesUntil: certificatesUntil(organisation, own),
    missing,
  };
}

/** Whether every node of an organisation is noted where it is started; on a host of its own systemd starts them. */
function isNotedFor(organisation: FabricOrganisation): boolean {
  return isLocal(organisation);
}

/** Whether an organisation's contract can be asked for its version: its own peer runs. */
export function canBeAsked(organisation: FabricOrganisation, layout: NetworkLayout): boolean {
  return !isNotedFor(organisation) || runsFromHere(layout.organisation(organisation), 'peer');
}

/**
 * Of an organisation's processes those that neither were started from here and run, nor listen where they should. On a machine that all share only what was
 * started from here counts while the nodes do not run: what listens then belongs to somebody else.
 */
async function missingOf(
  network: FabricNetwork,
  layout: NetworkLayout,
  organisation: FabricOrganisation,
): Promise<string[]> {
  const { ports } = organisation;
  const own = layout.organisation(organisation);
  const noted = notedProcesses(own);
  const isSilent = isNotedFor(organisation) && !NODES.some((name) => runsFromHere(own, name));
  const wanted = new Map<string, readonly number[]>([
    ['peer', [ports.peer]],
    ['orderer', [ports.orderer]],
    ['chaincode', [ports.chaincode, ports.otherChaincode]],
    ...portsOfParts(network, layout, organisation),
  ]);
  const looked = await Promise.all(
    [...wanted].map(async ([name, places]) => {
      const known = noted.find((each) => each.name === name);
      if (known) return isRunning(known) ? [] : [name];
      if (isSilent) return [name];
      const heard = await Promise.all(places.map((port) => listens(INSIDE, port)));
      return heard.includes(true) ? [] : [name];
    }),
  );
  return looked.flat();
}

const NODES = ['peer', 'orderer'];

/** Where the organisation's systems, validators and CoreAPI listen, where the network has a product. */
function portsOfParts(
  network: FabricNetwork,
  layout: NetworkLayout,
  organisation: FabricOrganisation,
): [string, number[]][] {
  if (!hasProduct(layout)) return [];
  const product = keptProduct(network, layout);
  const member = product.memberOf(organisation);
  if (member === undefined) return [];
  const { portOf } = productPlaces(network, layout, product);
  const parts = ownParts(product.definition, member).map((name): [string, number[]] => [name, [portOf(name)]]);
  return [...parts, [CORE_API, [organisation.ports.coreApi]]];
}
