import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { Fault, type NetworkDefinition } from '@linkspan/protocol';
import type { Places } from '../product/places.ts';
import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import type { NetworkLayout, OrganisationLayout } from './network-layout.ts';
import { checkRuns, type NodeProcess, startProcess } from './node-process.ts';
import { answers, listens } from './node-requests.ts';
import { LOCAL_DEFINITION, openProduct, type Product, readDefinition, ROOT } from './product.ts';
import {
  apiConfigFile,
  configFileOf,
  makeLedgerGenesis,
  publishKeys,
  writeLocalProfile,
  writeOwnFiles,
} from './product-files.ts';
import { ownParts, productPlaces } from './product-places.ts';
import { CORE_API } from './product-tls.ts';

/** A process of the product: a program of this installation with a configuration. `isUp` says whether it does its work. */
export type ProductProcess = {
  readonly name: string;
  readonly script: string;
  readonly config: string;
  readonly isUp: () => Promise<boolean>;
};

/** The product on a network, ready to be started: every organisation's files are written. */
export type PreparedProduct = {
  readonly product: Product;
  readonly places: Places;
  /** What somebody who may act for every organisation asks with. */
  readonly profile: string;
};

/** Writes every organisation's files, each from its own folder and the shared one, and a profile for the person at the terminal. */
export function prepareProduct(
  network: FabricNetwork,
  layout: NetworkLayout,
  definition: NetworkDefinition = readDefinition(LOCAL_DEFINITION),
): PreparedProduct {
  const product = openProduct(network, layout, definition);
  const places = productPlaces(network, layout, product);
  for (const each of network.organisations) publishKeys(each, layout, product, places);
  makeLedgerGenesis(layout, product);
  for (const each of network.organisations) writeOwnFiles(network, each, layout, product, places);
  return { product, places, profile: writeLocalProfile(network, layout, product, places) };
}

/** An organisation's systems, validators and CoreAPI, in the order in which they are started. */
export function processesOfProduct(
  organisation: FabricOrganisation,
  { product, places }: Pick<PreparedProduct, 'product' | 'places'>,
): ProductProcess[] {
  const member = product.memberOf(organisation);
  if (member === undefined) return [];
  const { host, ports } = organisation;
  const kinds = new Map(product.definition.systems.map(({ id, kind }) => [id, kind]));
  const scriptOf = (name: string): string => {
    const kind = kinds.get(name);
    if (kind === undefined) return 'apps/validator/src/main.ts';
    return kind === 'evm' ? 'systems/fcy-evm/src/main.ts' : 'systems/domestic-web/src/main.ts';
  };
  return [
    ...ownParts(product.definition, member).map((name) => ({
      name,
      script: join(ROOT, scriptOf(name)),
      config: configFileOf(places, name),
      isUp: () => listens(host, places.portOf(name)),
    })),
    {
      name: CORE_API,
      script: join(ROOT, 'apps/core-api/src/main.ts'),
      config: apiConfigFile(places, member),
      isUp: () => answers(`http://${host}:${ports.coreApi}/readyz`),
    },
  ];
}

/** Starts what does not run of an organisation's systems, validators and CoreAPI, and waits until each does its work. */
export async function startProduct(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  prepared: PreparedProduct,
): Promise<void> {
  await Promise.all(processesOfProduct(organisation, prepared).map((each) => startAndWait(organisation, layout, each)));
}

/** Most of a start is compiling the same modules in every process: a later one takes what the first ones left. Node checks that it is fresh. */
const COMPILED = join(ROOT, 'node_modules/.cache/linkspan');
const LONGEST_WAIT_MS = 120_000;
const LOOK_EVERY_MS = 100;

async function startAndWait(
  organisation: FabricOrganisation,
  layout: OrganisationLayout,
  { name, script, config, isUp }: ProductProcess,
): Promise<void> {
  const node: NodeProcess = {
    name,
    program: process.execPath,
    args: [script, '--config', config],
    env: { NODE_COMPILE_CACHE: COMPILED },
  };
  startProcess(layout, node);
  const log = join(layout.logs, `${name}.log`);
  const begun = performance.now();
  for (;;) {
    const isAnswered = await isUp();
    // Another program that has the port answers too.
    checkRuns(layout, organisation, name);
    if (isAnswered) return;
    if (performance.now() - begun > LONGEST_WAIT_MS)
      throw new Fault(
        'not-ready',
        `${name} of ${organisation.id} was not ready within ${LONGEST_WAIT_MS / 1000} s; ${log} says why.`,
      );
    await delay(LOOK_EVERY_MS);
  }
}
