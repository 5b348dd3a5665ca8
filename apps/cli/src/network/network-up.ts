import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChaincodeDefinition,
  type ChaincodeProgram,
  CONTRACT,
  endOutdated,
  newestDefinition,
  packageOf,
  startChaincode,
  versionOf,
  waitForChaincode,
  waitUntilKnown,
} from './chaincode-definition.ts';
import { makeFirstBlock } from './channel-configuration.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import { Administrator } from './lifecycle.ts';
import { type FabricNetwork, votersOf } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { joinOrderer } from './node-requests.ts';
import { prepareOrganisation, startNodes, waitForNodes } from './organisation-nodes.ts';
import { upgradeContract } from './upgrade-contract.ts';
import { checkPorts, PORTS_STAY } from './used-ports.ts';

export type UpOptions = {
  readonly network: FabricNetwork;
  readonly directory: string;
  readonly programs: FabricPrograms;
  readonly say: (line: string) => void;
  /** The program that serves the chaincode, with arguments of its own; the contract's unless another is named. */
  readonly chaincode?: ChaincodeProgram;
};

/**
 * Brings a network up: makes what is missing of certificates and configuration, starts what does not run, and lets every organisation join, install
 * and approve. Each step leaves alone what is done already, so it may be run again after anything. It is up when the chaincode is
 * defined; the first endorsements may still need the peers to find each other, for which a client waits.
 */
export async function bringUp({
  network,
  directory,
  programs,
  say,
  chaincode: program = CONTRACT,
}: UpOptions): Promise<void> {
  const layout = networkLayout(directory);
  const { organisations } = network;
  // Where no peer has a ledger nothing is agreed on yet; otherwise the channel says which definition is in force.
  const isNew = !organisations.some((each) => existsSync(join(layout.organisation(each).peerData, 'ledgersData')));
  const asked = versionOf(program);
  await checkPorts(organisations, layout, PORTS_STAY);
  await Promise.all(organisations.map((each) => prepareOrganisation(each, layout.organisation(each))));
  if (!existsSync(layout.genesisBlock))
    await makeFirstBlock(programs, network, layout, layout.genesisBlock, layout.shared);
  say(`Starting ${organisations.length} peers, orderers and chaincodes.`);
  const startChaincodes = async ({ sequence }: ChaincodeDefinition): Promise<void> => {
    await Promise.all(organisations.map((each) => endOutdated(network, each, layout.organisation(each), sequence)));
    for (const each of organisations) startChaincode(network, each, layout.organisation(each), program, sequence);
  };
  for (const each of organisations) startNodes(programs, layout.organisation(each));
  const first = { sequence: 1, version: await asked };
  if (isNew) await startChaincodes(first);
  await Promise.all(organisations.map((each) => waitForNodes(each, layout.organisation(each))));
  const configuration = existsSync(layout.newestConfiguration) ? layout.newestConfiguration : layout.genesisBlock;
  // One that joins or leaves is brought further by the command that does it.
  const voting = votersOf(network);
  await Promise.all(voting.map((each) => joinOrderer(each, configuration)));
  const members = voting.map((each) => ({
    organisation: each,
    administrator: new Administrator(programs, network, layout, each),
  }));
  const administrators = members.map(({ administrator }) => administrator);
  const inForce = isNew ? undefined : await newestDefinition(administrators);
  const definition = inForce ?? first;
  await startChaincodes(definition);
  await Promise.all(
    members.map(async ({ organisation, administrator }) => {
      await administrator.joinChannel();
      await administrator.install(packageOf(network, organisation, definition.sequence));
      // A peer that was away has to hear of it before its organisation can agree to it.
      if (inForce) await waitUntilKnown(organisation, administrator, inForce.sequence);
    }),
  );
  say('Approving the contract in the name of each organisation.');
  const areKept = await Promise.all(
    members.map(({ organisation, administrator }) =>
      administrator.approve(packageOf(network, organisation, definition.sequence).id, definition),
    ),
  );
  await administrators[0]?.commit(definition);
  await Promise.all(
    organisations.map((each) => waitForChaincode(each, layout.organisation(each), definition.sequence)),
  );
  if (areKept.every((isKept) => isKept)) return;
  say('A peer has lost with its disk what its organisation had agreed to: all agree once more.');
  const { behind } = await upgradeContract({ programs, layout, say }, network, { program, again: true });
  for (const [id, why] of behind) say(`${id} has still to follow: ${why}`);
}
