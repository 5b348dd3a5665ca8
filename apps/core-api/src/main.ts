import { parseArgs } from 'node:util';
import { createLiveFiles, useNativeHashes } from '@linkspan/keys';
import { problemLines } from '@linkspan/plugin';
import { ERRORS, Fault } from '@linkspan/protocol';
import { destination } from 'pino';
import { loadConfig } from './config.ts';
import { createLog } from './create-log.ts';
import { startCoreApi } from './start-core-api.ts';

useNativeHashes();

try {
  const { path, isCheck } = readArguments();
  await (isCheck ? check(path) : run(path));
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = ERRORS[error.code].exit;
}

/** Says everything that is wrong with the configuration and the files that it names. Starts nothing, writes nothing. */
function check(path: string): void {
  using files = createLiveFiles({ now: Date.now });
  const config = loadConfig(process.env, files, path);
  if (!config.ok) throw new Fault('configuration-invalid', problemLines(path, config.refusal).join('\n'));
  process.stdout.write(`${path}: in order, mode ${config.value.mode}\n`);
}

async function run(path: string): Promise<void> {
  const log = createLog('warn', destination({ fd: 2, sync: true }));
  const files = createLiveFiles({
    now: Date.now,
    onRenewed: (renewed) => log.info({ files: renewed }, 'renewed files are in use'),
    onBroken: (message) => log.error({ attention: true }, message),
  });
  const config = loadConfig(process.env, files, path);
  if (!config.ok) throw new Fault('configuration-invalid', config.refusal.message);
  log.level = config.value.logLevel;
  const running = await startCoreApi(config.value, {
    log,
    now: Date.now,
    onBroken: (error) => queueMicrotask(() => stop(error)),
    files: () => files.state(),
  });
  files.watch();
  process.on('SIGHUP', () => files.reread());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running[Symbol.asyncDispose]().then(() => process.exit(0)));
  }
  process.stdout.write(`${JSON.stringify({ ready: true, organisations: running.urls, network: running.network })}\n`);
}

function readArguments(): { readonly path: string; readonly isCheck: boolean } {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' }, 'check-config': { type: 'boolean' } } });
    if (values.config !== undefined) return { path: values.config, isCheck: values['check-config'] ?? false };
  } catch {
    // An argument that is not known is answered as a missing one.
  }
  throw new Fault('configuration-invalid', 'Usage: npm run core-api -- --config FILE [--check-config]');
}

/** Ends the process as an uncaught error does, outside of whatever would only turn it into an answer. */
function stop(error: Error): never {
  throw error;
}
