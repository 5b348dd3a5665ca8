import { Fault } from '@linkspan/protocol';
import { fileURLToPath } from 'node:url';
import { chaincodePackage, type ChaincodePackage } from './chaincode-package.ts';
import type { Administrator } from './lifecycle.ts';
import { type FabricNetwork, type FabricOrganisation, INSIDE } from './network-definition.ts';
import type { OrganisationLayout } from './network-layout.ts';
import { listens, waitUntil } from './node-requests.ts';
import {
  checkRuns,
  type NodeProcess,
  type NotedProcess,
  notedProcesses,
  startProcess,
  stopProcess,
} from './node-process.ts';
import { runProgram } from './run-program.ts';

/** What serves a chaincode: a program with arguments of its own, and its version unless the program is asked for it. */
export type ChaincodeProgram = {
  readonly main: string;
  readonly args: readonly string[];
  readonly version?: string;
};

/** What a channel has agreed on of a chaincode. The sequence rises by one with each change; the version is what the organisations approved. */
export type ChaincodeDefinition = { readonly sequence: number; readonly version: string };

/** The consortium's contract. Its version is the hash of its code, so that approving a version is approving the code. */
export const CONTRACT: ChaincodeProgram = {
  main: fileURLToPath(new URL('../../../chaincode/src/main.ts', import.meta.url)),
  args: [],
};

const WITHOUT_VERSION = '1';

export async function versionOf({ main, version }: ChaincodeProgram): Promise<string> {
  if (version !== undefined) return version;
  if (main !== CONTRACT.main) return WITHOUT_VERSION;
  return (await runProgram(process.execPath, [main, '--version'])).trim();
}

/** The newest definition that any of these organisations' peers knows; undefined where there is none. Peers that do not answer are passed over. */
export async function newestDefinition(
  administrators: readonly Administrator[],
): Promise<ChaincodeDefinition | undefined> {
  const known = await Promise.all(administrators.map(committedOrNone));
  return known.reduce((newest, each) => ((each?.sequence ?? 0) > (newest?.sequence ?? 0) ? each : newest), undefined);
}

export async function committedOrNone(administrator: Administrator): Promise<ChaincodeDefinition | undefined> {
  try {
    return await administrator.committed();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** Waits until an organisation's own peer knows a definition that the channel has agreed on. */
export function waitUntilKnown(
  { id }: FabricOrganisation,
  administrator: Administrator,
  sequence: number,
): Promise<void> {
  return waitUntil(`Definition ${sequence} of the chaincode at the peer of ${id}`, async () => {
    const known = await committedOrNone(administrator);
    return (known?.sequence ?? 0) >= sequence;
  });
}

/** Waits until an organisation's own chaincode answers its peer: as the version that is named, or as any. */
export function waitUntilAnswered(
  { id }: FabricOrganisation,
  administrator: Administrator,
  version?: string,
): Promise<void> {
  return waitUntil(`The contract of ${id}`, async () => {
    try {
      const running = (await administrator.ask('version')).trim();
      return version === undefined ? running !== '' : running === version;
    } catch (error) {
      // The peer refuses until it has reached the program.
      if (error instanceof Fault) return false;
      throw error;
    }
  });
}

/** The package by which an organisation's peer finds the chaincode of a definition. */
export function packageOf(
  { chaincode }: FabricNetwork,
  organisation: FabricOrganisation,
  sequence: number,
): ChaincodePackage {
  return chaincodePackage(`${chaincode}_${sequence}`, addressOf(organisation, sequence));
}

/** Starts the process that serves a definition to an organisation's peer; `next` is one beside that which serves the definition before. */
export function startChaincode(
  network: FabricNetwork,
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  program: ChaincodeProgram,
  sequence: number,
  name: 'chaincode' | 'chaincode-next' = 'chaincode',
): NotedProcess {
  return startProcess(layout, { ...chaincodeProcess(network, organisation, program, sequence), name });
}

/**
 * Waits until the process that was started for an organisation's chaincode listens. Throws a Fault with its last words where it has ended: what listens
 * at its port is then another program.
 */
export function waitForChaincode(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  sequence: number,
): Promise<void> {
  return waitUntil(`The contract of ${organisation.id}`, async () => {
    const isUp = await listens(INSIDE, chaincodePort(organisation, sequence));
    checkRuns(layout, organisation, 'chaincode');
    return isUp;
  });
}

/** The process that serves a definition to an organisation's peer. */
export function chaincodeProcess(
  network: FabricNetwork,
  organisation: FabricOrganisation,
  { main, args }: ChaincodeProgram,
  sequence: number,
): NodeProcess {
  const { id } = packageOf(network, organisation, sequence);
  return {
    name: 'chaincode',
    program: process.execPath,
    args: [main, '--address', addressOf(organisation, sequence), '--id', id, ...args],
    // What the shim calls outdated of its own is nothing that an operator could change.
    env: { CORE_CHAINCODE_LOGGING_LEVEL: 'ERROR', NODE_OPTIONS: '--no-deprecation' },
  };
}

/** Ends an organisation's chaincode process where it serves another definition than the one in force, so that the right one can start. */
export async function endOutdated(
  network: FabricNetwork,
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  sequence: number,
): Promise<void> {
  const noted = notedProcesses(layout).find(({ name }) => name === 'chaincode');
  if (noted?.args && !noted.args.includes(packageOf(network, organisation, sequence).id))
    await stopProcess(layout, noted);
}

/** One definition's process and the next one's run side by side for a while, so they take turns at two ports. */
export function chaincodePort({ ports }: FabricOrganisation, sequence: number): number {
  return sequence % 2 === 1 ? ports.chaincode : ports.otherChaincode;
}

function addressOf(organisation: FabricOrganisation, sequence: number): string {
  return `${INSIDE}:${chaincodePort(organisation, sequence)}`;
}
