#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { run } from './run.ts';
import type { LiveTerminal } from './terminal.ts';
import { cutEnd } from './text-width.ts';

// Whoever read the output has seen enough, as `head` does.
process.stdout.on('error', () => process.exit());

const { stdout, stderr, env } = process;

process.exitCode = await run(process.argv.slice(2), {
  env,
  // npm changes to the package's folder and keeps the caller's here.
  folder: env['INIT_CWD'] ?? process.cwd(),
  terminal: {
    out: (line) => void stdout.write(`${line}\n`),
    error: (line) => void stderr.write(`${line}\n`),
    columns: stdout.isTTY ? stdout.columns : Infinity,
    colours: stdout.isTTY && stderr.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    live: stdout.isTTY && env['TERM'] !== 'dumb' ? liveTerminal() : undefined,
    progress: stderr.isTTY && env['TERM'] !== 'dumb' ? writeOver : undefined,
  },
  readFile,
  readStandardInput: () => readFileSync(0, 'utf8'),
  newKey: randomUUID,
  untilInterrupted,
});

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}

function liveTerminal(): LiveTerminal {
  return {
    write: (text) => void stdout.write(text),
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    onResize(changed) {
      stdout.on('resize', changed);
      return () => void stdout.off('resize', changed);
    },
  };
}

/** The line before is written over; an empty one leaves nothing behind. */
function writeOver(line: string): void {
  stderr.write(`\r${cutEnd(line, Math.max(1, stderr.columns - 1))}\u001B[K`);
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
