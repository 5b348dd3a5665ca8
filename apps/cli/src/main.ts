#!/usr/bin/env node
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { run } from './run.ts';

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
    colours: stdout.isTTY && stderr.isTTY && !env['NO_COLOR'],
  },
  readFile,
  readStandardInput: () => readFileSync(0, 'utf8'),
  newKey: randomUUID,
});

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}
