import { type ConfigurationContext, type DocumentReader, PEER_NAME } from '@linkspan/plugin';
import type { Live, Result, TlsCredentials, TlsFiles } from '@linkspan/protocol';
import type { Files } from './config.ts';

/** Which ledger a process works on. */
export type LedgerConfig = EmbeddedLedgerConfig | FabricLedgerConfig;

export type EmbeddedLedgerConfig = { readonly kind: 'embedded'; readonly directory: string };

/** The organisation's own node in a Fabric network. */
export type FabricLedgerConfig = {
  readonly kind: 'fabric';
  readonly channel: string;
  readonly chaincode: string;
  /** The member service that the client's certificate comes from. */
  readonly mspId: string;
  readonly client: FabricClientConfig;
  /** Peers of this organisation; the first is asked while it answers. */
  readonly gateways: readonly GatewayConfig[];
  readonly endorsingOrganizations: readonly string[];
  /** Where this organisation keeps its archive of accepted calls. */
  readonly archiveFile: string;
};

/** The client's certificate, with its key or with the token that has it. */
export type FabricClientConfig = {
  readonly credentials: Live<TlsCredentials> | undefined;
  readonly pkcs11: Pkcs11Config | undefined;
};

export type Pkcs11Config = {
  readonly module: string;
  /** Its label. */
  readonly token: string;
  /** A label, or `id:` and hexadecimal digits. */
  readonly key: string;
  readonly pin: Live<string>;
};

export type GatewayConfig = {
  readonly address: string;
  readonly name: string;
  readonly authorities: Live<TlsCredentials> | undefined;
};

/**
 * Reads `{ kind: "embedded", directory }`, or `{ kind: "fabric", channel, chaincode, mspId, client: { certFile, keyFile } | { certFile,
 * pkcs11: { module, token, key, pinFile } }, gateways: [{ address, name, caFile }], archiveFile, endorsingOrganizations? }`.
 */
export function readLedger(reader: DocumentReader, context: ConfigurationContext<Files>): LedgerConfig {
  const { at } = context;
  const kind = reader.choice('kind', ['embedded', 'fabric']);
  if (kind === 'embedded') return { kind, directory: at(reader.text('directory', undefined, 'the name of a folder')) };
  const gateways = reader.objects('gateways');
  if (gateways.length === 0) reader.fail('gateways', 'At least one gateway is needed.');
  return {
    kind,
    channel: reader.text('channel', NAME),
    chaincode: reader.text('chaincode', NAME),
    mspId: reader.text('mspId', MSP),
    client: readClient(reader.object('client'), context),
    gateways: gateways.map((gateway) => ({
      address: gateway.text('address', ADDRESS),
      name: gateway.text('name', PEER_NAME),
      authorities: readFiles(gateway, context, { caFile: gateway.text('caFile', undefined, FILE) }),
    })),
    endorsingOrganizations: reader.has('endorsingOrganizations') ? reader.texts('endorsingOrganizations', MSP) : [],
    archiveFile: at(reader.text('archiveFile', undefined, FILE)),
  };
}

const FILE = 'the name of a file';
const NAME = { pattern: /^[a-z][a-z0-9-]{0,47}$/, words: 'lower-case letters, digits and hyphens' };
const MSP = {
  pattern: /^[A-Za-z0-9.-]{1,64}$/,
  words: 'the id of a member service: letters, digits, points and hyphens',
};
const TOKEN = { pattern: /^[^ ].{0,31}(?<! )$/, words: 'the label of a token, of 32 characters at most' };
const KEY = {
  pattern: /^(?:id:(?:[0-9a-fA-F]{2})+|(?!id:).{1,255})$/,
  words: 'the label of a private key, or id: and its id in hexadecimal digits',
};
const ADDRESS = { pattern: /^[A-Za-z0-9.-]+:[0-9]{1,5}$/, words: 'host:port' };

function readClient(client: DocumentReader, context: ConfigurationContext<Files>): FabricClientConfig {
  const certFile = client.text('certFile', undefined, FILE);
  const hasKeyFile = client.has('keyFile');
  const token = client.has('pkcs11') ? client.object('pkcs11') : undefined;
  if (hasKeyFile && token) client.fail('pkcs11', 'The key is in a file or in a token: give keyFile or pkcs11.');
  const keyFile = hasKeyFile || !token ? client.text('keyFile', undefined, FILE) : undefined;
  return {
    credentials: readFiles(client, context, { certFile, ...(keyFile === undefined ? {} : { keyFile }) }),
    pkcs11: token && readToken(token, context),
  };
}

function readToken(token: DocumentReader, { files, at }: ConfigurationContext<Files>): Pkcs11Config | undefined {
  const take = <T>(name: string, read: (path: string) => Result<T>): T | undefined => {
    const file = token.text(name, undefined, FILE);
    if (file === '') return undefined;
    const result = read(at(file));
    token.include(name, result);
    return result.ok ? result.value : undefined;
  };
  const module = take('module', (path) => files.library(path));
  const label = token.text('token', TOKEN);
  const key = token.text('key', KEY);
  const pin = take('pinFile', (path) => files.secret(path));
  return module === undefined || pin === undefined ? undefined : { module, token: label, key, pin };
}

/** Files that are checked together; a missing name has been noted already. */
function readFiles(
  reader: DocumentReader,
  { files, at }: ConfigurationContext,
  named: TlsFiles,
): Live<TlsCredentials> | undefined {
  const entries = Object.entries(named);
  if (entries.some(([, file]) => file === '')) return undefined;
  const read = files.tls(Object.fromEntries(entries.map(([member, file]) => [member, at(file)])), 'client');
  if (read.ok) return read.value;
  reader.includeHere(read);
  return undefined;
}
