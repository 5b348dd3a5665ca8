import { Fault, type Organisation } from '@linkspan/protocol';
import type { NetworkChanger } from './channel-update.ts';
import { changeMembers, membersOnLedger } from './ledger-members.ts';
import { type FabricNetwork, type FabricOrganisation, isLocal } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { isRunning, notedProcesses, stopProcess } from './node-process.ts';
import { answers, waitForHeight } from './node-requests.ts';
import { peerHeight } from './node-standing.ts';
import { hasProduct, keptProduct } from './product.ts';
import { publicKeysOf } from './product-files.ts';
import { productPlaces } from './product-places.ts';
import { type PreparedProduct, prepareProduct, startProduct } from './product-processes.ts';
import { CORE_API } from './product-tls.ts';

// What happens to an organisation on the ledger when it joins a network on one machine or leaves it. Here somebody may speak for everybody; on hosts of
// their own people do the same by `linkspan change`.

/** Whether the ledger of a network can be spoken to from here: it has CoreAPIs, and all of them are on this machine. */
export function hasLedgerHere({ organisations }: FabricNetwork, layout: NetworkLayout): boolean {
  return hasProduct(layout) && organisations.every(isLocal);
}

/** Throws a Fault where the ledger would not take an organisation as a member, before anything is done for it. */
export async function checkNewcomer(network: FabricNetwork, layout: NetworkLayout, id: string): Promise<void> {
  const { organisations, removed } = await membersOnLedger(...standingOf(network, layout));
  const isHere = network.organisations.some((each) => each.id === id);
  const isKnown = !isHere && organisations.some((each) => each.id === id);
  if (isKnown || removed.includes(id))
    throw new Fault('already-registered', `${id} is or was a member of the ledger: the newcomer needs another id.`);
}

/**
 * Makes an organisation that has joined the channel a member of the ledger, and starts its CoreAPI. The others' are started anew first, one after the
 * other, so that each knows its address. May be run again after anything.
 */
export async function joinLedger(changer: NetworkChanger, network: FabricNetwork, id: string): Promise<void> {
  const { layout, say } = changer;
  const newcomer = organisationNamed(network, id);
  const prepared = prepareProduct(network, layout);
  const organisation = organisationOf(newcomer, layout, prepared);
  const others = network.organisations.filter((each) => each !== newcomer);
  const { organisations: members } = await membersOnLedger(namesOf(others, prepared), prepared);
  if (!members.some((each) => each.id === organisation.id)) {
    say(`Telling every CoreAPI where that of ${id} is: each is started anew.`);
    for (const each of others) await restartApi(each, layout, prepared);
    say(`Admitting ${organisation.id} to the ledger in the name of the others.`);
    const speakers = await answering(namesOf(others, prepared), members, prepared);
    await changeMembers(speakers, prepared, { what: 'admit', organisation }, say);
  }
  const heights = await Promise.all(others.map((each) => peerHeight(each, network.channel)));
  const highest = Math.max(0, ...heights.map((height) => height ?? 0));
  await waitForHeight(`The peer of ${id}`, () => peerHeight(newcomer, network.channel), highest);
  await startProduct(newcomer, layout.organisation(newcomer), prepared);
}

/** Whether the ledger has an organisation as a member. Throws a Fault `not-ready` where nobody can tell. */
export async function isMemberOfLedger(network: FabricNetwork, layout: NetworkLayout, id: string): Promise<boolean> {
  const [speakers, prepared] = standingOf(network, layout);
  const { organisations } = await membersOnLedger(speakers, prepared);
  const member = prepared.product.memberOf(organisationNamed(network, id));
  return organisations.some((each) => each.id === member);
}

/** Removes a member from the ledger in the name of the others. */
export async function leaveLedger({ layout, say }: NetworkChanger, network: FabricNetwork, id: string): Promise<void> {
  const [, prepared] = standingOf(network, layout);
  const leaving = organisationNamed(network, id);
  const organisation = prepared.product.memberOf(leaving) ?? id;
  const others = namesOf(
    network.organisations.filter((each) => each !== leaving),
    prepared,
  );
  const { organisations: members } = await membersOnLedger(others, prepared);
  say(`Removing ${organisation} from the ledger in the name of the others.`);
  await changeMembers(await answering(others, members, prepared), prepared, { what: 'remove', organisation }, say);
}

type Prepared = Pick<PreparedProduct, 'product' | 'places'>;

/** Whoever can be asked, and where. */
function standingOf(network: FabricNetwork, layout: NetworkLayout): [readonly string[], Prepared] {
  const product = keptProduct(network, layout);
  const prepared = { product, places: productPlaces(network, layout, product) };
  return [namesOf(network.organisations, prepared), prepared];
}

function namesOf(organisations: readonly FabricOrganisation[], { product }: Prepared): readonly string[] {
  return organisations.flatMap((each) => product.memberOf(each) ?? []);
}

/** Of these organisations the members whose CoreAPI answers: an organisation that is away does not keep the others from a change. */
async function answering(
  names: readonly string[],
  members: readonly Organisation[],
  { places }: Prepared,
): Promise<readonly string[]> {
  const own = names.filter((name) => members.some(({ id }) => id === name));
  const heard = await Promise.all(own.map((name) => answers(`${places.urlOf(name)}/healthz`)));
  return own.filter((_, i) => heard[i]);
}

function organisationNamed({ organisations }: FabricNetwork, id: string): FabricOrganisation {
  const found = organisations.find((each) => each.id === id);
  if (!found) throw new TypeError('whoever is named is an organisation of the network');
  return found;
}

/** A newcomer as the ledger takes it. */
function organisationOf(newcomer: FabricOrganisation, layout: NetworkLayout, { product }: Prepared): Organisation {
  const { definition, memberOf } = product;
  const record = definition.organisations.find((each) => each.id === memberOf(newcomer));
  if (!record) throw new TypeError('every organisation of the network is one of its product');
  return { ...record, ...publicKeysOf(newcomer, layout) };
}

/** Has a CoreAPI that runs read its configuration again. */
async function restartApi(
  organisation: FabricOrganisation,
  layout: NetworkLayout,
  prepared: PreparedProduct,
): Promise<void> {
  const own = layout.organisation(organisation);
  const running = notedProcesses(own).find((each) => each.name === CORE_API && isRunning(each));
  if (!running) return;
  await stopProcess(own, running);
  await startProduct(organisation, own, prepared);
}
