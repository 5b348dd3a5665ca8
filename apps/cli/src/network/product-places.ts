import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkDefinition } from '@linkspan/protocol';
import { type Places, validatorPlaces } from '../product/places.ts';
import { writeSecret } from '../product/write-whole.ts';
import { type FabricNetwork, type FabricOrganisation, INSIDE, isLocal, listenHost } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { certificateName, CORE_API, productTls, tlsAuthorities } from './product-tls.ts';
import type { Product } from './product.ts';

/**
 * Where the product's processes are on a Fabric network: on the host of the organisation that they belong to, in its folder, at the ports behind those of
 * its nodes. Secrets are made where they are asked for, in the folder of whom they belong to.
 */
export function productPlaces(network: FabricNetwork, layout: NetworkLayout, product: Product): Places {
  const { definition } = product;
  const validators = validatorPlaces(definition);
  const homes = new Map(network.organisations.map((each) => [product.memberOf(each), each]));
  const homeOf = (name: string): FabricOrganisation => {
    const system = validators.find((each) => each.name === name)?.system ?? name;
    const owner = definition.systems.find(({ id }) => id === system)?.owner ?? name;
    const home = homes.get(owner);
    if (!home) throw new TypeError(`${name} belongs to no organisation of the network`);
    return home;
  };
  const chains = new Set(definition.systems.flatMap(({ id, kind }) => (kind === 'evm' ? [id] : [])));
  const isOrganisation = (name: string): boolean => definition.organisations.some(({ id }) => id === name);
  const folderOf = (name: string): string => layout.organisation(homeOf(name)).folder;
  const portOf = (name: string): number => {
    const home = homeOf(name);
    const place = ownParts(definition, product.memberOf(home) ?? '').indexOf(name);
    return place < 0 ? home.ports.coreApi : home.ports.firstSystem + place;
  };
  return {
    validators,
    portOf,
    urlOf: (name) => {
      const isApi = isOrganisation(name);
      const { host } = homeOf(name);
      if (isLocal(homeOf(name))) return `http://${INSIDE}:${portOf(name)}`;
      // An organisation's systems and validators are asked by itself alone. A node of a chain beside its validator speaks no TLS.
      return `${chains.has(name) ? 'http' : 'https'}://${isApi ? host : INSIDE}:${portOf(name)}`;
    },
    listenHostOf: (organisation) => (isLocal(homeOf(organisation)) ? undefined : listenHost(homeOf(organisation))),
    folderOf: (name) => join(folderOf(name), name),
    apiFolderOf: (organisation) => join(folderOf(organisation), 'core-api'),
    secretOf: (owner, client) => secretOf(join(folderOf(owner), 'secret'), owner, client),
    tlsOf: (name) => {
      const home = homeOf(name);
      if (isLocal(home) || chains.has(name)) return undefined;
      const isApi = isOrganisation(name);
      return {
        ...productTls(layout.organisation(home), isApi ? CORE_API : name),
        caFile: isApi ? tlsAuthorities(layout) : layout.organisation(home).tlsCa.certificate,
        certificateName: certificateName(isApi ? 'organisation' : 'process', name),
      };
    },
  };
}

/** Systems and validators of an organisation, in the order of their ports. */
export function ownParts(definition: NetworkDefinition, organisation: string): string[] {
  const systems = definition.systems.filter(({ owner }) => owner === organisation);
  return [...systems.map(({ id }) => id), ...validatorPlaces({ systems }).map(({ name }) => name)];
}

/** One secret per owner and client, from a seed that only the organisation has. */
function secretOf(seedFile: string, owner: string, client: string): string {
  if (!existsSync(seedFile)) writeSecret(seedFile, randomBytes(32).toString('hex'));
  const seed = readFileSync(seedFile, 'utf8').trim();
  return createHash('sha256').update(`${seed} ${owner} ${client}`).digest('hex');
}
