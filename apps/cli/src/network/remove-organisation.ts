import { Fault } from '@linkspan/protocol';
import { type NetworkChanger, updateChannel } from './channel-update.ts';
import {
  FEWEST,
  type FabricNetwork,
  type FabricOrganisation,
  networkFileOf,
  votersOf,
  withOrganisations,
} from './network-definition.ts';
import { isRunning, notedProcesses, stopProcess } from './node-process.ts';
import { checkQuorum } from './quorum-safety.ts';
import { writeJson } from './write-json.ts';

/**
 * Removes an organisation from a network that runs, whether its own nodes run or not: by a first channel update it loses its vote, by a second one its
 * place in the channel. Then its processes end; its folder stays, with its ledger and keys. May be run again after anything. Gives the
 * network as it is then, which the network file says too. Throws a Fault that says why where too few would be left.
 */
export async function removeOrganisation(
  changer: NetworkChanger,
  network: FabricNetwork,
  id: string,
): Promise<FabricNetwork> {
  const { layout, say } = changer;
  const { leaving, signers, silent, without, by } = await checkRemoval(network, id);
  say(`Taking its vote from ${id}.`);
  writeJson(layout.definitionFile, networkFileOf(silent));
  await updateChannel(changer, silent, by, signers);
  say(`Removing ${id} from the channel.`);
  await updateChannel(changer, without, by, signers);
  const own = layout.organisation(leaving);
  const noted = notedProcesses(own);
  const running = noted.filter(isRunning).length;
  await Promise.all(noted.map((each) => stopProcess(own, each)));
  say(`${running} processes of ${id} ended; its folder stays: ${own.folder}`);
  writeJson(layout.definitionFile, networkFileOf(without));
  return without;
}

/** What the network would be without an organisation. Throws a Fault that says why where it cannot do without it now. */
export async function checkRemoval(network: FabricNetwork, id: string): Promise<Removal> {
  const leaving = network.organisations.find((each) => each.id === id);
  if (!leaving) {
    const members = network.organisations.map((each) => each.id).join(', ');
    throw new Fault('not-found', `The network has ${members}; ${id} is none of them.`);
  }
  const signers = votersOf(network).filter((each) => each !== leaving);
  const fewest = FEWEST[network.consensus];
  if (signers.length < fewest)
    throw new Fault(
      'quorum-invalid',
      `Without ${id} ${signers.length} organisations would vote, and ${network.consensus === 'bft' ? 'BFT' : 'Raft'} needs ${fewest}.`,
    );
  const others = network.organisations.filter((each) => each !== leaving);
  const standing = network.organisations.map((each) => (each === leaving ? { ...each, votes: false } : each));
  const silent = withOrganisations(network, standing);
  const without = withOrganisations(network, others);
  const by = await checkQuorum(network, silent);
  return { leaving, signers, silent, without, by };
}

type Removal = {
  readonly leaving: FabricOrganisation;
  /** Who signs the updates of the channel, and who submits them. */
  readonly signers: readonly FabricOrganisation[];
  readonly by: FabricOrganisation;
  /** The network while it leaves, and after. */
  readonly silent: FabricNetwork;
  readonly without: FabricNetwork;
};
