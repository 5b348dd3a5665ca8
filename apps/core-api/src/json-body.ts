import type { FastifyInstance } from 'fastify';

export const BODY_LIMIT_BYTES = 256 * 1024;
export const DEPTH_LIMIT = 32;

/** Takes JSON bodies only, and refuses deep ones before they are parsed: what walks a value later recurses as deep as it goes. */
export function acceptJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (deeperThan(body, DEPTH_LIMIT))
      done(Object.assign(new Error('too deep'), { statusCode: 422, code: 'JSON_TOO_DEEP' }));
    else void parseJson(request, body, done);
  });
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
