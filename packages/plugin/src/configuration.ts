import { dirname, resolve } from 'node:path';
import {
  accept,
  type ErrorCode,
  type Live,
  type Problem,
  problem,
  refuse,
  type Result,
  type TlsCredentials,
  type TlsFiles,
} from '@linkspan/protocol';
import { type DocumentReader, isObject } from './document-reader.ts';

/** In development a process may speak without TLS on the loopback address and have secrets in its configuration; in production nothing of the kind. */
export const MODES = ['development', 'production'] as const;
export type Mode = (typeof MODES)[number];

/** The mode that a configuration asks for. One that asks for none that there is, is read as strictly as can be. */
export function modeOf(document: unknown): Mode {
  return isObject(document) && document['mode'] === 'development' ? 'development' : 'production';
}

/** Reads the files that a configuration names. Secrets, certificates and keys are live: they may be renewed while the process runs. */
export type ConfigurationFiles = {
  /** A file's text; throws where it cannot be read. */
  text(path: string): string;
  secret(path: string): Result<Live<string>>;
  /** Problems are at `/certFile`, `/keyFile` and `/caFile`. */
  tls(files: TlsFiles, role: 'server' | 'client'): Result<Live<TlsCredentials>>;
};

export type ConfigurationContext<Files extends ConfigurationFiles = ConfigurationFiles> = {
  readonly mode: Mode;
  /** Where a file lies that is named relative to the configuration. */
  readonly at: (file: string) => string;
  readonly files: Files;
};

/** Where the files lie that the configuration at `path` names. */
export function besides(path: string): (file: string) => string {
  const base = dirname(resolve(path));
  return (file) => resolve(base, file);
}

/** A configuration that names no files, in development. */
export const INLINE_ONLY: ConfigurationContext = {
  mode: 'development',
  at: (file) => file,
  files: {
    text: (path) => {
      throw new TypeError(`no file is read here, nor ${path}`);
    },
    secret: () => refuse('configuration-invalid', 'No file can be named here.'),
    tls: () => refuse('configuration-invalid', 'No file can be named here.'),
  },
};

