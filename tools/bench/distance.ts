import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startTestNetwork, type TestNetwork } from '../../test/integration/fabric-network.ts';
import { doorsOf } from '../../test/support/linked-network.ts';

/**
 * A Fabric network whose countries are `delayMs` apart, there and back. The lines run through a process of their own, which costs processor time that real
 * lines do not: it is counted apart. `pid` is that process.
 */
export async function startDistantNetwork(
  countries: 3 | 4 | 7,
  delayMs: number,
): Promise<{ readonly fabric: TestNetwork; readonly pid: number }> {
  const lines = fork(new URL('distance-process.ts', import.meta.url));
  try {
    const fabric = await startTestNetwork(countries, undefined, async (network, directory) => {
      lines.send({ doors: doorsOf(network), directory, delayMs: delayMs / 2 });
      await once(lines, 'message');
    });
    const dispose = async (): Promise<void> => {
      await fabric[Symbol.asyncDispose]();
      lines.disconnect();
      await once(lines, 'exit');
    };
    return { fabric: { ...fabric, [Symbol.asyncDispose]: dispose }, pid: lines.pid ?? 0 };
  } catch (error) {
    lines.disconnect();
    throw error;
  }
}
