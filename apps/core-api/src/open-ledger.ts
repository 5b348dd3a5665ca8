import { applyCalls, runQuery } from '@linkspan/contract';
import { lowSSigner, openPkcs11Signer } from '@linkspan/keys';
import { type ArchivedLedger, openEmbeddedLedger, openFabricLedger } from '@linkspan/ledger';
import { Fault, type Live, type TlsCredentials, type Verify } from '@linkspan/protocol';
import type { FabricClientConfig, FabricLedgerConfig, LedgerConfig } from './ledger-config.ts';

export type OpenLedgerOptions = {
  readonly verify: Verify;
  /** UTC milliseconds. */
  readonly now: () => number;
  /** How far the ledger's time may lie from real time: δ of the genesis. */
  readonly toleranceMs: number;
};

/** Opens the ledger that a configuration names. On Fabric the contract runs at the peers, and so does its clock. */
export async function openLedger(config: LedgerConfig, options: OpenLedgerOptions): Promise<ArchivedLedger> {
  if (config.kind === 'fabric') return openFabric(config);
  return openEmbeddedLedger({ directory: config.directory, contract: { applyCalls, runQuery }, ...options });
}

async function openFabric({ mspId, client, gateways, ...config }: FabricLedgerConfig): Promise<ArchivedLedger> {
  const certificate = member(client.credentials, 'cert');
  return openFabricLedger({
    ...config,
    identity: { mspId, certificate },
    sign: await signerOf(client, certificate),
    gateways: gateways.map(({ address, name, authorities }) => ({ address, name, tlsCa: member(authorities, 'ca') })),
  });
}

/** A token's session ends with the process. */
async function signerOf({ credentials, pkcs11 }: FabricClientConfig, certificate: string): Promise<MessageSigner> {
  if (!pkcs11) return lowSSigner(member(credentials, 'key'));
  const signer = await openPkcs11Signer({ ...pkcs11, certificate });
  return (message) => signer.sign(message);
}

type MessageSigner = (message: Uint8Array) => Promise<Uint8Array>;

function member(credentials: Live<TlsCredentials> | undefined, name: keyof TlsCredentials): string {
  const value = credentials?.current()[name];
  if (value === undefined) throw new Fault('configuration-invalid', `The configuration of the ledger lacks ${name}.`);
  return value;
}
