import { Fault } from '@linkspan/protocol';
import {
  type ChaincodeDefinition,
  chaincodePort,
  type ChaincodeProgram,
  CONTRACT,
  newestDefinition,
  packageOf,
  startChaincode,
  versionOf,
  waitUntilAnswered,
  waitUntilKnown,
} from './chaincode-definition.ts';
import type { NetworkChanger } from './channel-update.ts';
import { Administrator } from './lifecycle.ts';
import { type FabricNetwork, type FabricOrganisation, INSIDE, votersOf } from './network-definition.ts';
import type { OrganisationLayout } from './network-layout.ts';
import { isRunning, notedProcesses, renameProcess, stopProcess } from './node-process.ts';
import { listens, waitUntil } from './node-requests.ts';

/** What became of an upgrade: the definition that is in force, and the organisations that have still to follow, each with what kept it. */
export type UpgradeReport = {
  readonly before: ChaincodeDefinition;
  readonly definition: ChaincodeDefinition;
  /** False where organisations on other hosts have still to agree. */
  readonly inForce: boolean;
  readonly behind: ReadonlyMap<string, string>;
};

export type UpgradeOptions = {
  readonly program?: ChaincodeProgram;
  /** The one organisation that does its part, on a host of its own; all of them otherwise. */
  readonly only?: FabricOrganisation;
  /**
   * Has the same version agreed on once more, under the next sequence: what an organisation approved is known to its own peer alone, and lost with that
   * peer's disk.
   */
  readonly again?: boolean;
};

/**
 * Brings another version of the contract onto a network that runs, while it runs. Each organisation starts the new program beside the old one, installs its
 * package and approves; once enough have, the definition is committed, and every peer changes over in the block that says so. The old
 * programs end when the new ones answer. Organisations that could not follow, because their nodes do not run, follow at their next `up`; a Fault says
 * when too few can. May be run again after anything.
 */
export async function upgradeContract(
  changer: NetworkChanger,
  network: FabricNetwork,
  { program = CONTRACT, only, again = false }: UpgradeOptions = {},
): Promise<UpgradeReport> {
  const { say } = changer;
  const version = await versionOf(program);
  const voters = votersOf(network).filter((each) => only === undefined || each.id === only.id);
  const members = voters.map((organisation) => memberOf(changer, network, organisation));
  const before = await newestDefinition(members.map(({ administrator }) => administrator));
  if (!before) throw new Fault('not-ready', 'No peer tells which version of the contract the channel has agreed on.');
  const behind = new Map<string, string>();
  if (before.version === version && !again) {
    await Promise.all(members.map((member) => orBehind(behind, member, () => changeOver(network, member, before))));
    return { before, definition: before, inForce: true, behind };
  }
  const definition = { sequence: before.sequence + 1, version };
  say(`Version ${version} beside ${before.version}: installing and approving in the name of each organisation.`);
  await Promise.all(
    members.map((member) => orBehind(behind, member, () => approveNext(network, member, definition, program))),
  );
  const ready = members.filter(({ organisation }) => !behind.has(organisation.id));
  const agreed = new Set(await ready[0]?.administrator.agreed(definition));
  const endorsers = votersOf(network).filter(({ id }) => agreed.has(id) && !behind.has(id));
  if (endorsers.length < network.endorsements) {
    if (only && behind.size === 0) return { before, definition, inForce: false, behind };
    const why = [...behind].map(([id, message]) => `${id}: ${message}`).join(' ');
    throw new Fault(
      'not-ready',
      `${network.endorsements} organisations have to agree, and ${endorsers.length} could. ${why}`,
    );
  }
  await ready[0]?.administrator.commit(definition, endorsers);
  say('Committed: the peers change over.');
  await Promise.all(ready.map((member) => orBehind(behind, member, () => changeOver(network, member, definition))));
  return { before, definition, inForce: true, behind };
}

type Member = {
  readonly organisation: FabricOrganisation;
  readonly own: OrganisationLayout;
  readonly administrator: Administrator;
};

/** The name of a process that serves the next definition. */
const NEXT = 'chaincode-next';

function memberOf(
  { programs, layout }: NetworkChanger,
  network: FabricNetwork,
  organisation: FabricOrganisation,
): Member {
  return {
    organisation,
    own: layout.organisation(organisation),
    administrator: new Administrator(programs, network, layout, organisation),
  };
}

async function orBehind(
  behind: Map<string, string>,
  { organisation }: Member,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    behind.set(organisation.id, error.message);
  }
}

async function approveNext(
  network: FabricNetwork,
  { organisation, own, administrator }: Member,
  definition: ChaincodeDefinition,
  program: ChaincodeProgram,
): Promise<void> {
  const { id } = organisation;
  // One that is left from an upgrade that did not come to its end may be another version.
  const left = processOf(own, NEXT);
  if (left) await stopProcess(own, left);
  const started = startChaincode(network, organisation, own, program, definition.sequence, NEXT);
  await waitUntil(`The new contract of ${id}`, async () => {
    if (!isRunning(started)) throw new Fault('not-ready', `The new contract of ${id} has ended; its log says why.`);
    return listens(INSIDE, chaincodePort(organisation, definition.sequence));
  });
  const chaincode = packageOf(network, organisation, definition.sequence);
  await administrator.install(chaincode);
  await administrator.approve(chaincode.id, definition);
}

/** Ends the program of the definition before, once the organisation's peer has the new definition and the new program answers for it. */
async function changeOver(
  network: FabricNetwork,
  { organisation, own, administrator }: Member,
  definition: ChaincodeDefinition,
): Promise<void> {
  const next = processOf(own, NEXT);
  if (!next) return;
  const { id } = packageOf(network, organisation, definition.sequence);
  if (!isRunning(next) || next.args?.includes(id) !== true) return stopProcess(own, next);
  await waitUntilKnown(organisation, administrator, definition.sequence);
  await waitUntilAnswered(organisation, administrator, definition.version);
  const old = processOf(own, 'chaincode');
  if (old) await stopProcess(own, old);
  renameProcess(own, next, 'chaincode');
}

function processOf(own: OrganisationLayout, name: string) {
  return notedProcesses(own).find((each) => each.name === name);
}
