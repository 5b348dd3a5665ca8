import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, type NetworkDefinition, networkId } from '@linkspan/protocol';
import { fabricPrograms } from '../../apps/cli/src/network/fabric-programs.ts';
import { localNetworkFile, readNetworkFile } from '../../apps/cli/src/network/network-definition.ts';
import { bringDown } from '../../apps/cli/src/network/network-down.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { bringUp } from '../../apps/cli/src/network/network-up.ts';
import { agreedProduct, readGenesis } from '../../apps/cli/src/network/product.ts';
import { productPlaces } from '../../apps/cli/src/network/product-places.ts';
import { prepareProduct, processesOfProduct } from '../../apps/cli/src/network/product-processes.ts';
import { CORE_API } from '../../apps/cli/src/network/product-tls.ts';
import { writeJson } from '../../apps/cli/src/network/write-json.ts';
import { CannotRun } from './cannot-run.ts';
import type { ChildDefinition } from './child.ts';
import { endAfterThis } from './end-after-this.ts';
import type { Host, OpenHost } from './host.ts';

const COUNTRIES = 4;
/** What the network and the supervisor make in the data directory. */
const WRITTEN = ['network.json', 'shared', 'organisations', 'profile.json', 'log'];

/** The ledger on Fabric: every organisation has its own nodes, CoreAPI, validators and systems, in a folder of its own. */
export function fabricHost(
  definition: NetworkDefinition,
  { root, data, portBase }: { readonly root: string; readonly data: string; readonly portBase: number },
): Host {
  const file = localNetworkFile(COUNTRIES, portBase);
  const network = readNetworkFile(file);
  const layout = networkLayout(data);
  const product = agreedProduct(network, definition);
  const places = productPlaces(network, layout, product);
  const prepared = { product, places, profile: join(data, 'profile.json') };
  const children = network.organisations.flatMap((organisation) =>
    processesOfProduct(organisation, prepared).map(({ name, script, config }): ChildDefinition => ({
      name: name === CORE_API ? `${CORE_API}-${organisation.id}` : name,
      script,
      config,
    })),
  );
  const names = children.map(({ name }) => name);
  const members = product.definition.organisations.map(({ id }) => id);
  return {
    definition: product.definition,
    layout: {
      root,
      data,
      ports: Object.fromEntries([
        ...[...members, ...names.filter((name) => !name.startsWith(CORE_API))].map((name) => [
          name,
          places.portOf(name),
        ]),
        ...network.organisations.flatMap(({ id, ports }) => {
          const { coreApi: _, firstSystem: __, ...nodes } = ports;
          return Object.entries(nodes).map(([node, port]) => [`${id} ${node}`, port]);
        }),
      ]),
      validators: places.validators,
      secured: new Set(),
    },
    caution: `${COUNTRIES} organisations, each with its own Fabric nodes, on loopback in development mode; the keys of the chain are known to all`,
    parts: new Map<string, readonly string[]>([
      ...names.map((name): [string, readonly string[]] => [name, [name]]),
      [CORE_API, names.filter((name) => name.startsWith(CORE_API))],
    ]),
    written: WRITTEN,
    isKept: () => existsSync(layout.definitionFile),
    secretOf: places.secretOf,
    async open(say): Promise<OpenHost> {
      mkdirSync(data, { recursive: true });
      const programs = await asCannotRun(fabricPrograms(process.env, say));
      // An earlier start that was killed may have left nodes that are just being ended.
      if (existsSync(layout.definitionFile)) await bringDown(network, data);
      writeJson(layout.definitionFile, file);
      const ended = endAfterThis(data);
      try {
        await bringUp({ network, directory: data, programs, say });
        prepareProduct(network, layout, definition);
      } catch (error) {
        await ended();
        throw error instanceof Fault ? new CannotRun(error.message) : error;
      }
      return { network: networkId(readGenesis(layout)), processes: children, [Symbol.asyncDispose]: ended };
    },
  };
}

async function asCannotRun<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Fault ? new CannotRun(error.message) : error;
  }
}
