import type { z } from 'zod';

/** A reason why the local network cannot run, in one sentence for the person at the terminal. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

/** What to print of a failure: a sentence where somebody foresaw it, and everything where nobody did. `directory` is where files are written. */
export function sentenceOf(error: unknown, directory: string): string {
  if (!(error instanceof Error)) return String(error);
  if (SPOKEN.has(error.name)) {
    const why = error.cause instanceof Error ? REASONS[systemError(error.cause).code] : undefined;
    return why === undefined ? error.message : `${error.message.replace(/\.+$/, '')}: ${why}.`;
  }
  const { code, path } = systemError(error);
  const reason = REASONS[code];
  if (reason !== undefined) return `${path ?? directory} cannot be written: ${reason}.`;
  if (code.startsWith('ERR_PARSE_ARGS'))
    return `${error.message.split('. ')[0]?.replace(/\.$/, '')}. Options: npm start -- --help`;
  return error.stack ?? error.message;
}

/** What is wrong with a file's content, in one sentence that names the file and the places in it. */
export function unusable(file: string, { issues }: z.ZodError): CannotRun {
  const places = issues.map(
    ({ path, message }) => `${path.length === 0 ? 'the whole' : `/${path.join('/')}`}: ${message}`,
  );
  return new CannotRun(`${file} cannot be used: ${places.join('; ')}.`);
}

/** `CannotRun`, what a child process said, and the product's own faults, which are sentences for operators. */
const SPOKEN = new Set(['CannotRun', 'ChildFailed', 'Fault']);

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file would become too large',
  EIO: 'the disk fails',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'a part of the path is no directory',
  EEXIST: 'it is no directory',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
};

function systemError(error: Error): { readonly code: string; readonly path: string | undefined } {
  const code = 'code' in error ? String(error.code) : '';
  return { code, path: 'path' in error && typeof error.path === 'string' ? error.path : undefined };
}
