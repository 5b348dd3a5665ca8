import type { FabricNetwork } from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { isRunning, notedProcesses } from '../../apps/cli/src/network/node-process.ts';
import { type Door, type LinkProxy, processOfConnection, startLinkProxy } from '../../tools/link-proxy.ts';
import { startTestNetwork, type TestNetwork, whyNoFabric } from '../integration/fabric-network.ts';

/** A Fabric network of a test whose organisations reach each other's peers and orderers over links that can be made long or cut. */
export type LinkedNetwork = TestNetwork & Pick<LinkProxy, 'setLinks'>;

/** Why tests of such a network cannot run here, or undefined. */
export async function whyNoLinks(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'needs Linux to tell whose a connection is';
  return whyNoFabric();
}

export async function startLinkedNetwork(countries: 4 | 7): Promise<LinkedNetwork> {
  let links: LinkProxy | undefined;
  try {
    const fabric = await startTestNetwork(countries, undefined, async (network, directory) => {
      links = await startLinkProxy(doorsOf(network), (ownPort, calledPort) =>
        siteOf(network, directory, ownPort, calledPort),
      );
    });
    return {
      ...fabric,
      setLinks: (between) => links?.setLinks(between),
      [Symbol.asyncDispose]: async () => {
        await fabric[Symbol.asyncDispose]();
        await links?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await links?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Where others reach each organisation's peer and orderer. */
export function doorsOf({ organisations }: FabricNetwork): readonly Door[] {
  return organisations.flatMap(({ id, host, ports, outside = ports }) => [
    { site: id, host, port: ports.peer, outside: outside.peer },
    { site: id, host, port: ports.orderer, outside: outside.orderer },
  ]);
}

/** The organisation whose peer or orderer calls. Those who administer the network and the test itself are nobody's site. */
function siteOf(
  { organisations }: FabricNetwork,
  directory: string,
  ownPort: number,
  calledPort: number,
): string | undefined {
  const layout = networkLayout(directory);
  const processes = organisations.flatMap((organisation) =>
    notedProcesses(layout.organisation(organisation))
      .filter((noted) => isRunning(noted))
      .map(({ pid }) => ({ pid, site: organisation.id })),
  );
  const pids = processes.map(({ pid }) => pid);
  const pid = processOfConnection(ownPort, calledPort, pids);
  return processes.find((each) => each.pid === pid)?.site;
}
