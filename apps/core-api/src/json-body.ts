import type { FastifyInstance } from 'fastify';

export const BODY_LIMIT_BYTES = 256 * 1024;
export const DEPTH_LIMIT = 32;

/**
 * Takes JSON bodies only, and refuses deep ones before they are parsed: what walks a value later recurses as deep as it goes. A member that is there twice
 * is refused too (RFC 8259 leaves open which one counts, and who signs must not mean another one than who checks).
 */
export function acceptJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (deeperThan(body, DEPTH_LIMIT))
      done(Object.assign(new Error('too deep'), { statusCode: 422, code: 'JSON_TOO_DEEP' }));
    else
      void parseJson(request, body, (error, value) => {
        if (error === null && hasRepeatedMember(body)) done(repeated());
        else done(error, value);
      });
  });
}

function repeated(): Error {
  return Object.assign(new Error('a member twice'), { statusCode: 400, code: 'JSON_MEMBER_REPEATED' });
}

/**
 * Whether an object in a JSON text has two members of one name, however its characters are written. The text must be JSON, which a parser has said. One
 * pass, in time linear in its length.
 */
export function hasRepeatedMember(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(text, i);
      const names = open.at(-1);
      if (names && isName(text, end)) {
        const name = nameIn(text.slice(i, end + 1));
        if (names.has(name)) return true;
        names.add(name);
      }
      i = end;
    }
  }
  return false;
}

/** The place of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

/** Only a name is followed by a colon. */
function isName(text: string, end: number): boolean {
  let i = end + 1;
  while (i < text.length && ' \t\n\r'.includes(text[i] ?? '')) i += 1;
  return text[i] === ':';
}

function nameIn(quoted: string): string {
  return quoted.includes('\\') ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

/** Whether brackets outside of strings are nested deeper than the limit. Says nothing about whether the text is JSON at all. */
export function deeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (inString) {
      if (character === '\\') i += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return false;
}
