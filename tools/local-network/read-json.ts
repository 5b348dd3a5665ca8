import { readFileSync } from 'node:fs';
import { CannotRun } from './cannot-run.ts';

/** The JSON of a file that must be there, after `fillIn` changed its text. Throws CannotRun with one sentence that names the file and the reason. */
export function readJson(file: string, fillIn: (text: string) => string = (text) => text): unknown {
  const text = readText(file);
  try {
    return JSON.parse(fillIn(text));
  } catch (error) {
    throw new CannotRun(
      `${file} is not JSON: ${error instanceof Error ? error.message.replaceAll(/\s+/g, ' ') : String(error)}.`,
    );
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw new CannotRun(
      code === 'ENOENT'
        ? `The file ${file} is missing.`
        : `The file ${file} cannot be read (${code || String(error)}).`,
    );
  }
}
