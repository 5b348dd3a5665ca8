import { isObject } from '../../document-reader.ts';
import type { Pointer, RequestTemplate } from './mapping.ts';

/** What may stand in a template. A value that is absent leaves its body member out. */
export type TemplateValues = Readonly<Record<string, string | object | undefined>>;

export type FilledRequest = {
  readonly method: RequestTemplate['method'];
  readonly path: string;
  readonly body?: string;
};

/** Fills a request. Throws a RangeError where the path needs a value that is absent, since another resource would be meant. */
export function fillTemplate(template: RequestTemplate, values: TemplateValues): FilledRequest {
  const path = template.path.replaceAll(/\{([a-zA-Z]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (typeof value !== 'string') throw new RangeError(`the path ${template.path} needs ${name}`);
    return encodeURIComponent(value);
  });
  if (!template.body) return { method: template.method, path };
  const members = Object.entries(template.body)
    .map(([member, text]) => [member, filledValue(text, values)] as const)
    .filter(([, value]) => value !== undefined);
  return { method: template.method, path, body: JSON.stringify(Object.fromEntries(members)) };
}

/** The names that a template stands on. */
export function placeholders(template: RequestTemplate): string[] {
  return [template.path, ...Object.values(template.body ?? {})].flatMap((text) =>
    [...text.matchAll(/\{([a-zA-Z]+)\}/g)].map(([, name]) => name ?? ''),
  );
}

/** The value at a JSON pointer (RFC 6901), or undefined. */
export function valueAt(document: unknown, pointer: Pointer): unknown {
  let at = document;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

/** A text or whole number at a pointer, as text; undefined for anything else, such as a text with half a character, which no URL or hash can hold. */
export function textAt(document: unknown, pointer: Pointer): string | undefined {
  const value = valueAt(document, pointer);
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

function filledValue(text: string, values: TemplateValues): string | object | undefined {
  const name = /^\{([a-zA-Z]+)\}$/.exec(text)?.[1];
  return name === undefined ? text : values[name];
}
