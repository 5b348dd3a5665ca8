import { execFile } from 'node:child_process';
import { Fault } from '@linkspan/protocol';

const TIMEOUT_MS = 60_000;

/** Runs one of Fabric's programs to its end and gives what it said. Throws a Fault with its last words where it fails. */
export function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, timeout: TIMEOUT_MS, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else
        reject(
          new Fault('internal', `${nameOf(program)} ${args[0] ?? ''} failed: ${lastWords(stderr) || error.message}`, {
            cause: error,
          }),
        );
    });
  });
}

function nameOf(program: string): string {
  return program.split(/[\\/]/).at(-1) ?? program;
}

function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => line.startsWith('Error')) ?? lines.at(-1) ?? '').trim();
}
