import { dirname, resolve } from 'node:path';
import { type DocumentReader, readDocument, type ValidatorEndpoint } from '@linkspan/plugin';
import {
  accept,
  type CallBody,
  callBodySchema,
  type Genesis,
  genesisSchema,
  type Hash,
  networkId,
  parse,
  type Problem,
  problem,
  refuse,
  type Result,
  signingKeySchema,
} from '@linkspan/protocol';
import { DEFAULT_LIMITS, type Limits } from './client-limits.ts';

/** What one process needs to serve organisations on one ledger. */
export type CoreApiConfig = {
  readonly mode: 'development';
  readonly network: Hash;
  readonly genesis: Genesis;
  readonly ledger: { readonly kind: 'embedded'; readonly directory: string };
  /** The base URLs of the APIs of organisations that do not run here. */
  readonly peers: Readonly<Record<string, string>>;
  readonly organisations: readonly OrganisationConfig[];
  readonly limits: Limits;
  readonly logLevel: string;
};

export type OrganisationConfig = {
  readonly id: string;
  readonly port: number;
  readonly keyFile: string;
  readonly journal: string;
  /** What the organisation registers at start. */
  readonly register: readonly CallBody[];
  readonly systems: readonly SystemConfig[];
};

export type SystemConfig = { readonly id: string; readonly validators: readonly ValidatorEndpoint[] };

/** Gives a file's text, or throws. */
export type ReadFile = (path: string) => string;
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration file
 * `{ mode, network: { genesis: FILE }, ledger: { kind: "embedded", directory }, peers: { ORGANISATION: URL }, organisations: [{ id, port, keyFile,
 * journal: FILE, register: FILE, systems: [{ id, validators: [{ key, url }] }] }], limits?: {
 * requestsPerSecond, burst, concurrent }, logLevel? }` and the files that it names, whose paths are relative to it.
 * Pure but for `readFile`; every problem is reported at once. `LINKSPAN_LOG_LEVEL` overrides the log level.
 *
 * `mode` can only be `development`: this API knows no clients yet and listens on the loopback address alone.
 */
