import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkDefinition, ScenarioDocument } from '@linkspan/protocol';
import type { Host } from './host.ts';
import { layOut } from './layout.ts';
import { secureNetwork } from './network-tls.ts';
import { processesOf } from './processes.ts';
import { clientSecret, readScenarios, writeFiles } from './write-files.ts';

/** What `writeFiles` and the supervisor make in the data directory, besides a folder for each process. */
const WRITTEN = ['genesis.json', 'nonce', 'secret', 'secrets', 'tls', 'profile.json', 'log'];

/** The ledger inside one CoreAPI, which serves every organisation. */
export function embeddedHost(
  definition: NetworkDefinition,
  {
    root,
    data,
    portBase,
    tls,
  }: { readonly root: string; readonly data: string; readonly portBase: number; readonly tls: boolean },
  scenarioOf: (value: unknown) => ScenarioDocument,
): Host {
  const layout = layOut(definition, root, data, portBase, tls);
  const processes = processesOf(definition, layout);
  return {
    definition,
    layout,
    caution: `development mode, on loopback: ${tls ? 'the authority of the certificates lies in the data folder' : 'validators ask nobody who reaches their ports'}, and the keys of the chain are known to all`,
    parts: new Map(processes.map(({ name }) => [name, [name]])),
    written: [...WRITTEN, ...processes.map(({ name }) => name)],
    isKept: () => existsSync(join(data, 'genesis.json')),
    secretOf: (owner, client) => clientSecret(layout, owner, client),
    async open() {
      const secured = tls ? await secureNetwork(definition, layout) : undefined;
      const { network } = writeFiles(definition, readScenarios(definition, root, scenarioOf), layout);
      return { network, processes, [Symbol.asyncDispose]: async () => secured?.[Symbol.dispose]() };
    },
  };
}
