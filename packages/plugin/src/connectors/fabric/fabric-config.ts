import { checkCurrency, constant, type Live, type Result, type TlsCredentials } from '@linkspan/protocol';
import type { ConfigurationContext } from '../../configuration.ts';
import { type DocumentReader, readDocument } from '../../document-reader.ts';

/** A peer whose gateway may be asked: `host:port`, the name in its certificate, and the authority that it comes from. */
export type GatewayConfig = {
  readonly address: string;
  readonly name: string;
  readonly authorities: Live<TlsCredentials>;
};

export type FabricConfig = {
  readonly system: string;
  readonly channel: string;
  readonly chaincode: string;
  readonly mspId: string;
  /** The executor's certificate and key. */
  readonly client: Live<TlsCredentials>;
  /** The first is asked while it answers. */
  readonly gateways: readonly GatewayConfig[];
  readonly currency: string;
  readonly timeoutMs: number;
};

/**
 * `{ kind: "fabric", channel, chaincode, mspId, certFile, keyFile, gateways: [{ address: "host:port", name, caFile }], currency, digits, timeoutMs? }`.
 * The certificate is the executor's, registered with the chaincode by its hash, so a new one takes a registration and a restart. `digits` are
 * the decimals of the chaincode's amounts and must be the currency's own.
 */
export function fabricConfig(system: string, value: unknown, context: ConfigurationContext): Result<FabricConfig> {
  const reader = readDocument(value);
  const build = readFabric(system, reader, context);
  return reader.finish('configuration-invalid', build);
}

/** Asks a reader for every member; what it returns makes the configuration where nothing was wrong. */
export function readFabric(system: string, reader: DocumentReader, context: ConfigurationContext): () => FabricConfig {
  reader.choice('kind', ['fabric']);
  const [channel, chaincode, mspId] = [reader.text('channel'), reader.text('chaincode'), reader.text('mspId')];
  const client = readFiles(reader, context, ['certFile', 'keyFile']);
  const gateways = reader.objects('gateways').map((gateway) => ({
    address: gateway.text('address', ADDRESS),
    name: gateway.text('name'),
    authorities: readFiles(gateway, context, ['caFile']),
  }));
  if (reader.has('gateways') && gateways.length === 0) reader.fail('gateways', 'At least one gateway is needed.');
  const currency = readCurrency(reader);
  const timeoutMs = reader.integer('timeoutMs', { min: 100, max: 120_000, otherwise: 15_000 });
  return () => ({ system, channel, chaincode, mspId, client, gateways, currency, timeoutMs });
}

const ADDRESS = { pattern: /^[A-Za-z0-9.-]+:\d{1,5}$/, words: 'host:port' };

function readFiles(
  reader: DocumentReader,
  { files, at }: ConfigurationContext,
  names: readonly ('certFile' | 'keyFile' | 'caFile')[],
): Live<TlsCredentials> {
  const named = names.map((name) => [name, reader.text(name, undefined, 'the name of a file')] as const);
  if (named.some(([, file]) => file === '')) return constant({});
  const credentials = files.tls(Object.fromEntries(named.map(([name, file]) => [name, at(file)])), 'client');
  if (credentials.ok) return credentials.value;
  reader.includeHere(credentials);
  return constant({});
}

function readCurrency(reader: DocumentReader): string {
  const code = reader.text('currency');
  const digits = reader.integer('digits', { min: 0, max: 18 });
  const currency = checkCurrency(code);
  if (!currency.ok) reader.fail('currency', currency.message);
  else if (currency.value.digits !== digits)
    reader.fail(
      'digits',
      `${code} has ${currency.value.digits} decimals, so a token of it has as many, not ${digits}.`,
    );
  return code;
}
