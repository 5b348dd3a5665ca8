import { join } from 'node:path';
import type { Hash, NetworkDefinition, NetworkKeys, NetworkPlan } from '@linkspan/protocol';
import { API_CLIENTS, OPERATOR } from './api-clients.ts';
import { executorAccount, tokenAddress } from './development-accounts.ts';
import type { Places, ValidatorPlace } from './places.ts';
import { assetsOf } from './system-files.ts';
import { writeSecret, writeSecretJson } from './write-whole.ts';

/** Where an organisation's keys are, and a validator's. */
export function organisationKeyFile(places: Places, organisation: string): string {
  return join(places.apiFolderOf(organisation), 'keys.json');
}

export function validatorKeyFile(places: Places, name: string): string {
  return join(places.folderOf(name), 'keys.json');
}

/** Writes the secrets that a validator reads, and gives its configuration. */
export function writeValidator(
  definition: NetworkDefinition,
  places: Places,
  { name, system, index }: ValidatorPlace,
  network: Hash,
): object {
  const record = definition.systems.find((each) => each.id === system);
  const tls = places.tlsOf(name);
  const folder = places.folderOf(name);
  const connector =
    record?.kind === 'evm'
      ? {
          kind: 'evm',
          rpcUrl: places.urlOf(system),
          token: tokenAddress(),
          currency: 'USD',
          digits: 2,
          executorKeyFile: writeSecret(join(folder, 'executor.key'), executorAccount(index).privateKey),
          finality: { confirmations: 0 },
        }
      : {
          kind: record?.kind,
          baseUrl: places.urlOf(system),
          ...(tls ? { tls: filesOf(tls) } : {}),
          clientId: 'validator',
          clientSecretFile: writeSecret(join(folder, 'client.secret'), places.secretOf(system, 'validator')),
          assets: assetsOf(definition, system),
        };
  const clients = [places.tlsOf(record?.owner ?? '')?.certificateName ?? ''];
  return {
    // With TLS nothing is left that a validator takes in development only.
    mode: tls ? 'production' : 'development',
    network,
    system,
    listen: { port: places.portOf(name), ...(tls ? { tls: { ...filesOf(tls), clients } } : {}) },
    keyFile: validatorKeyFile(places, name),
    connector,
  };
}

/** Writes what an organisation registers first and who its clients are, and gives its part of a CoreAPI's configuration. */
export function writeOrganisation(
  definition: NetworkDefinition,
  places: Places,
  organisation: string,
  keys: Pick<NetworkKeys, 'validators'>,
  calls: NetworkPlan['calls'],
): object {
  const folder = places.apiFolderOf(organisation);
  const register = writeSecretJson(
    join(folder, 'register.json'),
    calls.filter((call) => call.organisation === organisation).map((call) => call.body),
  );
  const clients = writeSecretJson(join(folder, 'clients.json'), {
    schema: 'clients/1',
    clients: Object.entries(API_CLIENTS).map(([client, scopes]) => {
      return { id: client, secret: places.secretOf(organisation, client), scopes };
    }),
  });
  const tls = places.tlsOf(organisation);
  const own = tls ? { tls: filesOf(tls) } : {};
  const host = places.listenHostOf(organisation);
  const validatorsOf = (system: string): object[] =>
    places.validators
      .filter((validator) => validator.system === system)
      .map(({ name, index }) => ({
        key: keys.validators[system]?.[index],
        url: places.urlOf(name),
        ...certificateNameOf(places, name),
      }));
  return {
    id: organisation,
    listen: { ...(host === undefined ? {} : { host }), port: places.portOf(organisation), ...own },
    ...(tls ? { client: filesOf(tls) } : {}),
    keyFile: organisationKeyFile(places, organisation),
    journal: join(folder, 'journal.sqlite'),
    register,
    systems: definition.systems
      .filter((system) => system.owner === organisation)
      .map(({ id }) => ({ id, ...own, validators: validatorsOf(id) })),
    authentication: { kind: 'development', clients, keys: join(folder, 'oauth-keys.json') },
  };
}

/** The APIs of all organisations as a CoreAPI's configuration names them. */
export function peersOf({ organisations }: NetworkDefinition, places: Places): object {
  return Object.fromEntries(
    organisations.map(({ id }) => [id, { url: places.urlOf(id), ...certificateNameOf(places, id) }]),
  );
}

/**
 * Writes what the command line needs to ask every organisation's API as any of its clients. Secrets lie in a file each, where `secretFileOf` says, by
 * a path from the profile's folder.
 */
export function writeProfile(
  definition: NetworkDefinition,
  places: Places,
  network: Hash,
  folder: string,
  secretFileOf: (organisation: string, client: string) => string,
): void {
  const organisations = definition.organisations.map(({ id, name }) => {
    const clients = Object.keys(API_CLIENTS).map((client) => {
      const secretFile = secretFileOf(id, client);
      writeSecret(join(folder, secretFile), places.secretOf(id, client));
      return [client, { secretFile }] as const;
    });
    const access = {
      tokenEndpoint: `${places.urlOf(id)}/oauth/token`,
      clientId: OPERATOR,
      clients: Object.fromEntries(clients),
    };
    const tls = places.tlsOf(id);
    return [id, { name, api: places.urlOf(id), access, ...(tls ? { tls: { caFile: tls.caFile } } : {}) }] as const;
  });
  writeSecretJson(join(folder, 'profile.json'), {
    network,
    default: definition.organisations[0]?.id,
    organisations: Object.fromEntries(organisations),
  });
}

function certificateNameOf(places: Places, name: string): object {
  const tls = places.tlsOf(name);
  return tls ? { name: tls.certificateName } : {};
}

function filesOf({ certFile, keyFile, caFile }: NonNullable<ReturnType<Places['tlsOf']>>): object {
  return { certFile, keyFile, caFile };
}
