import { addressOf, type Genesis, hashToHex, type NetworkDefinition, networkId, parseAmount } from '@linkspan/protocol';
import { DEVELOPMENT_MNEMONIC, executorAccount, indexOfAddress } from './development-accounts.ts';
import { participantsOf } from './participants.ts';
import type { Places } from './places.ts';

/** The configuration of a connected system of the definition. */
export function systemConfig(definition: NetworkDefinition, places: Places, system: string, genesis: Genesis): object {
  const kind = definition.systems.find(({ id }) => id === system)?.kind;
  return kind === 'evm'
    ? evmConfig(definition, places, system, genesis)
    : webConfig(definition, places, system, genesis);
}

/** Whose certificates a system accepts at first. */
function certificatesOf(genesis: Genesis): object {
  const signers = genesis.organisations.map((organisation) => addressOf(organisation.certificateKey)).toSorted();
  return { network: hashToHex(networkId(genesis)), epoch: 1, quorum: genesis.quorum, signers };
}

function evmConfig(definition: NetworkDefinition, places: Places, id: string, genesis: Genesis): object {
  const executors = places.validators
    .filter(({ system }) => system === id)
    .map(({ index }) => executorAccount(index).address);
  const accounts = Object.entries(definition.balances[id] ?? {}).map(([address, assets]) => ({
    address,
    mnemonicIndex: indexOfAddress(address),
    balance: minorUnits(assets['USD'] ?? '0', 'USD'),
    operators: executors,
  }));
  return {
    port: places.portOf(id),
    dataDir: `${places.folderOf(id)}/data`,
    chainId: 31_337,
    mnemonic: DEVELOPMENT_MNEMONIC,
    token: { name: 'US dollar of A', symbol: 'USD', decimals: 2 },
    certificates: certificatesOf(genesis),
    executors,
    accounts,
  };
}

function webConfig(definition: NetworkDefinition, places: Places, id: string, genesis: Genesis): object {
  const participants = participantsOf(definition, id);
  const partyOf = new Map(definition.parties.map(({ lei, name }) => [lei, name]));
  const accounts = Object.entries(definition.balances[id] ?? {}).map(([account, assets]) => ({
    id: account,
    name: partyOf.get(definition.accounts.find((each) => each.id === `${id}:${account}`)?.party ?? '') ?? account,
    operators: ['validator', ...participants.operatorOf(account)],
    positions: assets,
  }));
  const client = (name: string, roles: readonly string[]): object => ({
    id: name,
    secret: places.secretOf(id, name),
    roles,
  });
  const tls = places.tlsOf(id);
  return {
    name: id,
    port: places.portOf(id),
    dataDir: `${places.folderOf(id)}/data`,
    ...(tls ? { tls: { certFile: tls.certFile, keyFile: tls.keyFile, clientCaFile: tls.caFile } } : {}),
    certificates: certificatesOf(genesis),
    clients: [
      client('validator', ['executor', 'reader']),
      client('auditor', ['reader']),
      ...participants.clients.map((each) => client(each, ['participant'])),
    ],
    assets: assetsOf(definition, id).map((asset) => ({ id: asset.id, kind: asset.kind, digits: 0 })),
    accounts,
  };
}

/** Securities are those registered in the system; every other asset with a balance is cash. Both have whole units here (JPY, face amount). */
export function assetsOf(
  definition: NetworkDefinition,
  id: string,
): { readonly id: string; readonly kind: 'cash' | 'securities' }[] {
  const isins = new Set(definition.instruments.map((instrument) => instrument.isin));
  const assets = new Set(Object.values(definition.balances[id] ?? {}).flatMap(Object.keys));
  return [...assets].toSorted().map((asset) => ({ id: asset, kind: isins.has(asset) ? 'securities' : 'cash' }));
}

function minorUnits(text: string, currency: string): string {
  if (/^0+(\.0+)?$/.test(text)) return '0';
  const parsed = parseAmount(text, currency);
  if (!parsed.ok) throw new Error(`${text} ${currency}: ${parsed.message}`);
  return parsed.value.toString();
}
