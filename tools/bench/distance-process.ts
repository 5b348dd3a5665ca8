import { once } from 'node:events';
import { z } from 'zod';
import { processOfConnection, startLinkProxy } from '../link-proxy.ts';
import { processesOfNetwork } from './fabric-processes.ts';

// The lines between the countries of a benchmark: told once which there are, it serves them until whoever started it is gone.
const taskSchema = z.object({
  doors: z.array(z.object({ site: z.string(), host: z.string(), port: z.number(), outside: z.number() })),
  directory: z.string(),
  /** One way, in milliseconds. */
  delayMs: z.number(),
});

const [message] = await once(process, 'message');
const { doors, directory, delayMs } = taskSchema.parse(message);
const proxy = await startLinkProxy(doors, siteOf);
proxy.setLinks(() => ({ delayMs }));
process.send?.('ready');
await once(process, 'disconnect');
await proxy[Symbol.asyncDispose]();

/** The country whose peer or orderer calls; of nobody else is known where it is. */
function siteOf(ownPort: number, calledPort: number): string | undefined {
  const processes = processesOfNetwork(directory);
  const caller = processOfConnection(ownPort, calledPort, [...processes.values()]);
  return [...processes].find(([, pid]) => pid === caller)?.[0].split(' ')[0];
}
