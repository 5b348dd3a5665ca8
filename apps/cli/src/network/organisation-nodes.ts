import { mkdirSync } from 'node:fs';
import { makeCrypto } from './crypto-material.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import type { FabricOrganisation } from './network-definition.ts';
import type { OrganisationLayout } from './network-layout.ts';
import { writeNodeConfiguration } from './node-configuration.ts';
import { checkRuns, type NodeProcess, startProcess } from './node-process.ts';
import { answers, channelsUrl, healthUrl, listens, waitUntil } from './node-requests.ts';

const LOG_LINE = '%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} [%{module}] %{message}';

/** Makes what is missing of an organisation's certificates, and writes its nodes' configuration. */
export async function prepareOrganisation(organisation: FabricOrganisation, layout: OrganisationLayout): Promise<void> {
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 });
  await makeCrypto(organisation, layout);
  writeNodeConfiguration(organisation, layout);
}

/** Starts an organisation's orderer and peer where they do not run. */
export function startNodes(programs: FabricPrograms, layout: OrganisationLayout): void {
  for (const node of nodesOf(programs, layout)) startProcess(layout, node);
}

/** An organisation's orderer and peer. They see of the environment only what is written here. */
export function nodesOf(programs: FabricPrograms, layout: OrganisationLayout): readonly NodeProcess[] {
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
  ];
}

/**
 * Waits until an organisation's nodes call themselves well and take connections; a Fault says which one does not, or has ended where they were started from
 * here.
 */
export async function waitForNodes(organisation: FabricOrganisation, layout?: OrganisationLayout): Promise<void> {
  const { id, host, ports } = organisation;
  const wait = (node: 'peer' | 'orderer', isUp: () => Promise<boolean>): Promise<void> =>
    waitUntil(`The ${node} of ${id}`, async () => {
      const isAnswered = await isUp();
      if (layout) checkRuns(layout, organisation, node);
      return isAnswered;
    });
  await Promise.all([
    wait('peer', () => answers(healthUrl(host, ports.peerOperations))),
    wait('orderer', () => answers(healthUrl(host, ports.ordererOperations))),
    wait('orderer', () => answers(channelsUrl(organisation))),
    wait('peer', () => listens(host, ports.peer)),
    wait('orderer', () => listens(host, ports.orderer)),
  ]);
}
