import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  certificateKeySchema,
  Fault,
  type Genesis,
  type NetworkDefinition,
  networkId,
  type NetworkKeys,
  planNetwork,
  signingKeySchema,
} from '@linkspan/protocol';
import { openKeyFile } from '../product/open-key-file.ts';
import {
  organisationKeyFile,
  peersOf,
  validatorKeyFile,
  writeOrganisation,
  writeProfile,
  writeValidator,
} from '../product/organisation-files.ts';
import type { Places } from '../product/places.ts';
import { systemConfig } from '../product/system-files.ts';
import { writeSecretJson } from '../product/write-whole.ts';
import { type FabricNetwork, type FabricOrganisation, isLocal, mspId } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { genesisFile, type Product, readGenesis, readJson, scenariosOf } from './product.ts';
import { writeTlsAuthorities } from './product-tls.ts';
import { writeJson } from './write-json.ts';

/** Makes an organisation's keys and its validators' where they are missing, and shows everybody the public ones. */
export function publishKeys(
  organisation: FabricOrganisation,
  layout: NetworkLayout,
  { definition, memberOf }: Product,
  places: Places,
): void {
  const member = memberOf(organisation);
  if (member === undefined) return;
  const { ed25519, secp256k1 } = openKeyFile(organisationKeyFile(places, member), ['ed25519', 'secp256k1']);
  const validators = definition.systems
    .filter(({ owner }) => owner === member)
    .map(({ id }) => {
      const own = places.validators.filter(({ system }) => system === id);
      return [
        id,
        own.map(({ name }) => openKeyFile(validatorKeyFile(places, name), ['ed25519']).ed25519?.key),
      ] as const;
    });
  writeJson(memberFile(layout, organisation), {
    callKey: ed25519?.key,
    certificateKey: secp256k1?.key,
    validators: Object.fromEntries(validators),
  });
}

/** The public keys of an organisation, as it has shown them. */
export function publicKeysOf(organisation: FabricOrganisation, layout: NetworkLayout): OrganisationKeys {
  const { callKey, certificateKey } = readMemberFile(layout, organisation);
  return { callKey, certificateKey };
}

/** Makes the genesis from what all have shown, unless it is there: the organisation that is the first to have everything makes it, the others take it. */
export function makeLedgerGenesis(layout: NetworkLayout, product: Product): void {
  if (existsSync(genesisFile(layout))) return;
  const keys = readPublicKeys(layout, product);
  const { genesis } = planNetwork(product.founding, keys, scenariosOf(product.founding), randomUUID());
  writeJson(genesisFile(layout), genesis);
}

/** Writes the configuration of an organisation's systems, validators and CoreAPI. Reads no other organisation's folder. */
export function writeOwnFiles(
  network: FabricNetwork,
  organisation: FabricOrganisation,
  layout: NetworkLayout,
  product: Product,
  places: Places,
): void {
  const { definition, founding } = product;
  const member = product.memberOf(organisation);
  if (member === undefined) return;
  const genesis = readGenesis(layout);
  const id = networkId(genesis);
  const keys = readPublicKeys(layout, product);
  const { calls } = planNetwork(founding, keys, scenariosOf(founding), genesis.nonce);
  const systems = definition.systems.filter(({ owner }) => owner === member);
  for (const system of systems)
    writeSecretJson(configFileOf(places, system.id), systemConfig(definition, places, system.id, genesis));
  for (const validator of places.validators.filter((each) => systems.some((system) => system.id === each.system)))
    writeSecretJson(configFileOf(places, validator.name), writeValidator(definition, places, validator, id));
  writeTlsAuthorities(network, layout);
  const present = presentIn(network, product);
  writeSecretJson(apiConfigFile(places, member), {
    mode: isLocal(organisation) ? 'development' : 'production',
    network: { genesis: genesisFile(layout) },
    ledger: ledgerConfig(network, organisation, layout),
    peers: peersOf(present, places),
    organisations: [
      {
        ...writeOrganisation(definition, places, member, keys, calls),
        ...keysFrom(genesis, present),
        ...issuerOf(organisation, layout),
      },
    ],
  });
}

/** Where somebody has joined or left since the genesis, the ledger alone says who is a member, with which keys. */
function keysFrom({ organisations: founders }: Genesis, { organisations }: NetworkDefinition): object {
  const isAsFounded =
    founders.length === organisations.length &&
    founders.every((founder) => organisations.some(({ id }) => id === founder.id));
  return isAsFounded ? {} : { keysFrom: 'ledger' };
}