export function loadConfig(env: Environment, readFile: ReadFile, path: string): Result<CoreApiConfig> {
  const document = readJson(readFile, path);
  if (!document.ok) return document;
  const base = dirname(resolve(path));
  const at = (file: string): string => resolve(base, file);
  const reader = readDocument(document.value);
  const mode = reader.choice('mode', ['development']);
  const genesis = reader
    .object('network')
    .parsed('genesis', (file) => readFileMember(readFile, at, file, parseGenesis));
  const ledger = readLedger(reader.object('ledger'), at);
  const peers = reader.object('peers').allTexts();
  const organisations = reader.objects('organisations').map((one) => readOrganisation(one, readFile, at));
  const limits = reader.has('limits') ? readLimits(reader.object('limits')) : DEFAULT_LIMITS;
  const given = reader.has('logLevel') ? reader.choice('logLevel', LOG_LEVELS) : 'warn';
  const logLevel = LOG_LEVELS.find((level) => level === env['LINKSPAN_LOG_LEVEL']) ?? given;
  if (organisations.length === 0) reader.fail('organisations', 'At least one organisation is needed.');
  for (const twice of repeated(organisations.map(({ id }) => id)))
    reader.fail('organisations', `${twice} is there twice.`);
  for (const [organisation, url] of Object.entries(peers)) {
    if (!WEB_ADDRESS.pattern.test(url)) reader.fail(`peers/${organisation}`, `"${url}" is not ${WEB_ADDRESS.words}.`);
  }
  const reachable = [...organisations.map(({ id }) => id), ...Object.keys(peers)];
  for (const { id } of genesis?.organisations ?? []) {
    if (!reachable.includes(id)) reader.fail('peers', `The address of ${id} is missing, which does not run here.`);
  }
  return reader.finish('configuration-invalid', () => {
    if (!genesis) throw new TypeError('a configuration without problems has a genesis');
    return deepFreeze({ mode, network: networkId(genesis), genesis, ledger, peers, organisations, limits, logLevel });
  });
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const IDENTIFIER = { pattern: /^[a-z][a-z0-9-]{0,47}$/, words: 'lower-case letters, digits and hyphens' };
const WEB_ADDRESS = {
  pattern: /^https?:\/\/[^\s/?#]+\/?$/,
  words: 'the address of a server, such as http://127.0.0.1:9100',
};

function readLedger(reader: DocumentReader, at: (file: string) => string): CoreApiConfig['ledger'] {
  const kind = reader.choice('kind', ['embedded']);
  return { kind, directory: at(reader.text('directory')) };
}

/** At least one a second, so that `Retry-After: 1` is true. */
function readLimits(reader: DocumentReader): Limits {
  const range = { min: 1, max: 1_000_000 };
  return {
    requestsPerSecond: reader.integer('requestsPerSecond', range),
    burst: reader.integer('burst', range),
    concurrent: reader.integer('concurrent', range),
  };
}

function readOrganisation(
  reader: DocumentReader,
  readFile: ReadFile,
  at: (file: string) => string,
): OrganisationConfig {
  return {
    id: reader.text('id', IDENTIFIER),
    port: reader.integer('port', { min: 0, max: 65_535 }),
    keyFile: at(reader.text('keyFile')),
    journal: at(reader.text('journal')),
    register: reader.parsed('register', (file) => readFileMember(readFile, at, file, parseRegister)) ?? [],
    systems: reader.objects('systems').map(readSystem),
  };
}

function readSystem(reader: DocumentReader): SystemConfig {
  const id = reader.text('id', IDENTIFIER);
  const validators = reader.objects('validators').flatMap((one) => {
    const key = one.parsed('key', (value) => parse(signingKeySchema, value, 'configuration-invalid'));
    const url = one.text('url', WEB_ADDRESS);
    return key ? [{ key, url }] : [];
  });
  return { id, validators };
}

/** A member that names a file: what the file holds. Its problems name the file, since pointers lead into this document. */
function readFileMember<T>(
  readFile: ReadFile,
  at: (file: string) => string,
  member: unknown,
  parseContent: (value: unknown) => Result<T>,
): Result<T> {
  if (typeof member !== 'string' || member === '')
    return refuse('configuration-invalid', 'The name of a file is needed here.');
  const file = at(member);
  const document = readJson(readFile, file);
  if (!document.ok) return document;
  const parsed = parseContent(document.value);
  if (parsed.ok) return parsed;
  const problems = (parsed.refusal.problems ?? []).map((one): Problem =>
    problem('', one.code, `In ${file} at ${one.pointer || 'the top'}: ${one.message}`),
  );
  return refuse('configuration-invalid', parsed.refusal.message, problems.length > 0 ? { problems } : {});
}

function parseGenesis(value: unknown): Result<Genesis> {
  return parse(genesisSchema, value, 'configuration-invalid');
}

function parseRegister(value: unknown): Result<CallBody[]> {
  if (!Array.isArray(value)) return refuse('configuration-invalid', 'A list of calls is needed.');
  const bodies: CallBody[] = [];
  const problems: Problem[] = [];
  for (const [i, one] of value.entries()) {
    const body = parse(callBodySchema, one, 'configuration-invalid');
    if (body.ok) bodies.push(body.value);
    else problems.push(...(body.refusal.problems ?? []).map((each) => ({ ...each, pointer: `/${i}${each.pointer}` })));
  }
  return problems.length === 0
    ? accept(bodies)
    : refuse('configuration-invalid', 'Calls have the wrong form.', { problems });
}

function readJson(readFile: ReadFile, path: string): Result<unknown> {
  let text: string;
  try {
    text = readFile(path);
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

function repeated(values: readonly string[]): string[] {
  return values.filter((value, i) => values.indexOf(value) !== i);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member);
    Object.freeze(value);
  }
  return value;
}
