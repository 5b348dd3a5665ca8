import { Fault } from '@linkspan/protocol';
import { type NetworkChanger, updateChannel } from './channel-update.ts';
import { type CryptoKind, offerOrdererCertificate, renewCrypto, takeOrdererCertificate } from './crypto-material.ts';
import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import type { OrganisationLayout } from './network-layout.ts';
import { isRunning, notedProcesses, stopProcess } from './node-process.ts';
import { waitUntil } from './node-requests.ts';
import { ordererQuorum, orderersOf } from './node-standing.ts';
import { startNodes, waitForNodes } from './organisation-nodes.ts';

/**
 * Renews the certificates of an organisation while the network runs: its nodes are started anew one after the other, its CoreAPI sees the new files by
 * itself. Refused with a Fault `not-ready` where the others' orderers would not suffice meanwhile. May be run again after anything.
 *
 * With BFT the certificate with which an orderer signs stands in the channel's configuration. The orderer rests while all organisations whose keys are on
 * this machine put the new one there, and comes back with it.
 */
export async function renewCertificates(
  changer: NetworkChanger,
  network: FabricNetwork,
  organisation: FabricOrganisation,
  kinds: readonly CryptoKind[],
): Promise<void> {
  const { layout, programs, say } = changer;
  const own = layout.organisation(organisation);
  const by = await otherThatOrders(network, organisation);
  const isSigning = kinds.includes('signing');
  await renewCrypto(organisation, own, kinds);
  if (isSigning) await offerOrdererCertificate(organisation, own);
  await rest(own, 'orderer');
  if (isSigning && network.consensus === 'bft') {
    say(`Putting the new certificate of the orderer of ${organisation.id} into the channel.`);
    await updateChannel(changer, network, by, network.organisations);
  }
  if (isSigning) takeOrdererCertificate(own);
  startNodes(programs, own);
  await waitForNodes(organisation, own);
  await waitUntil(`The orderer of ${organisation.id} among the others`, async () => {
    const [[orderer], [other]] = await Promise.all([
      orderersOf([organisation], network.channel),
      orderersOf([by], network.channel),
    ]);
    return orderer?.isConsenter === true && orderer.isActive && orderer.height >= (other?.height ?? 0);
  });
  await rest(own, 'peer');
  startNodes(programs, own);
  await waitForNodes(organisation, own);
  say(`${organisation.id} has new certificates.`);
}

/** An organisation whose orderer runs, where enough of them do without one organisation's. */
async function otherThatOrders(
  { organisations, consensus, channel }: FabricNetwork,
  resting: FabricOrganisation,
): Promise<FabricOrganisation> {
  const voting = organisations.filter(({ votes }) => votes);
  const others = voting.filter(({ id }) => id !== resting.id);
  const standing = await orderersOf(others, channel);
  const active = standing.filter(({ isConsenter, isActive }) => isConsenter && isActive);
  const needed = ordererQuorum(consensus, voting.length);
  const by = others.find(({ id }) => id === active[0]?.organisation);
  if (by && active.length >= needed) return by;
  throw new Fault(
    'not-ready',
    `While the orderer of ${resting.id} rests ${needed} others must run, and ${active.length} do.`,
  );
}

async function rest(layout: OrganisationLayout, name: 'peer' | 'orderer'): Promise<void> {
  const noted = notedProcesses(layout).find((each) => each.name === name);
  if (noted && isRunning(noted)) await stopProcess(layout, noted);
}
