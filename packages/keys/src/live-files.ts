import { readFileSync, statSync } from 'node:fs';
import { accept, Fault, type Live, refuse, type Result, type TlsCredentials, type TlsFiles } from '@linkspan/protocol';
import { checkGuardedFile, readGuardedFile } from './guarded-file.ts';
import { type KeyFile, readKeyFile } from './key-file.ts';
import { readTlsFiles, type TlsRole } from './tls-files.ts';

/**
 * The files that a configuration names. What can be renewed while the process runs is given as a live value: its files are looked at again, and a
 * new content takes the place of the old one only whole and only after it passed every check that the first one passed.
 */
export type LiveFiles = Disposable & {
  /** A file's text. Throws where it cannot be read. */
  text(path: string): string;
  /** The signers of a key file. Their keys are registered on the ledger, so they change by a call there and a restart, never by themselves. */
  keys(path: string): Result<KeyFile>;
  /** The one line of a file that only its owner can read: a password, a client's secret, a key of an API. */
  secret(path: string): Result<Live<string>>;
  tls(files: TlsFiles, role: TlsRole): Result<Live<TlsCredentials>>;
  /** A program library that this process is to load: it is there, and nobody else can write it. Gives its path. */
  library(path: string): Result<string>;
  /** Looks again once a second, until disposed. */
  watch(): void;
  /** Looks at once, and believes what it finds without waiting for the writer to be done. */
  reread(): void;
  state(): FilesState;
};

export type FilesState = {
  /** What could not be taken over, each a whole sentence; the old content is still in use. */
  readonly broken: readonly string[];
  /** Certificates that are presented, and when they end (UTC milliseconds). */
  readonly certificates: readonly { readonly file: string; readonly endsAtMs: number }[];
};

export type LiveFilesOptions = {
  /** UTC milliseconds. */
  readonly now: () => number;
  /** Learns that new content is in use. */
  readonly onRenewed?: (files: readonly string[]) => void;
  /** Learns why new content is not; once for each reason. */
  readonly onBroken?: (message: string) => void;
};

const LOOK_EVERY_MS = 1_000;
/** A file that keeps changing is read as it is after so many looks. */
const MOST_LOOKS = 10;
const LONGEST_SECRET = 4_096;

export function createLiveFiles(options: LiveFilesOptions): LiveFiles {
  const watched: Watched[] = [];
  let timer: NodeJS.Timeout | undefined;
  const look = (atOnce: boolean): void => {
    for (const one of watched) one.look(atOnce);
  };
  function live<T>(files: readonly string[], read: () => Result<Reading<T>>): Result<Live<T>> {
    const opened = openWatched(files, read, options);
    if (!opened.ok) return opened;
    watched.push(opened.value.watched);
    return accept(opened.value.live);
  }
  return {
    text: (path) => readFileSync(path, 'utf8'),
    keys: (path) => asResult(() => readKeyFile(path)),
    library: (path) =>
      asResult(() => {
        checkGuardedFile(path, 'program library', 'believed');
        return path;
      }),
    secret: (path) => live([path], () => asResult(() => ({ value: readSecret(path) }))),
    tls: (files, role) =>
      live(Object.values(files), () => {
        const read = readTlsFiles(files, role, options.now());
        if (!read.ok) return read;
        const { credentials, endsAtMs } = read.value;
        const certificate = endsAtMs === undefined ? undefined : { file: files.certFile ?? '', endsAtMs };
        return accept({ value: credentials, ...(certificate ? { certificate } : {}) });
      }),
    watch() {
      timer ??= setInterval(() => look(false), LOOK_EVERY_MS).unref();
    },
    reread: () => look(true),
    state: () => ({
      broken: watched.flatMap((one) => one.broken() ?? []),
      certificates: watched.flatMap((one) => one.certificate() ?? []),
    }),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

type Certificate = { readonly file: string; readonly endsAtMs: number };
type Reading<T> = { readonly value: T; readonly certificate?: Certificate };
type Watched = {
  look(atOnce: boolean): void;
  broken(): string | undefined;
  certificate(): Certificate | undefined;
};

function openWatched<T>(
  files: readonly string[],
  read: () => Result<Reading<T>>,
  { onRenewed, onBroken }: LiveFilesOptions,
): Result<{ readonly live: Live<T>; readonly watched: Watched }> {
  let taken = fingerprint(files);
  const first = read();
  if (!first.ok) return first;
  let current = first.value;
  let noticed = taken;
  let looks = 0;
  let broken: string | undefined;
  const listeners = new Set<(value: T) => void>();

  function look(atOnce: boolean): void {
    const print = fingerprint(files);
    if (print === taken) return rest(print);
    // Somebody may be in the middle of writing; what looks the same twice is as it shall be.
    const settled = print === noticed || ++looks >= MOST_LOOKS;
    noticed = print;
    if (!settled && !atOnce) return;
    const reading = read();
    // Changed meanwhile: what was read may be of two writings.
    if (fingerprint(files) !== print) return;
    if (!reading.ok) return refused(reading.refusal.message);
    taken = print;
    rest(print);
    current = reading.value;
    onRenewed?.(files);
    for (const listener of listeners) listener(current.value);
  }
  function rest(print: string): void {
    noticed = print;
    looks = 0;
    broken = undefined;
  }
  /** It is read again at the next look: a certificate may only have to become valid. */
  function refused(why: string): void {
    const message = `What changed in ${files.join(', ')} is not used, the former content stays in use. ${why}`;
    if (message !== broken) onBroken?.(message);
    broken = message;
  }
  const live: Live<T> = {
    current: () => current.value,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return accept({ live, watched: { look, broken: () => broken, certificate: () => current.certificate } });
}

/** What changes whenever a file is written, replaced, or its permissions are changed; also where it is a link that leads elsewhere now. */
function fingerprint(files: readonly string[]): string {
  return files
    .map((file) => {
      try {
        const status = statSync(file, { bigint: true });
        return [status.dev, status.ino, status.size, status.mtimeNs, status.ctimeNs].join(':');
      } catch {
        // Why it cannot be looked at is said when it is read.
        return 'none';
      }
    })
    .join(' ');
}

function readSecret(path: string): string {
  const text = readGuardedFile(path, 'secret', 'secret').replace(/\r?\n$/, '');
  if (text === '' || text.length > LONGEST_SECRET || /[\r\n]/.test(text))
    throw new Fault(
      'configuration-invalid',
      `The secret ${path} is not one line of at most ${LONGEST_SECRET} characters.`,
    );
  return text;
}

function asResult<T>(read: () => T): Result<T> {
  try {
    return accept(read());
  } catch (error) {
    if (error instanceof Fault) return refuse(error.code, error.message);
    throw error;
  }
}
