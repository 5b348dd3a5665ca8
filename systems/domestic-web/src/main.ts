import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkDocument, startFromDocument } from './domestic-web.ts';
import { StartError } from './start-error.ts';

try {
  const { file, isCheck } = readArguments(process.argv.slice(2));
  const document = readConfig(file);
  if (isCheck) {
    checkDocument(document);
    process.stdout.write(`${file}: in order\n`);
  } else await start(document);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function start(document: unknown): Promise<void> {
  const { url, close } = await startFromDocument(document, { onFault });
  // Before the line, because whoever reads it may send a signal at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void close());
  process.stdout.write(`${JSON.stringify({ ready: true, url })}\n`);
}

function readConfig(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`The configuration ${file} cannot be read: ${why}.`, { cause });
  }
}

function readArguments(args: string[]): { file: string; isCheck: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: { config: { type: 'string' }, 'check-config': { type: 'boolean' } },
    });
    if (values.config !== undefined) return { file: values.config, isCheck: values['check-config'] ?? false };
  } catch {
    // An unknown argument is answered with the same sentence as a missing one.
  }
  throw new StartError('Start this program with --config FILE.');
}

function onFault(fault: unknown): void {
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  process.stderr.write(`${text}\n`);
}
