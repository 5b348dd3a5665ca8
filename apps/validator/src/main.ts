import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { useNativeHashes } from '@linkspan/keys';
import { Fault } from '@linkspan/protocol';
import { destination, pino } from 'pino';
import { loadConfig } from './config.ts';
import { startValidator } from './start-validator.ts';

useNativeHashes();

try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined)
    throw new Fault('configuration-invalid', 'Usage: node apps/validator/src/main.ts --config FILE');
  const config = await loadConfig(process.env, (path) => readFileSync(path, 'utf8'), values.config);
  if (!config.ok) throw new Fault('configuration-invalid', config.refusal.message);
  const running = await startValidator(
    config.value,
    pino(
      { level: config.value.logLevel, name: `validator ${config.value.system}` },
      destination({ fd: 2, sync: true }),
    ),
  );
  process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running[Symbol.asyncDispose]().then(() => process.exit(0)));
  }
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
