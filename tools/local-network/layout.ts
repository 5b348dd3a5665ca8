import { join } from 'node:path';
import type { NetworkDefinition } from '@linkspan/protocol';
import { type ValidatorPlace, validatorPlaces } from '../../apps/cli/src/product/places.ts';

/** Where everything of the local network lives: one folder per process under the data directory, one port each above the base. */
export type Layout = {
  readonly root: string;
  readonly data: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly validators: readonly ValidatorPlace[];
  /** Everything that is reached by TLS; nothing where it was not asked for. */
  readonly secured: ReadonlySet<string>;
};

/** Name of the one process that hosts the embedded ledger and every organisation. */
export const CORE_API = 'core-api';

/** With `tls` everything but the chains speaks TLS: a node beside its validator needs none, since what it is sent is signed. */
export function layOut(
  definition: NetworkDefinition,
  root: string,
  data: string,
  portBase: number,
  tls = false,
): Layout {
  const validators = validatorPlaces(definition);
  const ports = Object.fromEntries([
    ...definition.organisations.map((organisation, i) => [organisation.id, portBase + 1 + i] as const),
    ...definition.systems.map((system, i) => [system.id, portBase + 11 + i] as const),
    ...validators.map((validator, i) => [validator.name, portBase + 21 + i] as const),
  ]);
  const chains = new Set(definition.systems.filter(({ kind }) => kind === 'evm').map(({ id }) => id));
  const secured = new Set(tls ? Object.keys(ports).filter((name) => !chains.has(name)) : []);
  return { root, data, ports, validators, secured };
}

export function urlOf(layout: Layout, name: string): string {
  return `${layout.secured.has(name) ? 'https' : 'http'}://127.0.0.1:${layout.ports[name] ?? 0}`;
}

export function folderOf(layout: Layout, process: string): string {
  return join(layout.data, process);
}

export function configFileOf(layout: Layout, process: string): string {
  return join(folderOf(layout, process), 'config.json');
}
