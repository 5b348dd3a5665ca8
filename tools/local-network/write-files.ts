import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKeyFile, writeKeyFile } from '@linkspan/keys';
import {
  addressOf,
  type CallBody,
  type CertificateKey,
  genesisSchema,
  hashToHex,
  networkId,
  parseAmount,
  type ScenarioDocument,
  type SigningKey,
} from '@linkspan/protocol';
import { type NetworkDefinition, type NetworkKeys, planNetwork } from '@linkspan/testkit';
import { getContractAddress } from 'viem';
import { API_CLIENTS, OPERATOR } from './api-clients.ts';
import { CannotRun } from './cannot-run.ts';
import { DEVELOPMENT_MNEMONIC, developmentAccount, executorAccount, indexOfAddress } from './development-accounts.ts';
import { participantsOf } from './domestic.ts';
import { configFileOf, CORE_API, folderOf, type Layout, urlOf } from './layout.ts';
import { certificateName, tlsFilesOf } from './network-tls.ts';
import { readJson } from './read-json.ts';
import { writeWhole } from './write-whole.ts';

/** Writes every process's configuration. Keys, secrets and genesis are made once and kept; the rest follows from them and the layout. */
export function writeFiles(
  definition: NetworkDefinition,
  scenarios: readonly ScenarioDocument[],
  layout: Layout,
): { readonly network: string } {
  const keys = readOrMakeKeys(definition, layout);
  const nonce = readOrMake(join(layout.data, 'nonce'), () => randomUUID());
  const plan = planNetwork(definition, keys, scenarios, nonce);
  const genesis = genesisSchema.parse(readOrMakeJson(join(layout.data, 'genesis.json'), () => plan.genesis));
  const network = networkId(genesis);
  const signers = genesis.organisations.map((organisation) => addressOf(organisation.certificateKey)).toSorted();
  const certificates = { network: hashToHex(network), epoch: 1, quorum: genesis.quorum, signers };
  for (const system of definition.systems) {
    writeJson(
      configFileOf(layout, system.id),
      system.kind === 'evm'
        ? evmConfig(definition, layout, system.id, certificates)
        : webConfig(definition, layout, system.id, certificates),
    );
  }
  for (const validator of layout.validators) writeValidator(definition, layout, validator, network);
  writeCoreApi(definition, layout, keys, plan.calls);
  writeProfile(definition, layout, network);
  return { network };
}

/** What the command line needs to ask every organisation's API as any of its clients. Secrets lie beside it, each in a file of its own. */
function writeProfile(definition: NetworkDefinition, layout: Layout, network: string): void {
  const organisations = definition.organisations.map(({ id, name }) => {
    const clients = Object.keys(API_CLIENTS).map((client) => {
      const secretFile = join('secrets', `${id}.${client}`);
      writeWhole(join(layout.data, secretFile), `${clientSecret(layout, id, client)}\n`);
      return [client, { secretFile }] as const;
    });
    const access = {
      tokenEndpoint: `${urlOf(layout, id)}/oauth/token`,
      clientId: OPERATOR,
      clients: Object.fromEntries(clients),
    };
    const { caFile } = tlsFilesOf(layout, id);
    const tls = layout.secured.has(id) ? { tls: { caFile } } : {};
    return [id, { name, api: urlOf(layout, id), access, ...tls }] as const;
  });
  writeJson(join(layout.data, 'profile.json'), {
    network,
    default: definition.organisations[0]?.id,
    organisations: Object.fromEntries(organisations),
  });
}

/** Where the token lies: the first contract of the account that issues it. */
export function tokenAddress(): string {
  return getContractAddress({ from: developmentAccount(0).address, nonce: 0n }).toLowerCase();
}

