import fc from 'fast-check';
import type { Random } from '../torture/random.ts';

/** A JSON Schema (2020-12) as far as the API's documents use it. */
export type Schema = Readonly<Record<string, unknown>>;
/** Schemas by the name that a `$ref` ends in. */
export type Schemas = Readonly<Record<string, unknown>>;

/** Makes a value that a schema allows, or nearly: what a schema cannot say (check digits, signatures) is wrong more often than not. */
export type MakeValue = (schema: unknown, name?: string) => unknown;

/** `known` gives values that mean something to the server (ids, references), by the pattern or the name that asks for them. */
export function createMaker(
  random: Random,
  schemas: Schemas,
  known: (pattern: string, name: string) => readonly string[],
): MakeValue {
  const samples = new Map<string, readonly string[]>();

  function make(input: unknown, name = '', depth = 0): unknown {
    const schema = resolve(schemas, input);
    if ('const' in schema) return schema['const'];
    if (Array.isArray(schema['enum'])) return random.pick(listOf(schema['enum']));
    const choices = listOf(schema['oneOf'] ?? schema['anyOf']);
    if (choices.length > 0) return make(random.pick(choices), name, depth);
    const type = Array.isArray(schema['type']) ? random.pick(listOf(schema['type'])) : schema['type'];
    if (type === 'string') return text(schema, name);
    if (type === 'integer' || type === 'number') return number(schema);
    if (type === 'boolean') return random.chance(0.5);
    if (type === 'null') return null;
    if (type === 'array') return list(schema, name, depth);
    if (type === 'object') return object(schema, depth);
    return random.pick([null, 'text', 7, {}]);
  }

  function text(schema: Schema, name: string): string {
    const pattern = typeof schema['pattern'] === 'string' ? schema['pattern'] : '';
    const meant = known(pattern, name);
    if (meant.length > 0 && random.chance(0.7)) return random.pick(meant);
    if (pattern !== '') return random.pick(matching(pattern));
    const least = numberOr(schema['minLength'], 0);
    const most = Math.min(numberOr(schema['maxLength'], 40), 400);
    const length = random.chance(0.1) ? most : random.between(least, Math.min(most, least + 20));
    return Array.from({ length }, () => random.pick(LETTERS)).join('');
  }

  function matching(pattern: string): readonly string[] {
    const made = samples.get(pattern);
    if (made) return made;
    const seed = random.between(0, 2 ** 31 - 1);
    const fresh = fc.sample(fc.stringMatching(new RegExp(pattern)), { seed, numRuns: 20 });
    samples.set(pattern, fresh);
    return fresh;
  }

  function number(schema: Schema): number {
    const least = numberOr(schema['minimum'], 0);
    const most = Math.min(numberOr(schema['maximum'], 2 ** 31), Number.MAX_SAFE_INTEGER);
    return random.chance(0.2) ? random.pick([least, most]) : random.between(least, Math.min(most, least + 1000));
  }

  function list(schema: Schema, name: string, depth: number): unknown[] {
    const fixed = listOf(schema['prefixItems']);
    if (fixed.length > 0) return fixed.map((item) => make(item, name, depth + 1));
    const least = numberOr(schema['minItems'], 0);
    const most = Math.min(numberOr(schema['maxItems'], 4), 70);
    const length = random.chance(0.05) ? most : random.between(least, Math.max(least, Math.min(most, 3)));
    return Array.from({ length: depth > 8 ? least : length }, () => make(schema['items'], name, depth + 1));
  }

  function object(schema: Schema, depth: number): Record<string, unknown> {
    const members = new Map<string, unknown>();
    const required = new Set(listOf(schema['required']));
    for (const [name, member] of Object.entries(recordOf(schema['properties'])))
      if (required.has(name) || random.chance(0.5)) members.set(name, make(member, name, depth + 1));
    const names = schema['propertyNames'];
    if (names !== undefined && isRecord(schema['additionalProperties'])) {
      for (let n = random.between(0, 4); n > 0; n--)
        members.set(String(make(names, '', depth + 1)), make(schema['additionalProperties'], '', depth + 1));
    }
    return Object.fromEntries(members);
  }

  return (schema, name) => make(schema, name);
}

/** The schema behind any `$ref`; what is no schema allows everything. */
export function resolve(schemas: Schemas, input: unknown): Schema {
  const schema = recordOf(input);
  const reference = schema['$ref'];
  return typeof reference === 'string' ? resolve(schemas, schemas[reference.split('/').at(-1) ?? '']) : schema;
}

export function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordOf(value: unknown): Schema {
  return isRecord(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789 -/._é漢😀');
