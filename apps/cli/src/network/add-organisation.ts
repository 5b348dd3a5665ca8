import { Fault } from '@linkspan/protocol';
import {
  type ChaincodeProgram,
  CONTRACT,
  newestDefinition,
  packageOf,
  startChaincode,
  waitForChaincode,
  waitUntilAnswered,
  waitUntilKnown,
} from './chaincode-definition.ts';
import { fetchConfiguration, type NetworkChanger, updateChannel } from './channel-update.ts';
import { Administrator } from './lifecycle.ts';
import {
  type FabricNetwork,
  type FabricOrganisation,
  networkFileOf,
  type OrganisationEntry,
  votersOf,
  withNewcomer,
  withOrganisations,
} from './network-definition.ts';
import { orderersOf, peerHeight, viewOf } from './node-standing.ts';
import { joinOrderer, waitForHeight, waitUntil } from './node-requests.ts';
import { prepareOrganisation, startNodes, waitForNodes } from './organisation-nodes.ts';
import { checkQuorum } from './quorum-safety.ts';
import { checkPorts } from './used-ports.ts';
import { writeJson } from './write-json.ts';

export type NewcomerEntry = Pick<OrganisationEntry, 'id' | 'host' | 'port'>;

/**
 * Adds an organisation to a network that runs. It comes in two channel updates, so that nothing ever waits for nodes that are not ready: by the first
 * it belongs to the channel and may read; its orderer and peer fetch all blocks, and its contract answers; by the second its orderer votes and its
 * endorsements count. May be run again after anything. Gives the network as it is then, which the network file says too.
 */
export async function addOrganisation(
  changer: NetworkChanger,
  network: FabricNetwork,
  entry: NewcomerEntry,
  program: ChaincodeProgram = CONTRACT,
): Promise<FabricNetwork> {
  const joining = withNewcomer(network, entry);
  const newcomer = memberOf(joining, entry.id);
  if (newcomer.votes) return network;
  const { layout, programs, say } = changer;
  const voting = joining.organisations.map((each) => (each === newcomer ? { ...each, votes: true } : each));
  const joined = withOrganisations(joining, voting);
  const by = await checkQuorum(network, joined);
  const signers = votersOf(network);
  const own = layout.organisation(newcomer);
  const sequence = await sequenceInForce(changer, network);
  await checkPorts([newcomer], layout, 'choose others with --port-base N');

  say(`Starting the nodes of ${newcomer.id}.`);
  await prepareOrganisation(newcomer, own);
  startNodes(programs, own);
  startChaincode(network, newcomer, own, program, sequence);
  await waitForNodes(newcomer, own);

  writeJson(layout.definitionFile, networkFileOf(joining));
  say(`Admitting ${newcomer.id} to the channel, without a vote.`);
  await updateChannel(changer, joining, by, signers);
  await catchUp(changer, joining, newcomer, by, sequence);

  say(`Giving ${newcomer.id} its vote.`);
  await checkQuorum(network, joined);
  await updateChannel(changer, joined, by, signers);
  writeJson(layout.definitionFile, networkFileOf(joined));
  await waitForVote(joined, newcomer, by);
  return joined;
}

/** Waits until a newcomer's orderer is where the others are, in the same turn. It has to be told of the vote, and to fetch what was agreed on meanwhile. */
async function waitForVote(
  { channel, consensus }: FabricNetwork,
  newcomer: FabricOrganisation,
  by: FabricOrganisation,
): Promise<void> {
  await waitUntil(`The vote of the orderer of ${newcomer.id}`, async () => {
    const [[orderer], own, other] = await Promise.all([
      orderersOf([newcomer], channel),
      viewOf(newcomer, channel),
      viewOf(by, channel),
    ]);
    if (orderer?.isConsenter !== true || !orderer.isActive) return false;
    return consensus === 'raft' || (own !== undefined && own.view === other?.view && own.next >= other.next);
  });
}

function memberOf({ organisations }: FabricNetwork, id: string): FabricOrganisation {
  const found = organisations.find((each) => each.id === id);
  if (!found) throw new TypeError('the newcomer is in the network that it joins');
  return found;
}

async function sequenceInForce({ programs, layout }: NetworkChanger, network: FabricNetwork): Promise<number> {
  const administrators = votersOf(network).map((each) => new Administrator(programs, network, layout, each));
  const definition = await newestDefinition(administrators);
  if (!definition) throw new Fault('not-ready', 'No peer tells which chaincode the channel has agreed on.');
  return definition.sequence;
}

/** Has a newcomer's nodes fetch every block, and its chaincode answer for its peer. */
async function catchUp(
  changer: NetworkChanger,
  network: FabricNetwork,
  newcomer: FabricOrganisation,
  by: FabricOrganisation,
  sequence: number,
): Promise<void> {
  const { programs, layout, say } = changer;
  say(`Waiting until ${newcomer.id} has every block.`);
  const administrator = new Administrator(programs, network, layout, newcomer, by);
  const chaincode = packageOf(network, newcomer, sequence);
  await administrator.joinChannel();
  await administrator.install(chaincode);
  await waitForHeight(
    `The peer of ${newcomer.id}`,
    () => peerHeight(newcomer, network.channel),
    (await peerHeight(by, network.channel)) ?? 0,
  );
  await waitUntilKnown(newcomer, administrator, sequence);
  await administrator.approve(chaincode.id, await administrator.committed());
  await waitForChaincode(newcomer, layout.organisation(newcomer), sequence);
  await waitUntilAnswered(newcomer, administrator);
  // Last, since an orderer without a vote looks for new blocks at ever longer intervals, up to ten seconds.
  await fetchConfiguration(changer, network, by);
  await joinOrderer(newcomer, layout.newestConfiguration);
  const ordererOf = async (each: FabricOrganisation) => (await orderersOf([each], network.channel))[0];
  const height = (await ordererOf(by))?.height ?? 0;
  await waitForHeight(`The orderer of ${newcomer.id}`, async () => (await ordererOf(newcomer))?.height, height);
  await waitUntil(`The orderer of ${newcomer.id}`, async () => (await ordererOf(newcomer))?.isActive === true);
}
