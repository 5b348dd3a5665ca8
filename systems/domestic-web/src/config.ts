import { epochProblem } from './certificate.ts';
import {
  decode,
  entriesOf,
  LARGEST_AMOUNT,
  listOf,
  membersOf,
  optional,
  readAddress,
  readBalance,
  readBytes32,
  readInteger,
  readName,
  readOneOf,
  readText,
  report,
} from './decode.ts';
import type { Source } from './decode.ts';
import type { Result } from './refusal.ts';
import type { TlsFiles } from './tls.ts';
import type { Epoch } from './typed-data.ts';

/** The configuration as it stands in the file. Amounts are integers of minor units in strings. */
export type DomesticWebConfig = {
  name: string;
  /** 0 lets the operating system choose. */
  port: number;
  dataDir: string;
  /** Serves by TLS; with `clientCaFile` nobody may connect without a certificate of those authorities. */
  tls?: { certFile: string; keyFile: string; clientCaFile?: string };
  /** The network whose certificates count, and the first epoch of its signers; later epochs come by POST /epochs. */
  certificates: { network: string; epoch: number; quorum: number; signers: string[] };
  clients: { id: string; secret: string; roles: Role[] }[];
  assets: { id: string; kind: AssetKind; digits: number }[];
  /** Operators may debit the account; positions are booked once, when the account first appears. */
  accounts: { id: string; name: string; operators: string[]; positions: Record<string, string> }[];
};

export const ROLES = ['executor', 'reader', 'participant'] as const;
export type Role = (typeof ROLES)[number];

export const ASSET_KINDS = ['cash', 'securities'] as const;
export type AssetKind = (typeof ASSET_KINDS)[number];

export type Client = { id: string; secret: string; roles: Set<Role> };
export type Asset = { id: string; kind: AssetKind; digits: number };
export type Account = { id: string; name: string; operators: Set<string>; opening: Map<string, bigint> };

/** The configuration after parsing: everything that a request may name, found by its id. */
export type Registry = {
  name: string;
  port: number;
  dataDir: string;
  tls: TlsFiles | undefined;
  firstEpoch: Epoch;
  clients: Map<string, Client>;
  assets: Map<string, Asset>;
  accounts: Map<string, Account>;
};

export function parseConfig(value: unknown): Result<Registry> {
  return decode(value, readRegistry);
}

function readRegistry(source: Source): Registry {
  const names = ['name', 'port', 'dataDir', 'tls', 'certificates', 'clients', 'assets', 'accounts'];
  const member = membersOf(source, names);
  const clients = byId(member('clients'), listOf(member('clients'), 1000, readClient));
  const assets = byId(member('assets'), listOf(member('assets'), 1000, readAsset));
  const accounts = byId(member('accounts'), listOf(member('accounts'), 10_000, readAccount));
  reportStrangers(member('accounts'), accounts, clients, assets);
  return {
    name: readName(member('name')),
    port: readInteger(member('port'), 0, 65_535),
    dataDir: readText(member('dataDir')),
    tls: optional(member('tls'), readTlsFiles),
    firstEpoch: readFirstEpoch(member('certificates')),
    clients,
    assets,
    accounts,
  };
}

function readTlsFiles(source: Source): TlsFiles {
  const member = membersOf(source, ['certFile', 'keyFile', 'clientCaFile']);
  return {
    certFile: readText(member('certFile')),
    keyFile: readText(member('keyFile')),
    clientCaFile: optional(member('clientCaFile'), readText),
  };
}

function readFirstEpoch(source: Source): Epoch {
  const member = membersOf(source, ['network', 'epoch', 'quorum', 'signers']);
  const epoch = {
    network: readBytes32(member('network')),
    epoch: readInteger(member('epoch'), 1, Number.MAX_SAFE_INTEGER),
    quorum: readInteger(member('quorum'), 1, 100),
    signers: listOf(member('signers'), 100, readAddress),
  };
  const problem = epochProblem(epoch);
  if (problem !== undefined) report(source, problem);
  return epoch;
}

function readClient(source: Source): Client {
  const member = membersOf(source, ['id', 'secret', 'roles']);
  const roles = listOf(member('roles'), ROLES.length, (role) => readOneOf(role, ROLES));
  return { id: readName(member('id')), secret: readText(member('secret')), roles: new Set(roles) };
}

function readAsset(source: Source): Asset {
  const member = membersOf(source, ['id', 'kind', 'digits']);
  return {
    id: readName(member('id')),
    kind: readOneOf(member('kind'), ASSET_KINDS),
    digits: readInteger(member('digits'), 0, 18),
  };
}

function readAccount(source: Source): Account {
  const member = membersOf(source, ['id', 'name', 'operators', 'positions']);
  return {
    id: readName(member('id')),
    name: readText(member('name')),
    operators: new Set(listOf(member('operators'), 100, readName)),
    opening: new Map(entriesOf(member('positions'), readBalance)),
  };
}

function byId<T extends { id: string }>(source: Source, values: T[]): Map<string, T> {
  const found = new Map(values.map((value) => [value.id, value]));
  if (found.size !== values.length) report(source, 'names an id twice');
  return found;
}

/** Accounts may name only what the configuration has, and may not open with more of an asset than can be summed. */
function reportStrangers(
  source: Source,
  accounts: Map<string, Account>,
  clients: Map<string, Client>,
  assets: Map<string, Asset>,
): void {
  const totals = new Map<string, bigint>();
  for (const account of accounts.values()) {
    for (const operator of account.operators) {
      if (!clients.has(operator)) report(source, `of ${account.id} name an unknown operator ${operator}`);
    }
    for (const [asset, amount] of account.opening) {
      if (!assets.has(asset)) report(source, `of ${account.id} name an unknown asset ${asset}`);
      totals.set(asset, (totals.get(asset) ?? 0n) + amount);
    }
  }
  for (const [asset, total] of totals) {
    if (total > LARGEST_AMOUNT) report(source, `open with more than ${LARGEST_AMOUNT} of ${asset}`);
  }
}
