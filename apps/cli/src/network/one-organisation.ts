import { existsSync } from 'node:fs';
import { Fault } from '@linkspan/protocol';
import {
  type ChaincodeDefinition,
  committedOrNone,
  CONTRACT,
  packageOf,
  versionOf,
  waitUntilKnown,
} from './chaincode-definition.ts';
import { makeFirstBlock } from './channel-configuration.ts';
import { type CryptoKind, offerOrdererCertificate, renewCrypto, takeOrdererCertificate } from './crypto-material.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import { Administrator } from './lifecycle.ts';
import { type FabricNetwork, type FabricOrganisation, INSIDE, votersOf } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { joinOrderer } from './node-requests.ts';
import { prepareOrganisation, waitForNodes } from './organisation-nodes.ts';
import { genesisFile, hasProduct, keptProduct, openProduct, type Product, readDefinition } from './product.ts';
import { makeLedgerGenesis, notShown, publishKeys, writeOwnFiles } from './product-files.ts';
import { ownParts, productPlaces } from './product-places.ts';
import { makeProductTls } from './product-tls.ts';

/**
 * What one organisation does on a host of its own: makes its keys, certificates and configuration, and puts what others must know into
 * `shared/ID`. Once the shared folder has everybody's part and the first block, it writes the rest. Gives what is still missing there; nothing when
 * all is written.
 */
export async function prepareHere(
  network: FabricNetwork,
  layout: NetworkLayout,
  organisation: FabricOrganisation,
  definitionFile: string,
): Promise<readonly string[]> {
  const own = layout.organisation(organisation);
  await prepareOrganisation(organisation, own);
  const product = openProduct(network, layout, readDefinition(definitionFile));
  const places = productPlaces(network, layout, product);
  publishKeys(organisation, layout, product, places);
  await makeConnections(organisation, layout, product, false);
  const missing = [
    ...notShown(network, layout).map(({ id }) => id),
    ...[layout.genesisBlock, genesisFile(layout)]
      .filter((file) => !existsSync(file))
      .map((file) => file.slice(layout.shared.length + 1)),
  ];
  if (missing.length === 0) writeOwnFiles(network, organisation, layout, product, places);
  return missing;
}

/**
 * Renews an organisation's certificates on its own host. Whoever runs its nodes starts them anew afterwards. Answers whether the one with which its orderer
 * signs was offered only: with BFT the channel has to take it over first, and then {@link takeOrdererCertificate} puts it in its place.
 */
export async function renewHere(
  network: FabricNetwork,
  layout: NetworkLayout,
  organisation: FabricOrganisation,
  kinds: readonly CryptoKind[],
): Promise<{ readonly isOffered: boolean }> {
  const own = layout.organisation(organisation);
  await renewCrypto(organisation, own, kinds);
  if (kinds.includes('tls') && hasProduct(layout))
    await makeConnections(organisation, layout, keptProduct(network, layout), true);
  if (!kinds.includes('signing')) return { isOffered: false };
  await offerOrdererCertificate(organisation, own);
  if (network.consensus === 'bft') return { isOffered: true };
  takeOrdererCertificate(own);
  return { isOffered: false };
}

/** Issues what the organisation's CoreAPI, validators and systems need for connections. A node of a chain beside its validator speaks no TLS. */
async function makeConnections(
  organisation: FabricOrganisation,
  layout: NetworkLayout,
  { definition, memberOf }: Product,
  isRenewal: boolean,
): Promise<void> {
  const member = memberOf(organisation);
  if (member === undefined) return;
  const chains = new Set(definition.systems.flatMap(({ id, kind }) => (kind === 'evm' ? [id] : [])));
  const parts = ownParts(definition, member).filter((name) => !chains.has(name));
  await makeProductTls(organisation, layout.organisation(organisation), member, parts, isRenewal);
}

/** Makes the channel's first block and the ledger's genesis of what all organisations have put into the shared folder. One of them does it for all. */
export async function makeBeginnings(
  programs: FabricPrograms,
  network: FabricNetwork,
  layout: NetworkLayout,
  definitionFile: string,
): Promise<void> {
  const missing = notShown(network, layout).map(({ id }) => id);
  if (missing.length > 0)
    throw new Fault('not-ready', `${layout.shared} lacks what ${missing.join(', ')} must put there first.`);
  if (!existsSync(layout.genesisBlock))
    await makeFirstBlock(programs, network, layout, layout.genesisBlock, layout.shared);
  makeLedgerGenesis(layout, openProduct(network, layout, readDefinition(definitionFile)));
}

/** How far an organisation's part has come: its nodes take part, it has agreed to the contract, or enough have and the contract is in force. */
export type Joined = 'takes part' | 'agreed' | 'in force';

/**
 * Has an organisation's own nodes, which run, take part in the channel, and agrees to the contract in its name. Both need enough of the others to take
 * part, so the first ones do it once more when the others are there.
 */
export async function joinHere(
  programs: FabricPrograms,
  network: FabricNetwork,
  layout: NetworkLayout,
  organisation: FabricOrganisation,
): Promise<{ readonly definition: ChaincodeDefinition; readonly joined: Joined }> {
  // Operations and administration of the own nodes are reached on this machine alone.
  const here = { ...organisation, host: INSIDE };
  await waitForNodes(here);
  const { newestConfiguration, genesisBlock } = layout;
  await joinOrderer(here, existsSync(newestConfiguration) ? newestConfiguration : genesisBlock);
  // Nobody can submit to an orderer that has no vote.
  const [orderer = organisation] = organisation.votes ? [organisation] : votersOf(network);
  const administrator = new Administrator(programs, network, layout, organisation, orderer);
  await administrator.joinChannel();
  if (!organisation.votes) await waitUntilKnown(organisation, administrator, 1);
  const known = await committedOrNone(administrator);
  const definition = known ?? { sequence: 1, version: await versionOf(CONTRACT) };
  const chaincode = packageOf(network, organisation, definition.sequence);
  await administrator.install(chaincode);
  let joined: Joined = 'takes part';
  try {
    await administrator.approve(chaincode.id, definition);
    joined = 'agreed';
    await administrator.commit(definition);
    joined = 'in force';
  } catch (error) {
    // Fabric's program cannot tell too few orderers or agreements from other reasons; the nodes' logs do.
    if (!(error instanceof Fault)) throw error;
  }
  return { definition, joined };
}