export function readScenarios(
  definition: NetworkDefinition,
  root: string,
  parse: (value: unknown) => ScenarioDocument,
): ScenarioDocument[] {
  return definition.scenarios.map((name) => {
    const file = join(root, 'scenarios', name, 'scenario.json');
    const json = readJson(file);
    try {
      return parse(json);
    } catch (error) {
      throw new CannotRun(`${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

function readOrMakeKeys(definition: NetworkDefinition, layout: Layout): NetworkKeys {
  const organisations: Record<string, { callKey: SigningKey; certificateKey: CertificateKey }> = {};
  for (const { id } of definition.organisations) {
    const { ed25519, secp256k1 } = keyFile(organisationKeyFile(layout, id), 'both');
    if (!ed25519 || !secp256k1) throw new Error(`the keys of ${id} are incomplete`);
    organisations[id] = { callKey: ed25519.key, certificateKey: secp256k1.key };
  }
  const validators: Record<string, SigningKey[]> = {};
  for (const { name, system } of layout.validators) {
    const { ed25519 } = keyFile(validatorKeyFile(layout, name), 'ed25519');
    if (!ed25519) throw new Error(`the key of ${name} is missing`);
    (validators[system] ??= []).push(ed25519.key);
  }
  return { organisations, validators };
}

function keyFile(path: string, kind: 'both' | 'ed25519') {
  if (existsSync(path)) return readKeyFile(path);
  mkdirSync(join(path, '..'), { recursive: true });
  const fresh = (): string => randomBytes(32).toString('hex');
  return writeKeyFile(path, { ed25519: fresh(), ...(kind === 'both' ? { secp256k1: fresh() } : {}) });
}

function organisationKeyFile(layout: Layout, id: string): string {
  return join(folderOf(layout, CORE_API), id, 'keys.json');
}

function validatorKeyFile(layout: Layout, name: string): string {
  return join(folderOf(layout, name), 'keys.json');
}

type Certificates = {
  readonly network: string;
  readonly epoch: number;
  readonly quorum: number;
  readonly signers: readonly string[];
};

function evmConfig(definition: NetworkDefinition, layout: Layout, id: string, certificates: Certificates) {
  const executors = layout.validators
    .filter(({ system }) => system === id)
    .map(({ index }) => executorAccount(index).address);
  const accounts = Object.entries(definition.balances[id] ?? {}).map(([address, assets]) => ({
    address,
    mnemonicIndex: indexOfAddress(address),
    balance: minorUnits(assets['USD'] ?? '0', 'USD'),
    operators: executors,
  }));
  return {
    port: layout.ports[id],
    dataDir: join(folderOf(layout, id), 'data'),
    chainId: 31_337,
    mnemonic: DEVELOPMENT_MNEMONIC,
    token: { name: 'US dollar of A', symbol: 'USD', decimals: 2 },
    certificates,
    executors,
    accounts,
  };
}

function webConfig(definition: NetworkDefinition, layout: Layout, id: string, certificates: Certificates) {
  const participants = participantsOf(definition, id);
  const partyOf = new Map(definition.parties.map(({ lei, name }) => [lei, name]));
  const accounts = Object.entries(definition.balances[id] ?? {}).map(([account, assets]) => ({
    id: account,
    name: partyOf.get(definition.accounts.find((each) => each.id === `${id}:${account}`)?.party ?? '') ?? account,
    operators: ['validator', ...participants.operatorOf(account)],
    positions: assets,
  }));
  return {
    name: id,
    port: layout.ports[id],
    dataDir: join(folderOf(layout, id), 'data'),
    ...webTls(layout, id),
    certificates,
    clients: [
      { id: 'validator', secret: clientSecret(layout, id, 'validator'), roles: ['executor', 'reader'] },
      { id: 'auditor', secret: clientSecret(layout, id, 'auditor'), roles: ['reader'] },
      ...participants.clients.map((client) => ({
        id: client,
        secret: clientSecret(layout, id, client),
        roles: ['participant'],
      })),
    ],
    assets: assetsOf(definition, id).map((asset) => ({ id: asset.id, kind: asset.kind, digits: 0 })),
    accounts,
  };
}

function webTls(layout: Layout, id: string): object {
  const { caFile: clientCaFile, ...own } = tlsFilesOf(layout, id);
  return layout.secured.has(id) ? { tls: { ...own, clientCaFile } } : {};
}

/** Securities are those registered in the system; every other asset with a balance is cash. Both have whole units here (JPY, face amount). */
function assetsOf(
  definition: NetworkDefinition,
  id: string,
): { readonly id: string; readonly kind: 'cash' | 'securities' }[] {
  const isins = new Set(definition.instruments.map((instrument) => instrument.isin));
  const assets = new Set(Object.values(definition.balances[id] ?? {}).flatMap(Object.keys));
  return [...assets].toSorted().map((asset) => ({ id: asset, kind: isins.has(asset) ? 'securities' : 'cash' }));
}

function writeValidator(
  definition: NetworkDefinition,
  layout: Layout,
  validator: Layout['validators'][number],
  network: string,
): void {
  const { name, system, index } = validator;
  const owner = definition.systems.find((each) => each.id === system);
  const kind = owner?.kind;
  const isSecured = layout.secured.has(name);
  const folder = folderOf(layout, name);
  const connector =
    kind === 'evm'
      ? {
          kind,
          rpcUrl: urlOf(layout, system),
          token: tokenAddress(),
          currency: 'USD',
          digits: 2,
          executorKeyFile: writeSecret(join(folder, 'executor.key'), executorAccount(index).privateKey),
          finality: { confirmations: 0 },
        }
      : {
          kind,
          baseUrl: urlOf(layout, system),
          ...(isSecured ? { tls: tlsFilesOf(layout, name) } : {}),
          clientId: 'validator',
          clientSecretFile: writeSecret(join(folder, 'client.secret'), clientSecret(layout, system, 'validator')),
          assets: assetsOf(definition, system),
        };
  writeJson(configFileOf(layout, name), {
    // With TLS nothing is left that a validator takes in development only.
    mode: isSecured ? 'production' : 'development',
    network,
    system,
    listen: {
      port: layout.ports[name],
      ...(isSecured ? { tls: { ...tlsFilesOf(layout, name), clients: [certificateName(owner?.owner ?? '')] } } : {}),
    },
    keyFile: validatorKeyFile(layout, name),
    connector,
  });
}

function writeCoreApi(
  definition: NetworkDefinition,
  layout: Layout,
  keys: NetworkKeys,
  calls: readonly { readonly organisation: string; readonly body: CallBody }[],
): void {
  const folder = folderOf(layout, CORE_API);
  const organisations = definition.organisations.map(({ id }) => {
    const register = join(folder, id, 'register.json');
    writeJson(
      register,
      calls.filter((call) => call.organisation === id).map((call) => call.body),
    );
    const clients = join(folder, id, 'clients.json');
    writeJson(clients, {
      schema: 'clients/1',
      clients: Object.entries(API_CLIENTS).map(([client, scopes]) => {
        return { id: client, secret: clientSecret(layout, id, client), scopes };
      }),
    });
    const systems = definition.systems
      .filter((system) => system.owner === id)
      .map((system) => ({
        id: system.id,
        ...(layout.secured.has(id) ? { tls: tlsFilesOf(layout, id) } : {}),
        validators: layout.validators
          .filter((validator) => validator.system === system.id)
          .map(({ name, index }) => ({
            key: keys.validators[system.id]?.[index],
            url: urlOf(layout, name),
            ...(layout.secured.has(name) ? { name: certificateName(name) } : {}),
          })),
      }));
    return {
      id,
      listen: { port: layout.ports[id], ...(layout.secured.has(id) ? { tls: tlsFilesOf(layout, id) } : {}) },
      ...(layout.secured.has(id) ? { client: tlsFilesOf(layout, id) } : {}),
      keyFile: organisationKeyFile(layout, id),
      journal: join(folder, id, 'journal.sqlite'),
      register,
      systems,
      authentication: { kind: 'development', clients, keys: join(folder, id, 'oauth-keys.json') },
    };
  });
  writeJson(configFileOf(layout, CORE_API), {
    mode: 'development',
    network: { genesis: join(layout.data, 'genesis.json') },
    ledger: { kind: 'embedded', directory: join(folder, 'ledger') },
    peers: Object.fromEntries(
      definition.organisations.map(({ id }) => [
        id,
        { url: urlOf(layout, id), ...(layout.secured.has(id) ? { name: certificateName(id) } : {}) },
      ]),
    ),
    organisations,
  });
}

/** One secret per installation, system or organisation, and client, from one file that only its owner reads. */
export function clientSecret(layout: Layout, system: string, client: string): string {
  const seed = readOrMake(join(layout.data, 'secret'), () => randomBytes(32).toString('hex'));
  return createHash('sha256').update(`${seed} ${system} ${client}`).digest('hex');
}

function minorUnits(text: string, currency: string): string {
  if (/^0+(\.0+)?$/.test(text)) return '0';
  const parsed = parseAmount(text, currency);
  if (!parsed.ok) throw new Error(`${text} ${currency}: ${parsed.message}`);
  return parsed.value.toString();
}

function readOrMake(path: string, make: () => string): string {
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const text = make();
  writeWhole(path, `${text}\n`);
  return text;
}

function readOrMakeJson(path: string, make: () => object): unknown {
  readOrMake(path, () => JSON.stringify(make(), null, 2));
  return readJson(path);
}

/** A file with a secret and nothing else; gives its path. */
function writeSecret(path: string, secret: string): string {
  writeWhole(path, `${secret}\n`);
  return path;
}

function writeJson(path: string, value: unknown): void {
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}
