import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { isRunning, notedProcesses } from './node-process.ts';
import { readMetric, readMetrics } from './node-requests.ts';

/** How an organisation's nodes stand. A height is the number of blocks; undefined where the node gives no answer. */
export type OrganisationStatus = {
  readonly organisation: string;
  readonly peerHeight: number | undefined;
  readonly ordererHeight: number | undefined;
  /** Blocks that its peer has fewer than the highest node. */
  readonly lag: number | undefined;
  readonly isLeader: boolean;
  /** Of its processes those that do not run. */
  readonly missing: readonly string[];
};

const PROCESSES = ['peer', 'orderer', 'chaincode'] as const;

export async function networkStatus(network: FabricNetwork, directory: string): Promise<readonly OrganisationStatus[]> {
  const nodes = await Promise.all(network.organisations.map((each) => nodesOf(network, directory, each)));
  const highest = Math.max(
    0,
    ...nodes.flatMap(({ peerHeight, ordererHeight }) => [peerHeight ?? 0, ordererHeight ?? 0]),
  );
  return nodes.map((each) => ({ ...each, lag: each.peerHeight === undefined ? undefined : highest - each.peerHeight }));
}

async function nodesOf(
  { channel, consensus }: FabricNetwork,
  directory: string,
  organisation: FabricOrganisation,
): Promise<Omit<OrganisationStatus, 'lag'>> {
  const { id, host, ports } = organisation;
  const [peer, orderer] = await Promise.all([
    readMetrics(host, ports.peerOperations),
    readMetrics(host, ports.ordererOperations),
  ]);
  const label = `channel="${channel}"`;
  const kind = consensus === 'bft' ? 'BFT' : 'etcdraft';
  const committed = readMetric(orderer, `consensus_${kind}_committed_block_number`, label);
  const running = new Set(
    notedProcesses(networkLayout(directory).organisation(organisation))
      .filter(isRunning)
      .map(({ name }) => name),
  );
  return {
    organisation: id,
    peerHeight: readMetric(peer, 'ledger_blockchain_height', label),
    ordererHeight: committed === undefined ? undefined : committed + 1,
    isLeader: readMetric(orderer, `consensus_${kind}_is_leader`, label) === 1,
    missing: PROCESSES.filter((name) => !running.has(name)),
  };
}
