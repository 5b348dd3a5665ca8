import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CertificateKey,
  genesisSchema,
  type NetworkDefinition,
  networkId,
  type NetworkKeys,
  planNetwork,
  type ScenarioDocument,
  type SigningKey,
} from '@linkspan/protocol';
import { openKeyFile } from '../../apps/cli/src/product/open-key-file.ts';
import {
  organisationKeyFile,
  peersOf,
  validatorKeyFile,
  writeOrganisation,
  writeProfile,
  writeValidator,
} from '../../apps/cli/src/product/organisation-files.ts';
import type { Places } from '../../apps/cli/src/product/places.ts';
import { systemConfig } from '../../apps/cli/src/product/system-files.ts';
import { writeSecretJson, writeWhole } from '../../apps/cli/src/product/write-whole.ts';
import { CannotRun } from './cannot-run.ts';
import { configFileOf, CORE_API, folderOf, type Layout, urlOf } from './layout.ts';
import { certificateName, tlsFilesOf } from './network-tls.ts';
import { readJson } from './read-json.ts';

/** Writes every process's configuration. Keys, secrets and genesis are made once and kept; the rest follows from them and the layout. */
export function writeFiles(
  definition: NetworkDefinition,
  scenarios: readonly ScenarioDocument[],
  layout: Layout,
): { readonly network: string } {
  const places = placesOf(layout);
  const keys = readOrMakeKeys(definition, places);
  const nonce = readOrMake(join(layout.data, 'nonce'), () => randomUUID());
  const plan = planNetwork(definition, keys, scenarios, nonce);
  const genesis = genesisSchema.parse(readOrMakeJson(join(layout.data, 'genesis.json'), () => plan.genesis));
  const network = networkId(genesis);
  for (const { id } of definition.systems)
    writeSecretJson(configFileOf(layout, id), systemConfig(definition, places, id, genesis));
  for (const validator of layout.validators)
    writeSecretJson(configFileOf(layout, validator.name), writeValidator(definition, places, validator, network));
  writeSecretJson(configFileOf(layout, CORE_API), {
    mode: 'development',
    network: { genesis: join(layout.data, 'genesis.json') },
    ledger: { kind: 'embedded', directory: join(folderOf(layout, CORE_API), 'ledger') },
    peers: peersOf(definition, places),
    organisations: definition.organisations.map(({ id }) =>
      writeOrganisation(definition, places, id, keys, plan.calls),
    ),
  });
  writeProfile(definition, places, network, layout.data, (id, client) => join('secrets', `${id}.${client}`));
  return { network };
}

/** The local network as those see it who write its processes' files. */
function placesOf(layout: Layout): Places {
  return {
    validators: layout.validators,
    portOf: (name) => layout.ports[name] ?? 0,
    urlOf: (name) => urlOf(layout, name),
    listenHostOf: () => undefined,
    folderOf: (name) => folderOf(layout, name),
    apiFolderOf: (organisation) => join(folderOf(layout, CORE_API), organisation),
    secretOf: (owner, client) => clientSecret(layout, owner, client),
    tlsOf: (name) =>
      layout.secured.has(name) ? { ...tlsFilesOf(layout, name), certificateName: certificateName(name) } : undefined,
  };
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

function readOrMakeKeys(definition: NetworkDefinition, places: Places): NetworkKeys {
  const organisations: Record<string, { callKey: SigningKey; certificateKey: CertificateKey }> = {};
  for (const { id } of definition.organisations) {
    const { ed25519, secp256k1 } = openKeyFile(organisationKeyFile(places, id), ['ed25519', 'secp256k1']);
    if (!ed25519 || !secp256k1) throw new Error(`the keys of ${id} are incomplete`);
    organisations[id] = { callKey: ed25519.key, certificateKey: secp256k1.key };
  }
  const validators: Record<string, SigningKey[]> = {};
  for (const { name, system } of places.validators) {
    const { ed25519 } = openKeyFile(validatorKeyFile(places, name), ['ed25519']);
    if (!ed25519) throw new Error(`the key of ${name} is missing`);
    (validators[system] ??= []).push(ed25519.key);
  }
  return { organisations, validators };
}

/** One secret per installation, system or organisation, and client, from one file that only its owner reads. */
export function clientSecret(layout: Layout, system: string, client: string): string {
  const seed = readOrMake(join(layout.data, 'secret'), () => randomBytes(32).toString('hex'));
  return createHash('sha256').update(`${seed} ${system} ${client}`).digest('hex');
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
