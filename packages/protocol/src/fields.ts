import { z } from 'zod';
import { type Hash, hashOf } from './hash.ts';
import type { JsonObject } from './json.ts';

/** One value of an instruction: the contract knows an instruction only as a sorted list of these, and its hash is over that list. */
export type Field = { readonly path: string; readonly value: string };

export const fieldsSchema = z
  .array(
    z
      .strictObject({ path: z.string().regex(/^(\/[A-Za-z][A-Za-z0-9]{0,31}){1,6}$/), value: z.string().max(280) })
      .readonly(),
  )
  .min(1)
  .max(128)
  .readonly();

/** Every text of a nested object with its path, sorted by path. Throws on anything that is neither object nor text. */
export function flatten(instruction: object): Field[] {
  const fields: Field[] = [];
  walk(instruction, '', fields);
  return fields.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function walk(value: unknown, path: string, fields: Field[]): void {
  if (typeof value === 'string') fields.push({ path, value });
  else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, member] of Object.entries(value))
      if (member !== undefined) walk(member, `${path}/${name}`, fields);
  } else throw new RangeError(`${path} is neither text nor an object`);
}

/** The nested object that {@link flatten} came from, or undefined where paths are unsorted, repeated or lead through a value. */
export function unflatten(fields: readonly Field[]): JsonObject | undefined {
  const root = new Map<string, unknown>();
  let previous = '';
  for (const { path, value } of fields) {
    if (path <= previous) return undefined;
    previous = path;
    const names = path.split('/').slice(1);
    const last = names.pop();
    let at = root;
    for (const name of names) {
      const next = at.get(name) ?? new Map<string, unknown>();
      if (!(next instanceof Map)) return undefined;
      at.set(name, next);
      at = next;
    }
    if (last === undefined || at.has(last)) return undefined;
    at.set(last, value);
  }
  return toObject(root);
}

function toObject(map: Map<string, unknown>): JsonObject {
  return Object.fromEntries(
    [...map].map(([name, value]) => [name, value instanceof Map ? toObject(value) : String(value)]),
  );
}

export function instructionHash(fields: readonly Field[]): Hash {
  return hashOf({ schema: 'instruction-fields/1', fields });
}

export function fieldAt(fields: readonly Field[], path: string): string | undefined {
  return fields.find((field) => field.path === path)?.value;
}

/** The fields below a path by their own names: `/lcy` gives amount and currency. */
export function fieldsBelow(fields: readonly Field[], path: string): Record<string, string> {
  const prefix = `${path}/`;
  return Object.fromEntries(
    fields
      .filter((field) => field.path.startsWith(prefix))
      .map((field) => [field.path.slice(prefix.length), field.value]),
  );
}
