import { type ConfigurationContext, type DocumentReader, PEER_NAME } from '@linkspan/plugin';
import type { Live, TlsCredentials, TlsFiles } from '@linkspan/protocol';

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
  readonly client: Live<TlsCredentials> | undefined;
  /** Peers of this organisation; the first is asked while it answers. */
  readonly gateways: readonly GatewayConfig[];
  readonly endorsingOrganizations: readonly string[];
  /** Where this organisation keeps its archive of accepted calls. */
  readonly archiveFile: string;
};

export type GatewayConfig = {
  readonly address: string;
  readonly name: string;
  readonly authorities: Live<TlsCredentials> | undefined;
};

/**
 * Reads `{ kind: "embedded", directory }`, or `{ kind: "fabric", channel, chaincode, mspId, client: { certFile, keyFile }, gateways: [{ address, name,
 * caFile }], archiveFile, endorsingOrganizations? }`.
 */
export function readLedger(reader: DocumentReader, context: ConfigurationContext): LedgerConfig {
  const { at } = context;
  const kind = reader.choice('kind', ['embedded', 'fabric']);
  if (kind === 'embedded') return { kind, directory: at(reader.text('directory', undefined, 'the name of a folder')) };
  const client = reader.object('client');
  const gateways = reader.objects('gateways');
  if (gateways.length === 0) reader.fail('gateways', 'At least one gateway is needed.');
  return {
    kind,
    channel: reader.text('channel', NAME),
    chaincode: reader.text('chaincode', NAME),
    mspId: reader.text('mspId', MSP),
    client: readFiles(client, context, {
      certFile: client.text('certFile', undefined, FILE),
      keyFile: client.text('keyFile', undefined, FILE),
    }),
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
const ADDRESS = { pattern: /^[A-Za-z0-9.-]+:[0-9]{1,5}$/, words: 'host:port' };

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
