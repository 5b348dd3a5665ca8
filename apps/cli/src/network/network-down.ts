import type { FabricNetwork } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { isRunning, notedProcesses, stopProcess } from './node-process.ts';

/** Ends every process of the network that was started here, and says how many ran. What they stored stays. */
export async function bringDown(network: FabricNetwork, directory: string): Promise<number> {
  const layout = networkLayout(directory);
  const noted = network.organisations.flatMap((each) => {
    const own = layout.organisation(each);
    return notedProcesses(own).map((process) => ({ own, process, ran: isRunning(process) }));
  });
  // First those that ask others, so that nobody waits for somebody who is gone.
  const isNode = (name: string): boolean => NODES.some((node) => name.startsWith(node));
  for (const nodes of [false, true]) {
    const turn = noted.filter(({ process }) => isNode(process.name) === nodes);
    await Promise.all(turn.map(({ own, process }) => stopProcess(own, process)));
  }
  return noted.filter(({ ran }) => ran).length;
}

const NODES = ['peer', 'orderer', 'chaincode'];
