import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHANNEL_PROFILE, channelConfiguration } from './channel-configuration.ts';
import { chaincodePackage, type ChaincodePackage } from './chaincode-package.ts';
import { makeCrypto } from './crypto-material.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import { Administrator } from './lifecycle.ts';
import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import { networkLayout, type NetworkLayout, type OrganisationLayout } from './network-layout.ts';
import { writeNodeConfiguration } from './node-configuration.ts';
import { type NodeProcess, startProcess } from './node-process.ts';
import { channelsUrl, healthUrl, joinOrderer, waitUntilAnswers, waitUntilListens } from './node-requests.ts';
import { runProgram } from './run-program.ts';
import { writeJson } from './write-json.ts';

const CONTRACT: ChaincodeProgram = {
  main: fileURLToPath(new URL('../../../chaincode/src/main.ts', import.meta.url)),
  args: [],
};
const VERSION = '1';
const SEQUENCE = 1;
const LOG_LINE = '%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} [%{module}] %{message}';

export type UpOptions = {
  readonly network: FabricNetwork;
  readonly directory: string;
  readonly programs: FabricPrograms;
  readonly say: (line: string) => void;
  /** The program that serves the chaincode, with arguments of its own; the contract's unless another is named. */
  readonly chaincode?: ChaincodeProgram;
};

export type ChaincodeProgram = { readonly main: string; readonly args: readonly string[] };

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
  await Promise.all(organisations.map((each) => prepare(programs, each, layout.organisation(each))));
  await makeGenesis(programs, network, layout);
  say(`Starting ${organisations.length} peers, orderers and chaincodes.`);
  const packages = new Map(organisations.map((each) => [each, packageOf(network, each)]));
  for (const each of organisations) startNodes(programs, each, layout.organisation(each), program, packages.get(each));
  await Promise.all(
    organisations.flatMap((each) => [
      waitUntilAnswers(`The peer of ${each.id}`, healthUrl(each.host, each.ports.peerOperations)),
      waitUntilAnswers(`The orderer of ${each.id}`, healthUrl(each.host, each.ports.ordererOperations)),
      waitUntilAnswers(`The orderer of ${each.id}`, channelsUrl(each)),
      waitUntilListens(`The peer of ${each.id}`, each.host, each.ports.peer),
      waitUntilListens(`The orderer of ${each.id}`, each.host, each.ports.orderer),
    ]),
  );
  await Promise.all(organisations.map((each) => joinOrderer(each, layout.genesisBlock)));
  const administrators = organisations.map((each) => ({
    administrator: new Administrator(programs, network, layout, each),
    chaincode: packageOf(network, each),
  }));
  await Promise.all(
    administrators.map(async ({ administrator, chaincode }) => {
      await administrator.joinChannel();
      await administrator.install(chaincode);
    }),
  );
  say('Approving the contract in the name of each organisation.');
  await Promise.all(
    administrators.map(({ administrator, chaincode }) => administrator.approve(chaincode.id, VERSION, SEQUENCE)),
  );
  await administrators[0]?.administrator.commit(VERSION, SEQUENCE);
}

async function prepare(
  programs: FabricPrograms,
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
): Promise<void> {
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 });
  if (!existsSync(layout.crypto)) await makeCrypto(programs, organisation, layout);
  writeNodeConfiguration(organisation, layout);
}

async function makeGenesis(programs: FabricPrograms, network: FabricNetwork, layout: NetworkLayout): Promise<void> {
  if (existsSync(layout.genesisBlock)) return;
  writeJson(join(layout.shared, 'configtx.yaml'), channelConfiguration(network, layout));
  const args = ['-profile', CHANNEL_PROFILE, '-channelID', network.channel, '-outputBlock', layout.genesisBlock];
  await runProgram(programs.configtxgen, args, { FABRIC_CFG_PATH: layout.shared });
}

function packageOf({ chaincode }: FabricNetwork, { host, ports }: FabricOrganisation): ChaincodePackage {
  return chaincodePackage(`${chaincode}_${VERSION}`, `${host}:${ports.chaincode}`);
}

function startNodes(
  programs: FabricPrograms,
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  program: ChaincodeProgram,
  chaincode: ChaincodePackage | undefined,
): void {
  for (const node of nodesOf(programs, organisation, layout, program, chaincode?.id ?? '')) startProcess(layout, node);
}

/** The processes of an organisation. They see of the environment only what is written here. */
function nodesOf(
  programs: FabricPrograms,
  { host, ports }: FabricOrganisation,
  layout: OrganisationLayout,
  { main, args }: ChaincodeProgram,
  packageId: string,
): NodeProcess[] {
  const quiet = { FABRIC_LOGGING_SPEC: 'warning', FABRIC_LOGGING_FORMAT: LOG_LINE, PATH: process.env['PATH'] ?? '' };
  return [
    {
      name: 'orderer',
      program: programs.orderer,
      args: ['start'],
      env: { ...quiet, FABRIC_CFG_PATH: layout.ordererConfig },
    },
    {
      name: 'peer',
      program: programs.peer,
      args: ['node', 'start'],
      env: { ...quiet, FABRIC_CFG_PATH: layout.peerConfig },
    },
    {
      name: 'chaincode',
      program: process.execPath,
      args: [main, '--address', `${host}:${ports.chaincode}`, '--id', packageId, ...args],
      env: { CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR' },
    },
  ];
}
