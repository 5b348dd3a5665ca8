import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '@linkspan/protocol';
import { type FabricOrganisation, INSIDE, listenHost } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { isRunning, notedProcesses } from './node-process.ts';
import type { Product } from './product.ts';
import { ownParts } from './product-places.ts';
import { CORE_API } from './product-tls.ts';

/** Where a process of an organisation is going to listen. */
type NeededPort = {
  readonly process: string;
  readonly organisation: FabricOrganisation;
  readonly host: string;
  readonly port: number;
};

/**
 * Refuses to start where another program has a port that is needed, before anything is started or written. Looks only at the ports of processes that
 * do not run. Throws a Fault `configuration-invalid` that names the first port, whose it is to be, and by `advice` what to do instead.
 */
export async function checkPorts(
  organisations: readonly FabricOrganisation[],
  layout: NetworkLayout,
  advice: string,
  product?: Pick<Product, 'definition' | 'memberOf'>,
): Promise<void> {
  const needed = organisations.flatMap((organisation) => {
    const running = notedProcesses(layout.organisation(organisation)).filter(isRunning);
    // The contract of a new definition runs for a while beside that of the one before, at the other's port.
    const names = new Set(running.map(({ name }) => (name.startsWith(CHAINCODE) ? CHAINCODE : name)));
    return portsOf(organisation, product).filter(({ process }) => !names.has(process));
  });
  const areFree = await Promise.all(needed.map(({ host, port }) => isFree(host, port)));
  const used = needed.find((_, i) => !areFree[i]);
  if (!used) return;
  throw new Fault(
    'configuration-invalid',
    `Port ${used.port}, which ${used.process} of ${used.organisation.id} is to have, is used by another program: ${advice}.`,
  );
}

/** What to do about a used port in a network that is made already: its ports stand in the channel and in every configuration. */
export const PORTS_STAY = 'end that program, since the ports of a network that is made already stay the same';

const CHAINCODE = 'chaincode';

function portsOf(
  organisation: FabricOrganisation,
  product: Pick<Product, 'definition' | 'memberOf'> | undefined,
): NeededPort[] {
  const { ports } = organisation;
  const open = listenHost(organisation);
  const at = (process: string, host: string, port: number): NeededPort => ({ process, organisation, host, port });
  const nodes = [
    at('peer', open, ports.peer),
    at('peer', INSIDE, ports.peerChaincode),
    at('peer', INSIDE, ports.peerOperations),
    at('orderer', open, ports.orderer),
    at('orderer', INSIDE, ports.ordererOperations),
    at('orderer', INSIDE, ports.ordererAdmin),
    at(CHAINCODE, INSIDE, ports.chaincode),
    at(CHAINCODE, INSIDE, ports.otherChaincode),
  ];
  const member = product?.memberOf(organisation);
  if (!product || member === undefined) return nodes;
  return [
    ...nodes,
    at(CORE_API, open, ports.coreApi),
    ...ownParts(product.definition, member).map((name, i) => at(name, INSIDE, ports.firstSystem + i)),
  ];
}

/** A program that was just killed may hold its ports for a moment longer. */
async function isFree(host: string, port: number): Promise<boolean> {
  for (let triesLeft = TRIES; triesLeft > 0; triesLeft -= 1) {
    if (await canListen(host, port)) return true;
    await delay(PAUSE_MS);
  }
  return false;
}

const TRIES = 10;
const PAUSE_MS = 100;

/** Listening is the only way to know: a port may be taken without anybody who takes connections there. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
