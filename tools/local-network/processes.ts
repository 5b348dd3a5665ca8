import { join } from 'node:path';
import type { NetworkDefinition } from '@linkspan/protocol';
import { tokenAddress } from '../../apps/cli/src/product/development-accounts.ts';
import type { ChildDefinition } from './child.ts';
import type { Sources } from './conservation.ts';
import { configFileOf, CORE_API, type Layout, urlOf } from './layout.ts';

/** The processes of the local network: a system, a validator, or the one that hosts the ledger and every organisation. */
export function processesOf(definition: NetworkDefinition, layout: Layout): ChildDefinition[] {
  const child = (name: string, script: string): ChildDefinition => ({
    name,
    script: join(layout.root, script),
    config: configFileOf(layout, name),
  });
  return [
    ...definition.systems.map(({ id, kind }) =>
      child(id, kind === 'evm' ? 'systems/fcy-evm/src/main.ts' : 'systems/domestic-web/src/main.ts'),
    ),
    ...layout.validators.map(({ name }) => child(name, 'apps/validator/src/main.ts')),
    child(CORE_API, 'apps/core-api/src/main.ts'),
  ];
}

/** Where the connected systems themselves tell what everybody has. */
export function sourcesOf(
  definition: NetworkDefinition,
  layout: Layout,
  secretOf: (system: string, client: string) => string,
): Sources {
  const evm = definition.systems.filter((system) => system.kind === 'evm');
  const web = definition.systems.filter((system) => system.kind !== 'evm');
  return {
    registers: Object.fromEntries(
      web.map(({ id }) => [id, { url: urlOf(layout, id), client: 'auditor', secret: secretOf(id, 'auditor') }]),
    ),
    chains: Object.fromEntries(
      evm.map(({ id }) => [
        id,
        { rpcUrl: urlOf(layout, id), token: tokenAddress(), holders: Object.keys(definition.balances[id] ?? {}) },
      ]),
    ),
  };
}
