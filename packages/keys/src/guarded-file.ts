import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { Fault } from '@linkspan/protocol';

/** A secret file may be used by its owner alone; what is only believed (certificates, authorities) may be read by all, but written by its owner alone. */
export type Guard = 'secret' | 'believed';

/**
 * The text of a file whose permissions were checked: it belongs to this process's user or to root, and others cannot do with it what they should
 * not. Throws a Fault `configuration-invalid` that says what is wrong and what mends it. `what` is the file's kind in words, such as "key file".
 */
export function readGuardedFile(path: string, what: string, guard: Guard): string {
  return withGuardedFile(path, what, guard, (file, status) => {
    if (status.size > LARGEST_BYTES)
      throw new Fault(
        'configuration-invalid',
        `The ${what} ${path} has ${status.size} bytes, more than any such file needs.`,
      );
    return readFileSync(file, 'utf8');
  });
}

/** The same checks on a file that somebody else reads. */
export function checkGuardedFile(path: string, what: string, guard: Guard): void {
  withGuardedFile(path, what, guard, () => undefined);
}

function withGuardedFile<T>(path: string, what: string, guard: Guard, use: (file: number, status: Stats) => T): T {
  let file: number | undefined;
  try {
    // Not to wait for a writer, where the path is a pipe.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    // Asked of the open file, so that nobody can exchange it between the check and the reading.
    const status = fstatSync(file);
    refuseUnguarded(path, what, guard, status);
    return use(file, status);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new Fault('configuration-invalid', `The ${what} ${path} cannot be read${code}.`, { cause });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Far more than any bundle of authorities has. */
const LARGEST_BYTES = 4 * 1024 * 1024;

function refuseUnguarded(path: string, what: string, guard: Guard, status: Stats): void {
  const wrong = (words: string): Fault => new Fault('configuration-invalid', `The ${what} ${path} ${words}`);
  if (!status.isFile()) throw wrong('is no regular file.');
  // Windows guards files by lists that Node does not show.
  if (process.platform === 'win32') return;
  const user = process.getuid?.() ?? 0;
  if (status.uid !== user && status.uid !== 0)
    throw wrong(
      `belongs to user ${status.uid}, who can exchange it, and not to this process's user ${user} or to root. Run: chown ${user} ${path}`,
    );
  const octal = (status.mode & 0o777).toString(8).padStart(4, '0');
  if (guard === 'secret' && (status.mode & 0o077) !== 0)
    throw wrong(`has mode ${octal}: others can use it. Run: chmod 600 ${path}`);
  if (guard === 'believed' && (status.mode & 0o022) !== 0)
    throw wrong(`has mode ${octal}: others can write it. Run: chmod go-w ${path}`);
}
