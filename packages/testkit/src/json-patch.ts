import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The part of JSON Patch (RFC 6902) in which vectors say how they differ from a document that is right. */
export const jsonPatchSchema = z.array(
  z.discriminatedUnion('op', [
    z.strictObject({ op: z.enum(['add', 'replace']), path: z.string(), value: z.json() }),
    z.strictObject({ op: z.literal('remove'), path: z.string() }),
  ]),
);
export type JsonPatch = z.infer<typeof jsonPatchSchema>;
type Json = z.infer<ReturnType<typeof z.json>>;

const patchVectorsSchema = z.strictObject({
  document: z.json(),
  valid: z.array(z.strictObject({ why: z.string(), change: jsonPatchSchema })),
  invalid: z.array(
    z.strictObject({
      why: z.string(),
      change: jsonPatchSchema,
      problems: z.array(z.strictObject({ pointer: z.string(), code: z.string() })),
    }),
  ),
});

/** Vectors that change one right document: into others that are right, or into some with problems. `file` is from the repository's root. */
export function readPatchVectors(file: string): z.infer<typeof patchVectorsSchema> {
  return patchVectorsSchema.parse(JSON.parse(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')));
}

/** A changed copy of the document. Throws where a path leads nowhere, so that a vector cannot miss what it means to change. */
export function applyJsonPatch(document: Json, patch: JsonPatch): Json {
  let whole = structuredClone(document);
  for (const step of patch) {
    if (step.path === '') {
      if (step.op === 'remove') throw new Error('the whole document cannot be removed');
      whole = structuredClone(step.value);
      continue;
    }
    const names = step.path
      .split('/')
      .slice(1)
      .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = names.pop() ?? '';
    let at = whole;
    for (const name of names) at = memberOf(at, name, step.path);
    if (Array.isArray(at)) changeArray(at, last, step);
    else if (typeof at === 'object' && at !== null) changeObject(at, last, step);
    else throw new Error(`${step.path} leads nowhere`);
  }
  return whole;
}

function memberOf(at: Json, name: string, path: string): Json {
  const member =
    typeof at === 'object' && at !== null ? new Map<string, Json>(Object.entries(at)).get(name) : undefined;
  if (member === undefined) throw new Error(`${path} leads nowhere`);
  return member;
}

function changeArray(array: Json[], name: string, step: JsonPatch[number]): void {
  const index = name === '-' ? array.length : Number(name);
  if (!Number.isInteger(index) || index > array.length || (step.op !== 'add' && index === array.length)) {
    throw new Error(`${step.path} leads nowhere`);
  }
  if (step.op === 'remove') array.splice(index, 1);
  else array.splice(index, step.op === 'add' ? 0 : 1, structuredClone(step.value));
}

function changeObject(object: Record<string, Json>, name: string, step: JsonPatch[number]): void {
  if (step.op !== 'add' && !Object.hasOwn(object, name)) throw new Error(`${step.path} leads nowhere`);
  if (step.op === 'remove') delete object[name];
  else object[name] = structuredClone(step.value);
}
