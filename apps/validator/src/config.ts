import { accept, type Hash, hashSchema, parse, refuse, type Result } from '@linkspan/protocol';
import { type ConnectorFactory, type DocumentReader, readConnector, readDocument } from '@linkspan/plugin';

/** What a validator needs to run. `connector` opens the way to its system. */
export type ValidatorConfig = {
  readonly mode: 'development' | 'production';
  readonly network: Hash;
  readonly system: string;
  readonly listen: { readonly host: string; readonly port: number; readonly tls: TlsFiles | undefined };
  readonly keyFile: string;
  readonly logLevel: string;
  readonly mostOperations: number;
  readonly connector: ConnectorFactory;
};

/** PEM texts: the server's certificate and key, and the authority whose clients may ask. */
export type TlsFiles = { readonly cert: string; readonly key: string; readonly ca: string };

export type ReadFile = (path: string) => string;

/**
 * Reads `{ mode, network, system, listen: { host?, port, tls?: { certFile, keyFile, caFile } }, keyFile, connector: { kind, … }, logLevel?, mostOperations? }`.
 * Pure but for `readFile`; every problem is reported at once. Outside development, mutual TLS is demanded: without it anybody who reaches the port
 * could have operations executed. `LINKSPAN_LOG_LEVEL` overrides the log level.
 */
export async function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
  path: string,
): Promise<Result<ValidatorConfig>> {
  const document = readJson(readFile, path);
  if (!document.ok) return document;
  const reader = readDocument(document.value);
  const mode = reader.choice('mode', ['development', 'production']);
  const network = reader.parsed('network', (value) => parse(hashSchema, value, 'configuration-invalid'));
  const system = reader.text('system', { pattern: /^[a-z][a-z0-9-]{0,47}$/, words: 'a system id, such as fcy-evm' });
  const listen = readListen(reader, mode, readFile);
  const keyFile = reader.text('keyFile');
  const logLevel = env['LINKSPAN_LOG_LEVEL'] ?? reader.optionalText('logLevel') ?? 'warn';
  reader.optionalText('logLevel');
  const mostOperations = reader.integer('mostOperations', { min: 1, max: 100_000, otherwise: 5_000 });
  let read: Result<ConnectorFactory> | undefined;
  const given = reader.parsed('connector', (value) => ({ ok: true, value }));
  if (given !== undefined) {
    read = await readConnector(system || 'system', given);
    reader.include('connector', read);
  }
  return reader.finish('configuration-invalid', () => {
    if (!network || !read?.ok) throw new TypeError('a configuration without problems has a network and a connector');
    return Object.freeze({ mode, network, system, listen, keyFile, logLevel, mostOperations, connector: read.value });
  });
}

function readListen(
  reader: DocumentReader,
  mode: ValidatorConfig['mode'],
  readFile: ReadFile,
): ValidatorConfig['listen'] {
  const listen = reader.object('listen');
  const host = listen.optionalText('host') ?? '127.0.0.1';
  const port = listen.integer('port', { min: 0, max: 65_535 });
  const files = listen.optionalObject('tls');
  if (!files && (mode === 'production' || !isLoopback(host))) {
    listen.fail('tls', 'Mutual TLS may be left out in development on a loopback address only.');
  }
  if (!files) return { host, port, tls: undefined };
  const pem = (name: string): string => {
    const file = files.text(name);
    try {
      return file === '' ? '' : readFile(file);
    } catch (error) {
      files.fail(name, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
      return '';
    }
  };
  return { host, port, tls: { cert: pem('certFile'), key: pem('keyFile'), ca: pem('caFile') } };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function readJson(readFile: ReadFile, path: string): Result<unknown> {
  try {
    return accept(JSON.parse(readFile(path)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse('configuration-invalid', `The configuration ${path} cannot be read: ${why}.`);
  }
}
