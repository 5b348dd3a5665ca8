import { join } from 'node:path';
import type { NetworkDefinition } from '@linkspan/testkit';

/** Where everything of the local network lives: one folder per process under the data directory, one port each above the base. */
export type Layout = {
  readonly root: string;
  readonly data: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly validators: readonly { readonly name: string; readonly system: string; readonly index: number }[];
};

/** Name of the one process that hosts the embedded ledger and every organisation. */
export const CORE_API = 'core-api';

export function layOut(definition: NetworkDefinition, root: string, data: string, portBase: number): Layout {
  const validators = definition.systems.flatMap((system) =>
    Array.from({ length: system.validators.count }, (_, index) => ({
      name: `validator-${system.id}${system.validators.count > 1 ? `-${index + 1}` : ''}`,
      system: system.id,
      index,
    })),
  );
  const ports = Object.fromEntries([
    ...definition.organisations.map((organisation, i) => [organisation.id, portBase + 1 + i] as const),
    ...definition.systems.map((system, i) => [system.id, portBase + 11 + i] as const),
    ...validators.map((validator, i) => [validator.name, portBase + 21 + i] as const),
  ]);
  return { root, data, ports, validators };
}

export function urlOf(layout: Layout, name: string): string {
  return `http://127.0.0.1:${layout.ports[name] ?? 0}`;
}

export function folderOf(layout: Layout, process: string): string {
  return join(layout.data, process);
}

export function configFileOf(layout: Layout, process: string): string {
  return join(folderOf(layout, process), 'config.json');
}
