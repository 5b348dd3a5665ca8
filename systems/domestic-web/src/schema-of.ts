import { emptySketch } from './decode.ts';
import type { Reader, Sketch } from './decode.ts';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has them. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * What a reader takes, as a JSON Schema: the reader itself says so, so that no description can differ from it. Parts with a name of their own go into `named`, and
 * are referred to. Rules between members, and that ids are not zero, a schema does not say.
 */
export function schemaOf(read: Reader<unknown>, named: Map<string, JsonSchema>): JsonSchema {
  const sketch = emptySketch();
  read({ value: undefined, pointer: '', problems: [], sketch });
  return schemaOfSketch(sketch, named);
}

function schemaOfSketch({ name, keywords, members, element }: Sketch, named: Map<string, JsonSchema>): JsonSchema {
  const schema = members
    ? schemaOfMembers(members, named)
    : { ...keywords, ...(element ? { items: schemaOfSketch(element, named) } : {}) };
  if (name === undefined) return schema;
  named.set(name, schema);
  return { $ref: `#/components/schemas/${name}` };
}

function schemaOfMembers(members: ReadonlyMap<string, Sketch>, named: Map<string, JsonSchema>): JsonSchema {
  const properties = Array.from(members, ([name, sketch]) => [name, schemaOfSketch(sketch, named)] as const);
  const required = Array.from(members).flatMap(([name, { isOptional }]) => (isOptional ? [] : [name]));
  return { type: 'object', properties: Object.fromEntries(properties), required, additionalProperties: false };
}
