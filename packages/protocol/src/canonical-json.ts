import type { Json } from './json.ts';

/**
 * The one text of a value that is hashed and signed: RFC 8785, with integers only.
 *
 * Fractions are refused because two languages print them differently; amounts are decimal strings.
 * Members that are `undefined` are left out, as JSON.stringify does. Throws a RangeError on anything else that has no canonical form.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      if (!Number.isSafeInteger(value)) throw new RangeError(`not an integer up to 2^53-1: ${value}`);
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      break;
    default:
      throw new RangeError(`a ${typeof value} has no canonical form`);
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return canonicalObject(value);
}

function canonicalObject(value: object): string {
  const members: string[] = [];
  // RFC 8785 orders by UTF-16 code units, which is what the default sort of strings compares.
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, member] of entries) {
    if (member !== undefined) members.push(`${canonicalString(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

function canonicalString(text: string): string {
  // A lone surrogate has no UTF-8 form: two different strings would share one hash.
  if (!text.isWellFormed()) throw new RangeError('the text holds a lone surrogate');
  return JSON.stringify(text);
}

/** Whether a parsed JSON value has a canonical form. */
export function isCanonicalisable(value: unknown): value is Json {
  try {
    canonicalJson(value);
    return true;
  } catch {
    return false;
  }
}
