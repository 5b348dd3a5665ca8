import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import { channelsUrl, readMetric, readMetrics } from './node-requests.ts';

/** How an orderer takes part in the channel: whether it agrees on blocks, and how many it has. */
export type OrdererStanding = {
  readonly organisation: string;
  readonly isConsenter: boolean;
  readonly isActive: boolean;
  readonly height: number;
};

const REQUEST_TIMEOUT_MS = 5000;

/** The orderers of some organisations, without those that do not answer or are not in the channel. */
export async function orderersOf(
  organisations: readonly FabricOrganisation[],
  channel: string,
): Promise<readonly OrdererStanding[]> {
  const found = await Promise.all(organisations.map((each) => standingOf(each, channel)));
  return found.flatMap((each) => (each ? [each] : []));
}

/** How many blocks an organisation's peer has; undefined where it does not answer or is not in the channel. */
export async function peerHeight({ host, ports }: FabricOrganisation, channel: string): Promise<number | undefined> {
  const metrics = await readMetrics(host, ports.peerOperations);
  return readMetric(metrics, 'ledger_blockchain_height', `channel="${channel}"`);
}

/** Where an orderer stands among those that agree by BFT: the leader's turn, the next block, and how many it has agreed on with the others. */
export type OrdererView = { readonly view: number; readonly next: number; readonly agreed: number };

/** Undefined where the orderer does not answer or agrees by Raft. */
export async function viewOf({ host, ports }: FabricOrganisation, channel: string): Promise<OrdererView | undefined> {
  const metrics = await readMetrics(host, ports.ordererOperations);
  const read = (name: string) => readMetric(metrics, `consensus_smartbft_view_${name}`, `channel="${channel}"`);
  const [view, next, agreed] = [read('number'), read('proposal_sequence'), read('count_batch_all')];
  return view === undefined || next === undefined ? undefined : { view, next, agreed: agreed ?? 0 };
}

/** How many orderers must run for blocks to be made: more than half with Raft; with BFT so many that any two such groups share an honest one. */
export function ordererQuorum(consensus: FabricNetwork['consensus'], orderers: number): number {
  if (consensus === 'raft') return Math.floor(orderers / 2) + 1;
  const liars = Math.floor((orderers - 1) / 3);
  return Math.ceil((orderers + liars + 1) / 2);
}

async function standingOf(organisation: FabricOrganisation, channel: string): Promise<OrdererStanding | undefined> {
  let said: unknown;
  try {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await fetch(`${channelsUrl(organisation)}/${channel}`, { signal });
    said = response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null) return undefined;
  return {
    organisation: organisation.id,
    isConsenter: 'consensusRelation' in said && said.consensusRelation === 'consenter',
    isActive: 'status' in said && said.status === 'active',
    height: 'height' in said ? Number(said.height) : 0,
  };
}
