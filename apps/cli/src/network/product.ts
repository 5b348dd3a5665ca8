import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Fault,
  type Genesis,
  genesisSchema,
  type NetworkDefinition,
  networkDefinitionSchema,
  parse,
  type ScenarioDocument,
  scenarioDocumentSchema,
} from '@linkspan/protocol';
import type { FabricNetwork, FabricOrganisation } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { writeJson } from './write-json.ts';

/** Where this program, its samples and its scenarios are installed. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** What runs on a Fabric network: organisations of the consortium ledger, their connected systems, parties and scenarios. */
export type Product = {
  readonly definition: NetworkDefinition;
  /** The same without organisations that joined later: what the genesis was made of. */
  readonly founding: NetworkDefinition;
  /** Which of them each organisation of the Fabric network is. */
  readonly memberOf: (organisation: FabricOrganisation) => string | undefined;
  /** The founding ones by the ids of Fabric organisations, also of those that have left since. */
  readonly members: Readonly<Record<string, string>>;
};

/**
 * The product of a network as it was agreed on when the network was made, kept in the shared folder. The organisations of the definition are those of
 * the network, in their order or as the network file names them; further ones take part with a CoreAPI and no system.
 */
export function openProduct(network: FabricNetwork, layout: NetworkLayout, definition: NetworkDefinition): Product {
  const file = productFile(layout);
  if (!existsSync(file)) writeJson(file, agree(network, definition));
  return keptProduct(network, layout);
}

/** The product that a network is going to have with a definition. */
export function agreedProduct(network: FabricNetwork, definition: NetworkDefinition): Product {
  return withJoined(network, agree(network, definition));
}

/** The product that a network was made with, and the organisations that have joined it since. */
export function keptProduct(network: FabricNetwork, layout: NetworkLayout): Product {
  const file = productFile(layout);
  const kept: unknown = readJson(file);
  const { definition, members } = isKept(kept) ? kept : { definition: undefined, members: {} };
  const parsed = networkDefinitionSchema.safeParse(definition);
  if (!parsed.success) throw unusable(file);
  return withJoined(network, { definition: parsed.data, members });
}

/** Whether the network was made with a product. */
export function hasProduct(layout: NetworkLayout): boolean {
  return existsSync(productFile(layout));
}

export const LOCAL_DEFINITION = join(ROOT, 'deploy/local/network.json');

/** A definition as people write it down. */
export function readDefinition(file: string): NetworkDefinition {
  const parsed = networkDefinitionSchema.safeParse(readJson(file));
  if (!parsed.success) throw unusable(file);
  return parsed.data;
}

export function genesisFile({ shared }: NetworkLayout): string {
  return join(shared, 'genesis.json');
}

export function readGenesis(layout: NetworkLayout): Genesis {
  const parsed = genesisSchema.safeParse(readJson(genesisFile(layout)));
  if (!parsed.success) throw unusable(genesisFile(layout));
  return parsed.data;
}

/** The rule documents that a definition names, as they are installed. */
export function scenariosOf({ scenarios }: NetworkDefinition): ScenarioDocument[] {
  return scenarios.map((name) => {
    const file = join(ROOT, 'scenarios', name, 'scenario.json');
    const parsed = parse(scenarioDocumentSchema, readJson(file), 'scenario-invalid');
    if (!parsed.ok) throw new Fault('configuration-invalid', `${file} cannot be used: ${parsed.refusal.message}`);
    return parsed.value;
  });
}

export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Fault('configuration-invalid', `${file} is missing or no JSON.`, { cause });
  }
}

type Agreed = { readonly definition: NetworkDefinition; readonly members: Readonly<Record<string, string>> };

function agree({ organisations }: FabricNetwork, definition: NetworkDefinition): Agreed {
  const named = new Set(organisations.flatMap(({ member }) => member ?? []));
  const free = definition.organisations.filter(({ id }) => !named.has(id)).values();
  const members = Object.fromEntries(
    organisations.map(({ id, member }) => [id, member ?? free.next().value?.id ?? id] as const),
  );
  const known = new Set(definition.organisations.map(({ id }) => id));
  const added = Object.values(members).filter((id) => !known.has(id));
  const missing = definition.organisations.find(({ id }) => !Object.values(members).includes(id));
  if (missing || new Set(Object.values(members)).size < organisations.length)
    throw new Fault(
      'configuration-invalid',
      `Each organisation of the definition is one of the network: ${missing?.id ?? 'one'} is not there exactly once.`,
    );
  const others = added.map((id, i) => ({ id, name: nameOf(id), economy: String.fromCodePoint(FIRST_OTHER + i) }));
  return { definition: { ...definition, organisations: [...definition.organisations, ...others] }, members };
}

/** An organisation of the network that is none of the founding ones has joined later, with a CoreAPI and no system. */
function withJoined({ organisations }: FabricNetwork, { definition, members }: Agreed): Product {
  const joined = organisations.filter(({ id }) => members[id] === undefined);
  const later = Object.fromEntries(joined.map(({ id, member }) => [id, member ?? id] as const));
  const all = { ...members, ...later };
  const ids = Object.values(all);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined)
    throw new Fault('configuration-invalid', `Two organisations of the network are or were ${twice}.`);
  const added = joined.map(({ id, number }) => {
    const name = all[id] ?? id;
    return { id: name, name: nameOf(name), economy: String.fromCodePoint(Math.min(BEFORE_A + number, LAST_LETTER)) };
  });
  return {
    definition: { ...definition, organisations: [...definition.organisations, ...added] },
    founding: definition,
    memberOf: ({ id }) => all[id],
    members,
  };
}

const BEFORE_A = 64;
const LAST_LETTER = 90;

/** Economies of the definition are A and B; those that are added follow from D on, as their networks' countries do. */
const FIRST_OTHER = 68;

/** `country-d` as people write it. */
function nameOf(id: string): string {
  return id.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => ` ${letter.toUpperCase()}`).trim();
}

function productFile({ shared }: NetworkLayout): string {
  return join(shared, 'product.json');
}

function unusable(file: string): Fault {
  return new Fault('configuration-invalid', `${file} cannot be used: it does not have the members that it needs.`);
}

function isKept(
  value: unknown,
): value is { readonly definition: unknown; readonly members: Readonly<Record<string, string>> } {
  if (typeof value !== 'object' || value === null || !('definition' in value) || !('members' in value)) return false;
  const { members } = value;
  return (
    typeof members === 'object' && members !== null && Object.values(members).every((id) => typeof id === 'string')
  );
}
