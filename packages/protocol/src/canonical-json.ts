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
      if (value === null) return 'null';
      if (Array.isArray(value)) return canonicalArray(value);
      return isRecord(value) ? canonicalObject(value) : '{}';
    default:
      throw new RangeError(`a ${typeof value} has no canonical form`);
  }
}

/**
 * The canonical text of a document that never changes, made once: signing, checking and naming one document would otherwise each make it
 * again. Whoever changes a document afterwards gets the old text.
 */
export function canonicalText(document: object): string {
  const known = TEXTS.get(document);
  if (known !== undefined) return known;
  const text = canonicalJson(document);
  TEXTS.set(document, text);
  return text;
}

const TEXTS = new WeakMap<object, string>();

function canonicalArray(values: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < values.length; i++) text += i === 0 ? canonicalJson(values[i]) : `,${canonicalJson(values[i])}`;
  return `${text}]`;
}

function canonicalObject(value: Readonly<Record<string, unknown>>): string {
  const keys = sortedKeys(value);
  let text = '{';
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? '';
    const member = value[key];
    if (member !== undefined) text += `${text.length === 1 ? '' : ','}${memberName(key)}${canonicalJson(member)}`;
  }
  return `${text}}`;
}

/** RFC 8785 orders by UTF-16 code units, which is what `<` and the default sort of strings compare. */
function sortedKeys(value: object): string[] {
  const keys = Object.keys(value);
  for (let i = 1; i < keys.length; i++) {
    const [before, key] = [keys[i - 1] ?? '', keys[i] ?? ''];
    // Most documents come in order already, and looking costs less than sorting.
    if (before > key) return keys.toSorted();
  }
  return keys;
}

/** Few names are written again and again, so the first ones that come are kept. */
function memberName(name: string): string {
  const known = NAMES.get(name);
  if (known !== undefined) return known;
  const text = `${canonicalString(name)}:`;
  if (NAMES.size < KEPT_NAMES && name.length < LONG_NAME) NAMES.set(name, text);
  return text;
}

const NAMES = new Map<string, string>();
const KEPT_NAMES = 1024;
const LONG_NAME = 32;

/** Every object is a record of its own enumerable members. */
function isRecord(value: object): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object';
}

const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
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
