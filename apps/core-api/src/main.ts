import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { useNativeHashes } from '@linkspan/keys';
import { Fault } from '@linkspan/protocol';
import { destination, pino } from 'pino';
import { loadConfig } from './config.ts';
import { startCoreApi } from './start-core-api.ts';

useNativeHashes();

/** What must not stand in a log, wherever an object that has it is logged. */
const SECRETS = ['authorization', 'secret', 'clientSecret', 'access_token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

try {
  const config = loadConfig(process.env, (path) => readFileSync(path, 'utf8'), configFile());
  if (!config.ok) throw new Fault('configuration-invalid', config.refusal.message);
  const log = pino(
    { level: config.value.logLevel, name: 'core-api', redact: SECRETS },
    destination({ fd: 2, sync: true }),
  );
  const running = await startCoreApi(config.value, {
    log,
    now: Date.now,
    onBroken: (error) => queueMicrotask(() => stop(error)),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running[Symbol.asyncDispose]().then(() => process.exit(0)));
  }
  process.stdout.write(`${JSON.stringify({ ready: true, organisations: running.urls, network: running.network })}\n`);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function configFile(): string {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    if (values.config !== undefined) return values.config;
  } catch {
    // An argument that is not known is answered as a missing one.
  }
  throw new Fault('configuration-invalid', 'Usage: node apps/core-api/src/main.ts --config FILE');
}

/** Ends the process as an uncaught error does, outside of whatever would only turn it into an answer. */
function stop(error: Error): never {
  throw error;
}
