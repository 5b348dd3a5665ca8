import { parseArgs } from 'node:util';

import { loadConfig } from './config.ts';
import { StartError } from './launcher/start-error.ts';
import { startFcyEvm } from './start-fcy-evm.ts';

// Signals are awaited before anything starts: one that comes during a long replay must not leave the node behind.
const asked = new Promise<undefined>((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(undefined));
});

try {
  const failure = await run();
  if (failure !== undefined) throw failure;
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : describe(error)}\n`);
  process.exit(1);
}

/** Serves until a signal asks for the end, or returns what failed. */
async function run(): Promise<Error | undefined> {
  const { values } = parseArgs({ options: { config: { type: 'string' }, 'check-config': { type: 'boolean' } } });
  if (values.config === undefined)
    throw new StartError('Usage: node systems/fcy-evm/src/main.ts --config FILE [--check-config]');
  const config = loadConfig(values.config);
  if (values['check-config']) {
    process.stdout.write(`${values.config}: in order\n`);
    return undefined;
  }
  const starting = startFcyEvm(config);
  const system = await Promise.race([starting, asked]);
  // Ending in the middle of the start needs no order: the node dies with this process, and the journal is whole.
  if (system === undefined) return undefined;
  const { url, token, failed } = system;
  process.stdout.write(`${JSON.stringify({ ready: true, url, token })}\n`);
  const failure = await Promise.race([asked, failed]);
  await system.close();
  return failure;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