export function readJsonFile(files: Pick<ConfigurationFiles, 'text'>, path: string): Result<unknown> {
  let text: string;
  try {
    text = files.text(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return refuse('configuration-invalid', `${path} cannot be read${code}.`);
  }
  try {
    return accept(JSON.parse(text));
  } catch {
    return refuse('configuration-invalid', `${path} is not JSON.`);
  }
}

/** For a member that names a file: what the file holds. Its problems name the file, since pointers lead into the configuration. */
export function inFile<T>(
  { files, at }: Pick<ConfigurationContext, 'files' | 'at'>,
  parseContent: (value: unknown) => Result<T>,
): (member: unknown) => Result<T> {
  return (member) => {
    if (typeof member !== 'string' || member === '')
      return refuse('configuration-invalid', 'The name of a file is needed here.');
    const file = at(member);
    const document = readJsonFile(files, file);
    if (!document.ok) return document;
    const parsed = parseContent(document.value);
    if (parsed.ok) return parsed;
    const problems = (parsed.refusal.problems ?? []).map((one): Problem =>
      problem('', one.code, `In ${file} at ${one.pointer || 'the top'}: ${one.message}`),
    );
    return refuse('configuration-invalid', parsed.refusal.message, problems.length > 0 ? { problems } : {});
  };
}

/** Hosts that lead nowhere but into this machine. A name that merely begins like such an address is none. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const FILE = 'the name of a file';

/** Certificate and key that are presented, and the authorities that are believed. All three are needed for mutual TLS. */
export function readMutualTls(
  tls: DocumentReader,
  { files, at }: ConfigurationContext,
  role: 'server' | 'client',
): Live<TlsCredentials> | undefined {
  const [certFile, keyFile, caFile] = [
    tls.text('certFile', undefined, FILE),
    tls.text('keyFile', undefined, FILE),
    tls.text('caFile', undefined, FILE),
  ];
  if (certFile === '' || keyFile === '' || caFile === '') return undefined;
  return take(tls, files.tls({ certFile: at(certFile), keyFile: at(keyFile), caFile: at(caFile) }, role));
}

/** How a client takes part in TLS: authorities other than those that Node believes anyway, and a certificate where the server asks for one. */
export function readClientTls(
  tls: DocumentReader,
  { files, at }: ConfigurationContext,
): Live<TlsCredentials> | undefined {
  const named = (name: string): string | undefined => tls.optionalText(name, undefined, FILE);
  const [certFile, keyFile, caFile] = [named('certFile'), named('keyFile'), named('caFile')];
  if ((certFile === undefined) !== (keyFile === undefined))
    return tls.fail(certFile === undefined ? 'certFile' : 'keyFile', 'Certificate and key only come together.');
  return take(
    tls,
    files.tls(
      {
        ...(certFile === undefined ? {} : { certFile: at(certFile) }),
        ...(keyFile === undefined ? {} : { keyFile: at(keyFile) }),
        ...(caFile === undefined ? {} : { caFile: at(caFile) }),
      },
      'client',
    ),
  );
}

/** The member `tls` of something that is reached at `url`, which must be an https address then. */
export function readTlsTowards(
  reader: DocumentReader,
  url: string,
  context: ConfigurationContext,
): Live<TlsCredentials> | undefined {
  const tls = reader.optionalObject('tls');
  if (!tls) return undefined;
  if (url.startsWith('http:')) reader.fail('tls', `TLS is configured, but ${url} is asked without it: write https.`);
  return readClientTls(tls, context);
}

/** A secret: in a file that only its owner can read, or, in development, in the configuration itself under `inlineName`. */
export function readSecret(
  reader: DocumentReader,
  inlineName: string,
  fileName: string,
  { mode, files, at }: ConfigurationContext,
): Live<string> | undefined {
  const file = reader.optionalText(fileName, undefined, FILE);
  const inline = reader.optionalText(inlineName, undefined, 'a secret; in development only');
  if (file !== undefined && inline !== undefined)
    return reader.fail(inlineName, `Either "${inlineName}" or "${fileName}", not both.`);
  if (file !== undefined) {
    const secret = files.secret(at(file));
    if (secret.ok) return secret.value;
    return reader.fail(fileName, secret.refusal.message);
  }
  if (inline === undefined) return reader.fail(fileName, `"${fileName}" is missing.`);
  if (mode !== 'development')
    return reader.fail(
      inlineName,
      `Outside development a secret stands in no configuration. Put it into a file of its own, chmod 600, and name it as "${fileName}".`,
    );
  return { current: () => inline, onChange: () => () => undefined };
}

/** An address to ask at. Without TLS it must be on this machine, and outside development not even there, unless `plainOnLoopback` says so. */
export function readUrl(
  reader: DocumentReader,
  name: string,
  { mode }: Pick<ConfigurationContext, 'mode'>,
  options: { readonly origin?: true; readonly plainOnLoopback?: true } = {},
): string {
  const url = reader.text(name, options.origin ? ORIGIN : ADDRESS);
  const why = whyUnsafe(url, mode, options.plainOnLoopback);
  if (why !== undefined) reader.fail(name, why);
  return url;
}

/** Why an address may not be used, or undefined. What is no address is none of its business. */
function whyUnsafe(url: string, mode: Mode, plainOnLoopback?: true): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, username, password } = new URL(url);
  if (username !== '' || password !== '') return 'A password stands in no address: others see addresses.';
  if (protocol === 'https:') return undefined;
  if (!isLoopback(hostname)) return `${url} is on another machine, so it needs https.`;
  return mode === 'development' || plainOnLoopback ? undefined : `Outside development ${url} needs https.`;
}

const ADDRESS = {
  pattern: /^https?:\/\/[^\s/?#]+(?:\/\S*)?$/,
  words: 'an http or https address',
};
const ORIGIN = {
  pattern: /^https?:\/\/[^\s/?#]+\/?$/,
  words: 'the address of a server, such as https://csd-b.example:9100',
};

function take<T>(tls: DocumentReader, result: Result<T>): T | undefined {
  if (result.ok) return result.value;
  tls.includeHere(result);
  return undefined;
}

/** What is wrong with a configuration, one problem a line, for people. */
export function problemLines(
  path: string,
  refusal: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly problems?: readonly Problem[];
  },
): string[] {
  const { problems = [] } = refusal;
  if (problems.length === 0) return [`${path}: ${refusal.message}`];
  return problems.map(({ pointer, code, message }) => `${path} ${pointer || '/'} ${code}: ${message}`);
}