/** The consortium ledger as an organisation's CoreAPI reaches it: as its own client, through its own peer. */
export function ledgerConfig(
  { channel, chaincode }: FabricNetwork,
  organisation: FabricOrganisation,
  layout: NetworkLayout,
): object {
  const { client, publicTlsCa, folder } = layout.organisation(organisation);
  const { id, host, ports } = organisation;
  return {
    kind: 'fabric',
    channel,
    chaincode,
    mspId: mspId(organisation),
    client: { certFile: client.certificate, keyFile: client.key },
    gateways: [{ address: `${host}:${ports.peer}`, name: `peer.${id}`, caFile: publicTlsCa }],
    archiveFile: join(folder, 'core-api', 'archive.sqlite'),
  };
}

/** Writes what the command line asks all organisations with: for somebody who may act in the name of each, as on one machine. */
export function writeLocalProfile(
  network: FabricNetwork,
  layout: NetworkLayout,
  product: Product,
  places: Places,
): string {
  const folder = dirname(layout.definitionFile);
  const homes = new Map(network.organisations.map((each) => [product.memberOf(each), each.id]));
  writeProfile(presentIn(network, product), places, networkId(readGenesis(layout)), folder, (organisation, client) =>
    join('organisations', homes.get(organisation) ?? '', 'secrets', client),
  );
  return join(folder, 'profile.json');
}

export function configFileOf(places: Places, name: string): string {
  return join(places.folderOf(name), 'config.json');
}

export function apiConfigFile(places: Places, organisation: string): string {
  return join(places.apiFolderOf(organisation), 'config.json');
}

/** Whose access tokens an organisation's API accepts: on a host of its own those of its own issuer, as it has written down. */
function issuerOf(organisation: FabricOrganisation, layout: NetworkLayout): object {
  if (isLocal(organisation)) return {};
  const file = join(layout.organisation(organisation).folder, 'authentication.json');
  if (existsSync(file)) return { authentication: readJson(file) };
  throw new Fault(
    'configuration-invalid',
    `${file} is missing: it names the issuer of access tokens, as { "kind": "issuer", "issuer", "audience", "jwks" }.`,
  );
}

/** Of the organisations those whose public keys or certificates are not in the shared folder yet. */
export function notShown({ organisations }: FabricNetwork, layout: NetworkLayout): readonly FabricOrganisation[] {
  return organisations.filter((each) => {
    const { publicTlsCa, publicOrdererTls } = layout.organisation(each);
    return ![publicTlsCa, publicOrdererTls, memberFile(layout, each)].every((file) => existsSync(file));
  });
}

function memberFile({ shared }: NetworkLayout, { id }: Pick<FabricOrganisation, 'id'>): string {
  return join(shared, id, 'member.json');
}

/** The definition without organisations that have left the network: nobody asks them any more. */
function presentIn({ organisations }: FabricNetwork, { definition, memberOf }: Product): NetworkDefinition {
  const present = new Set(organisations.map(memberOf));
  return { ...definition, organisations: definition.organisations.filter(({ id }) => present.has(id)) };
}

/** The keys of the first organisations, also of those that have left: the genesis has them. */
function readPublicKeys(layout: NetworkLayout, { members }: Product): NetworkKeys {
  const organisations: Record<string, OrganisationKeys> = {};
  const validators: Record<string, NetworkKeys['validators'][string]> = {};
  for (const [id, member] of Object.entries(members)) {
    const { validators: own, ...keys } = readMemberFile(layout, { id });
    organisations[member] = keys;
    for (const [system, each] of Object.entries(own)) {
      const parsed = signingKeySchema.array().safeParse(each);
      if (!parsed.success) throw unusable(memberFile(layout, { id }));
      validators[system] = parsed.data;
    }
  }
  return { organisations, validators };
}

function readMemberFile(layout: NetworkLayout, organisation: Pick<FabricOrganisation, 'id'>): ShownKeys {
  const file = memberFile(layout, organisation);
  const shown = readJson(file);
  if (typeof shown !== 'object' || shown === null) throw unusable(file);
  const { callKey, certificateKey, validators } = { callKey: '', certificateKey: '', validators: {}, ...shown };
  const call = signingKeySchema.safeParse(callKey);
  const certificate = certificateKeySchema.safeParse(certificateKey);
  if (!call.success || !certificate.success) throw unusable(file);
  return { callKey: call.data, certificateKey: certificate.data, validators };
}

type OrganisationKeys = NetworkKeys['organisations'][string];
type ShownKeys = OrganisationKeys & { readonly validators: object };

function unusable(file: string): Fault {
  return new Fault('configuration-invalid', `${file} does not have an organisation's public keys.`);
}
