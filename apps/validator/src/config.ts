import { type Hash, hashSchema, type Live, parse, type Result, type TlsCredentials } from '@linkspan/protocol';
import {
  besides,
  type ConfigurationContext,
  type ConfigurationFiles,
  type ConnectorFactory,
  type DocumentReader,
  isLoopback,
  type Mode,
  modeOf,
  MODES,
  PEER_NAME,
  readConnector,
  readDocument,
  readJsonFile,
  readMutualTls,
} from '@linkspan/plugin';
import type { KeyFile } from '@linkspan/keys';

/** What a validator needs to run. `connector` opens the way to its system. */
export type ValidatorConfig = {
  readonly mode: Mode;
  readonly network: Hash;
  readonly system: string;
  readonly listen: Listen;
  readonly keyFile: string;
  readonly logLevel: string;
  readonly mostOperations: number;
  readonly connector: ConnectorFactory;
};

export type Listen = { readonly host: string; readonly port: number; readonly tls: MutualTls | undefined };

/** The server's credentials, and the names in the certificates of those who may have operations executed. */
export type MutualTls = { readonly credentials: Live<TlsCredentials>; readonly clients: readonly string[] };

/** Reads what the configuration names; the signers of key files only to see whether they could be used. */
export type Files = ConfigurationFiles & { keys(path: string): Result<KeyFile> };
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads `{ mode, network, system, listen: { host?, port, tls?: { certFile, keyFile, caFile, clients: [NAME] } }, keyFile, connector: { kind, … },
 * logLevel?, mostOperations? }` and every file that it names, relative to it; all problems are reported at once. Outside development, or beyond this
 * machine, mutual TLS is demanded: without it anybody who reaches the port could have operations executed. `LINKSPAN_LOG_LEVEL` overrides the log
 * level.
 */
export async function loadConfig(env: Environment, files: Files, path: string): Promise<Result<ValidatorConfig>> {
  const document = readJsonFile(files, path);
  if (!document.ok) return document;
  const reader = readDocument(document.value);
  const context = { mode: modeOf(document.value), at: besides(path), files };
  const config = readValidator(reader, context, env);
  let read: Result<ConnectorFactory> | undefined;
  const given = reader.parsed('connector', (value) => ({ ok: true, value }));
  if (given !== undefined) {
    read = await readConnector(config.system || 'system', given, context);
    reader.include('connector', read);
  }
  return reader.finish('configuration-invalid', () => {
    const { network } = config;
    if (!network || !read?.ok) throw new TypeError('a configuration without problems has a network and a connector');
    return Object.freeze({ ...config, network, connector: read.value });
  });
}

/** Asks a reader for every member but the connector. */
export function readValidator(reader: DocumentReader, context: ConfigurationContext<Files>, env: Environment) {
  const { files, at } = context;
  const mode = reader.choice('mode', MODES);
  const network = reader.parsed(
    'network',
    (value) => parse(hashSchema, value, 'configuration-invalid'),
    'a network id',
  );
  const system = reader.text('system', { pattern: /^[a-z][a-z0-9-]{0,47}$/, words: 'a system id, such as fcy-evm' });
  const listen = readListen(reader.object('listen'), context);
  const keyFile = at(reader.text('keyFile', undefined, 'the name of a key file with an Ed25519 key'));
  if (reader.has('keyFile')) checkKey(reader, files.keys(keyFile), keyFile);
  const given = reader.choice('logLevel', LOG_LEVELS, 'warn');
  const logLevel = LOG_LEVELS.find((level) => level === env['LINKSPAN_LOG_LEVEL']) ?? given;
  const mostOperations = reader.integer('mostOperations', { min: 1, max: 100_000, otherwise: 5_000 });
  return { mode, network, system, listen, keyFile, logLevel, mostOperations };
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

function checkKey(reader: DocumentReader, keys: Result<KeyFile>, file: string): void {
  if (!keys.ok) reader.fail('keyFile', keys.refusal.message);
  else if (!keys.value.ed25519)
    reader.fail('keyFile', `The key file ${file} holds no Ed25519 key to sign statements with.`);
}

function readListen(listen: DocumentReader, context: ConfigurationContext): Listen {
  const host = listen.textOr('host', '127.0.0.1');
  const port = listen.integer('port', { min: 0, max: 65_535 });
  const tls = listen.objectIf(
    context.mode !== 'development' || !isLoopback(host),
    'tls',
    'Mutual TLS may be left out in development on a loopback address only: give certFile, keyFile, caFile and clients.',
  );
  if (!tls) return { host, port, tls: undefined };
  const credentials = readMutualTls(tls, context, 'server');
  const clients = tls.texts('clients', PEER_NAME);
  // Nobody named is no way to say everybody.
  if (tls.has('clients') && clients.length === 0)
    tls.fail(
      'clients',
      'At least one name of a client is needed: who has a certificate of the authority is not enough.',
    );
  return { host, port, tls: credentials ? { credentials, clients } : undefined };
}
