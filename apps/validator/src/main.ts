import { parseArgs } from 'node:util';
import { createLiveFiles, useNativeHashes } from '@linkspan/keys';
import { problemLines } from '@linkspan/plugin';
import { ERRORS, Fault } from '@linkspan/protocol';
import { destination, pino } from 'pino';
import { loadConfig } from './config.ts';
import { startValidator } from './start-validator.ts';

useNativeHashes();

try {
  const { values } = parseArgs({ options: { config: { type: 'string' }, 'check-config': { type: 'boolean' } } });
  if (values.config === undefined)
    throw new Fault('configuration-invalid', 'Usage: npm run validator -- --config FILE [--check-config]');
  await (values['check-config'] ? check(values.config) : run(values.config));
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = ERRORS[error.code].exit;
}

/** Says everything that is wrong with the configuration and the files that it names. Starts nothing, writes nothing. */
async function check(path: string): Promise<void> {
  using files = createLiveFiles({ now: Date.now });
  const config = await loadConfig(process.env, files, path);
  if (!config.ok) throw new Fault('configuration-invalid', problemLines(path, config.refusal).join('\n'));
  process.stdout.write(`${path}: in order, mode ${config.value.mode}\n`);
}

async function run(path: string): Promise<void> {
  const log = pino({ level: 'warn', name: 'validator' }, destination({ fd: 2, sync: true }));
  const files = createLiveFiles({
    now: Date.now,
    onRenewed: (renewed) => log.info({ files: renewed }, 'renewed files are in use'),
    onBroken: (message) => log.error({ attention: true }, message),
  });
  const config = await loadConfig(process.env, files, path);
  if (!config.ok) throw new Fault('configuration-invalid', config.refusal.message);
  log.level = config.value.logLevel;
  log.setBindings({ system: config.value.system });
  const running = await startValidator(config.value, log);
  files.watch();
  process.on('SIGHUP', () => files.reread());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running[Symbol.asyncDispose]().then(() => process.exit(0)));
  }
  process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
}
