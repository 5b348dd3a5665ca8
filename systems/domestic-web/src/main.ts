import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startFromDocument } from './domestic-web.ts';
import { StartError } from './start-error.ts';

try {
  const { url, close } = await startFromDocument(readConfig(process.argv.slice(2)), { onFault });
  // Before the line, because whoever reads it may send a signal at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void close());
  process.stdout.write(`${JSON.stringify({ ready: true, url })}\n`);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function readConfig(args: string[]): unknown {
  const file = configFile(args);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`The configuration ${file} cannot be read: ${why}.`, { cause });
  }
}

function configFile(args: string[]): string {
  try {
    const { values } = parseArgs({ args, options: { config: { type: 'string' } } });
    if (values.config !== undefined) return values.config;
  } catch {
    // An unknown argument is answered with the same sentence as a missing one.
  }
  throw new StartError('Start this program with --config FILE.');
}

function onFault(fault: unknown): void {
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  process.stderr.write(`${text}\n`);
}
