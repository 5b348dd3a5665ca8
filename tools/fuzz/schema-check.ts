import { isRecord, listOf, recordOf, resolve, type Schema, type Schemas } from './schema-values.ts';

/** Where and how a value does not fit a schema, or undefined where it fits. */
export function misfit(schemas: Schemas, input: unknown, value: unknown, at = ''): string | undefined {
  const schema = resolve(schemas, input);
  if ('const' in schema && schema['const'] !== value) return `${at} is not ${String(schema['const'])}`;
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return `${at} is no value of its list`;
  const choices = listOf(schema['oneOf'] ?? schema['anyOf']);
  if (choices.length > 0 && choices.every((choice) => misfit(schemas, choice, value, at) !== undefined))
    return `${at} fits none of its choices: ${misfit(schemas, choices[0], value, at)}`;
  const types = Array.isArray(schema['type']) ? listOf(schema['type']) : [schema['type']];
  if (schema['type'] !== undefined && !types.some((type) => isOfType(type, value)))
    return `${at} is no ${types.join(' or ')}`;
  if (typeof value === 'string') return textMisfit(schema, value, at);
  if (typeof value === 'number') return numberMisfit(schema, value, at);
  if (Array.isArray(value)) return listMisfit(schemas, schema, value, at);
  return isRecord(value) ? objectMisfit(schemas, schema, value, at) : undefined;
}

function isOfType(type: unknown, value: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isRecord(value);
  return typeof value === type;
}

function textMisfit(schema: Schema, value: string, at: string): string | undefined {
  const { pattern, minLength, maxLength } = schema;
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) return `${at} does not match ${pattern}`;
  const length = Array.from(value).length;
  if (typeof minLength === 'number' && length < minLength) return `${at} is shorter than ${minLength}`;
  return typeof maxLength === 'number' && length > maxLength ? `${at} is longer than ${maxLength}` : undefined;
}

function numberMisfit({ minimum, maximum }: Schema, value: number, at: string): string | undefined {
  if (typeof minimum === 'number' && value < minimum) return `${at} is less than ${minimum}`;
  return typeof maximum === 'number' && value > maximum ? `${at} is more than ${maximum}` : undefined;
}

function listMisfit(schemas: Schemas, schema: Schema, value: readonly unknown[], at: string): string | undefined {
  const { minItems, maxItems, items } = schema;
  if (typeof minItems === 'number' && value.length < minItems) return `${at} has less than ${minItems} elements`;
  if (typeof maxItems === 'number' && value.length > maxItems) return `${at} has more than ${maxItems} elements`;
  const fixed = listOf(schema['prefixItems']);
  return first(value.map((each, i) => misfit(schemas, fixed[i] ?? items, each, `${at}/${i}`)));
}

function objectMisfit(schemas: Schemas, schema: Schema, value: Schema, at: string): string | undefined {
  const properties = recordOf(schema['properties']);
  for (const name of listOf(schema['required']))
    if (!Object.hasOwn(value, String(name))) return `${at}/${String(name)} is missing`;
  return first(
    Object.entries(value).map(([name, member]) => {
      const where = `${at}/${name}`;
      if (Object.hasOwn(properties, name)) return misfit(schemas, properties[name], member, where);
      if (schema['additionalProperties'] === false) return `${where} is not in the schema`;
      const wrongName = schema['propertyNames'] && misfit(schemas, schema['propertyNames'], name, `${where} (name)`);
      return typeof wrongName === 'string' ? wrongName : misfit(schemas, schema['additionalProperties'], member, where);
    }),
  );
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((each) => each !== undefined);
}
