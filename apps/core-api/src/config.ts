import type { KeyFile } from '@linkspan/keys';
import {
  besides,
  type ConfigurationContext,
  type ConfigurationFiles,
  type DocumentReader,
  inFile,
  isLoopback,
  type Mode,
  modeOf,
  MODES,
  PEER_NAME,
  readDocument,
  readJsonFile,
  readMutualTls,
  readUrl,
  type ValidatorEndpoint,
} from '@linkspan/plugin';
import {
  type CallBody,
  type Genesis,
  genesisSchema,
  type Hash,
  type Live,
  networkId,
  parse,
  type Result,
  type SigningKey,
  signingKeySchema,
  type TlsCredentials,
} from '@linkspan/protocol';
import { type AuthenticationConfig, readAuthentication } from './authentication/authentication-config.ts';
import { DEFAULT_LIMITS, type Limits } from './client-limits.ts';
import { type LedgerConfig, readLedger } from './ledger-config.ts';
import { parseRegister } from './register-file.ts';

/** What one process needs to serve organisations on one ledger. */
export type CoreApiConfig = {
  readonly mode: Mode;
  readonly network: Hash;
  readonly genesis: Genesis;
  readonly ledger: LedgerConfig;
  /** The other organisations, and those that run here where others reach them by another address than the one that is listened on. */
  readonly peers: Readonly<Record<string, PeerConfig>>;
  readonly organisations: readonly OrganisationConfig[];
  readonly limits: Limits;
  readonly logLevel: string;
};

/** The base URL of an organisation's API, and the name in its certificates, both the one that it serves with and the one that it asks with. */
export type PeerConfig = { readonly url?: string | undefined; readonly name?: string | undefined };

export type OrganisationConfig = {
  readonly id: string;
  readonly listen: ListenConfig;
  /** What the organisation presents to other organisations when it asks them, and the authorities that it believes there. */
  readonly client?: Live<TlsCredentials> | undefined;
  readonly keyFile: string;
  /** Keys that a change of the network puts in the place of the others, or has put there. */
  readonly nextKeyFile?: string | undefined;
  /** What says who is a member, and with which keys. */
  readonly keysFrom?: 'genesis' | 'ledger' | undefined;
  readonly journal: string;
  /** What the organisation registers at start. */
  readonly register: readonly CallBody[];
  readonly systems: readonly SystemConfig[];
  /** Every certificate that it presents, to whomever: its own, and nobody else's of this process. */
  readonly certificateFiles: readonly string[];
  /** Whose access tokens its API accepts. */
  readonly authentication: AuthenticationConfig;
};

/** `tls` has the server's credentials, and the authorities of the other organisations' certificates. */
export type ListenConfig = {
  readonly host: string;
  readonly port: number;
  readonly tls?: Live<TlsCredentials> | undefined;
};

export type SystemConfig = { readonly id: string; readonly validators: readonly ValidatorEndpoint[] };

/** Reads what the configuration names. */
export type Files = ConfigurationFiles & {
  keys(path: string): Result<KeyFile>;
  /** The path of a program library that may be loaded. */
  library(path: string): Result<string>;
};
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the configuration file
 * `{ mode, network: { genesis: FILE }, ledger: { kind: "embedded", directory } | { kind: "fabric", … }, peers: { ORGANISATION: { url?, name? } }, organisations: [{ id,
 * listen: { host?, port, tls?: { certFile, keyFile, caFile } }, client?: { certFile, keyFile, caFile }, keyFile, nextKeyFile?, keysFrom?, journal: FILE, register: FILE,
 * systems: [{ id, tls?: { certFile, keyFile, caFile }, validators: [{ key, nextKey?, url, name? }] }], authentication: { kind: "issuer", issuer: URL, audience,
 * jwks: URL } | { kind: "development", clients: FILE, keys: FILE, audience? } }], limits?: { requestsPerSecond, burst, concurrent }, logLevel? }`
 * and every file that it names, whose paths are relative to it; all problems are reported at once. `LINKSPAN_LOG_LEVEL` overrides the log level.
 */
export function loadConfig(env: Environment, files: Files, path: string): Result<CoreApiConfig> {
  const document = readJsonFile(files, path);
  if (!document.ok) return document;
  const reader = readDocument(document.value);
  const build = readCoreApi(reader, { mode: modeOf(document.value), at: besides(path), files }, env);
  return reader.finish('configuration-invalid', build);
}

