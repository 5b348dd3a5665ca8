import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig, startCoreApi } from '@linkspan/core-api';
import { createLiveFiles, useNativeHashes } from '@linkspan/keys';
import { destination, pino } from 'pino';

/**
 * The CoreAPI as the product starts it, but with two loops of every organisation on the one ledger where the file `loops` beside the
 * configuration says `two`: a mistake that must change nothing. The second one has an API and a journal of its own.
 */
useNativeHashes();
const { values } = parseArgs({ options: { config: { type: 'string' } } });
const path = values.config ?? '';
const config = loadConfig(process.env, createLiveFiles({ now: Date.now }), path);
if (!config.ok) throw new Error(config.refusal.message);
const loops = join(dirname(path), 'loops');
const twice = existsSync(loops) && readFileSync(loops, 'utf8').trim() === 'two';
const seconds = twice
  ? config.value.organisations.map((one) => ({
      ...one,
      listen: { ...one.listen, port: 0 },
      journal: `${one.journal}.second`,
    }))
  : [];
const running = await startCoreApi(
  { ...config.value, organisations: [...seconds, ...config.value.organisations] },
  {
    log: pino({ level: config.value.logLevel, name: 'core-api' }, destination({ fd: 2, sync: true })),
    now: Date.now,
    onBroken: (error) =>
      queueMicrotask(() => {
        throw error;
      }),
  },
);
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => void running[Symbol.asyncDispose]().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ ready: true, organisations: running.urls, network: running.network })}\n`);