/** Asks a reader for every member; what it returns makes the configuration where nothing was wrong. */
export function readCoreApi(
  reader: DocumentReader,
  context: ConfigurationContext<Files>,
  env: Environment,
): () => CoreApiConfig {
  const mode = reader.choice('mode', MODES);
  const genesis = reader.object('network').parsed('genesis', inFile(context, parseGenesis), 'the name of a file');
  const ledger = readLedger(reader.object('ledger'), context);
  const readers = reader.objects('organisations');
  const organisations = readers.map((one) => readOrganisation(one, context, genesis));
  const peers = Object.fromEntries(
    reader
      .entries('peers')
      .map(([id, peer]) => [id, readPeer(peer, context, !organisations.some((one) => one.id === id))]),
  );
  const limits = readLimits(reader.optionalObject('limits'));
  const given = reader.choice('logLevel', LOG_LEVELS, 'warn');
  const logLevel = LOG_LEVELS.find((level) => level === env['LINKSPAN_LOG_LEVEL']) ?? given;
  checkOrganisations(reader, organisations);
  checkPeers(reader, { mode, genesis, organisations, peers });
  return () => {
    if (!genesis) throw new TypeError('a configuration without problems has a genesis');
    return deepFreeze({ mode, network: networkId(genesis), genesis, ledger, peers, organisations, limits, logLevel });
  };
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const IDENTIFIER = { pattern: /^[a-z][a-z0-9-]{0,47}$/, words: 'lower-case letters, digits and hyphens' };
const FILE = 'the name of a file';

/** At least one a second, so that `Retry-After: 1` is true. */
function readLimits(reader: DocumentReader | undefined): Limits {
  if (!reader) return DEFAULT_LIMITS;
  const range = { min: 1, max: 1_000_000 };
  return {
    requestsPerSecond: reader.integer('requestsPerSecond', range),
    burst: reader.integer('burst', range),
    concurrent: reader.integer('concurrent', range),
  };
}

function readPeer(peer: DocumentReader, context: ConfigurationContext, isElsewhere: boolean): PeerConfig {
  const url = isElsewhere || peer.has('url') ? readUrl(peer, 'url', context, { origin: true }) : undefined;
  return { url, name: peer.optionalText('name', PEER_NAME) };
}

function readOrganisation(
  reader: DocumentReader,
  context: ConfigurationContext<Files>,
  genesis: Genesis | undefined,
): OrganisationConfig {
  const { mode, at, files } = context;
  const certificateFiles = new Set<string>();
  const own = notingCertificates(context, certificateFiles);
  const id = reader.text('id', IDENTIFIER);
  const listen = readListen(reader.object('listen'), own);
  const client = reader.objectIf(
    mode !== 'development' || listen.tls !== undefined,
    'client',
    'Other organisations ask for a certificate: give certFile, keyFile and caFile.',
  );
  const keyFile = at(reader.text('keyFile', undefined, 'the name of a key file with both keys of the organisation'));
  // What the genesis says of keys holds until the network changes them; from then on only the ledger knows.
  const keysFrom = reader.choice('keysFrom', ['genesis', 'ledger'], 'genesis');
  const named = keysFrom === 'genesis' ? genesis : undefined;
  if (reader.has('keyFile')) {
    const wrong = whyNotKeysOf(named, id, keyFile, files.keys(keyFile));
    if (wrong !== undefined) reader.fail('keyFile', wrong);
  }
  const nextKeyFile = reader.has('nextKeyFile') ? at(reader.text('nextKeyFile', undefined, FILE)) : undefined;
  if (nextKeyFile !== undefined) {
    const wrong = whyNotKeysOf(undefined, id, nextKeyFile, files.keys(nextKeyFile));
    if (wrong !== undefined) reader.fail('nextKeyFile', wrong);
  }
  return {
    id,
    listen,
    client: client && readMutualTls(client, own, 'client'),
    keyFile,
    nextKeyFile,
    keysFrom,
    journal: at(reader.text('journal', undefined, FILE)),
    register: reader.parsed('register', inFile(context, parseRegister), FILE) ?? [],
    systems: reader.objects('systems').map((system) => readSystem(system, own)),
    authentication: readAuthentication(reader.object('authentication'), own, id),
    certificateFiles: [...certificateFiles],
  };
}

/** The same context, which notes the certificates that are read through it. */
function notingCertificates(context: ConfigurationContext<Files>, noted: Set<string>): ConfigurationContext<Files> {
  const { files } = context;
  const tls: Files['tls'] = (named, role) => {
    if (named.certFile !== undefined) noted.add(named.certFile);
    return files.tls(named, role);
  };
  return { ...context, files: { ...files, tls } };
}

function readListen(listen: DocumentReader, context: ConfigurationContext): ListenConfig {
  const host = listen.textOr('host', '127.0.0.1');
  const port = listen.integer('port', { min: 0, max: 65_535 });
  const tls = listen.objectIf(
    context.mode !== 'development' || !isLoopback(host),
    'tls',
    'TLS may be left out in development on a loopback address only: give certFile, keyFile and caFile.',
  );
  return { host, port, tls: tls && readMutualTls(tls, context, 'server') };
}

/** With others than those that the genesis names, nothing that the organisation says would be accepted. */
function whyNotKeysOf(
  genesis: Genesis | undefined,
  id: string,
  file: string,
  keys: Result<KeyFile>,
): string | undefined {
  if (!keys.ok) return keys.refusal.message;
  if (!genesis) return undefined;
  const member = genesis.organisations.find((one) => one.id === id);
  if (!member) return `The genesis has no organisation ${id}.`;
  const { ed25519, secp256k1 } = keys.value;
  if (ed25519?.key === member.callKey && secp256k1?.key === member.certificateKey) return undefined;
  return `The key file ${file} does not hold the two keys of ${id} that the genesis names.`;
}

function readSystem(reader: DocumentReader, context: ConfigurationContext): SystemConfig {
  const id = reader.text('id', IDENTIFIER);
  const validators = reader.objects('validators').flatMap((one) => {
    const key = one.parsed('key', parseSigningKey, 'an Ed25519 key');
    const nextKey = one.optional('nextKey', parseSigningKey, 'an Ed25519 key');
    const url = readUrl(one, 'url', context, { origin: true });
    const name = one.optionalText('name', PEER_NAME);
    // Asked under either key, it answers under the one that it has; the ledger says whose word counts.
    return [key, nextKey].flatMap((each) => (each ? [{ key: each, url, name }] : []));
  });
  const members = reader.objectIf(
    context.mode !== 'development' || validators.some(({ url }) => url.startsWith('https:')),
    'tls',
    'Validators ask for a certificate: give certFile, keyFile and caFile.',
  );
  const tls = members && readMutualTls(members, context, 'client');
  return { id, validators: validators.map((one) => ({ ...one, tls })) };
}

function parseSigningKey(value: unknown): Result<SigningKey> {
  return parse(signingKeySchema, value, 'configuration-invalid');
}

function checkOrganisations(reader: DocumentReader, organisations: readonly OrganisationConfig[]): void {
  if (organisations.length === 0) reader.fail('organisations', 'At least one organisation is needed.');
  for (const twice of repeated(organisations.map(({ id }) => id)))
    reader.fail('organisations', `${twice} is there twice.`);
}

/**
 * Every organisation of the network is reachable, and where there is TLS it is known by the name in its certificates. Whoever has left the network
 * need not be: where the ledger says who is a member, the genesis does not.
 */
function checkPeers(
  reader: DocumentReader,
  {
    mode,
    genesis,
    organisations,
    peers,
  }: Pick<CoreApiConfig, 'mode' | 'organisations' | 'peers'> & { readonly genesis: Genesis | undefined },
): void {
  const isNamed = mode !== 'development' || organisations.some(({ listen }) => listen.tls !== undefined);
  const ids = organisations.some(({ keysFrom }) => keysFrom === 'ledger')
    ? new Set([...organisations.map(({ id }) => id), ...Object.keys(peers)])
    : (genesis?.organisations ?? []).map(({ id }) => id);
  for (const id of ids) {
    if (!peers[id] && !organisations.some((one) => one.id === id))
      reader.fail('peers', `The address of ${id} is missing, which does not run here.`);
    if (isNamed && peers[id]?.name === undefined)
      reader.fail(`peers/${id}/name`, `The name in the certificates of ${id} is missing: by it alone it is known.`);
  }
  const names = Object.values(peers).flatMap(({ name }) => name ?? []);
  for (const twice of repeated(names)) reader.fail('peers', `${twice} is the name of two organisations.`);
}

function parseGenesis(value: unknown): Result<Genesis> {
  return parse(genesisSchema, value, 'configuration-invalid');
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
