import { parse, type Result } from '@linkspan/protocol';
import { request } from 'undici';
import { fail, type Outcome, readProblem } from './failure.ts';

/** One organisation's API. Every answer is parsed; a refusal, silence or another form is a failure. */
export type ApiClient = {
  readonly url: string;
  get<T>(path: string, read: (body: unknown) => Result<T>): Promise<Outcome<T>>;
  post<T>(
    path: string,
    /** JSON, or undefined where there is nothing to say. */
    body: string | undefined,
    headers: Readonly<Record<string, string>>,
    read: (body: unknown) => Result<T>,
  ): Promise<Outcome<T>>;
};

/** How the answer of an endpoint is read. */
export function answer<T>(schema: Parameters<typeof parse<T>>[0]): (body: unknown) => Result<T> {
  return (body) => parse(schema, body, 'internal');
}

export function createApiClient(url: string): ApiClient {
  const base = url.replace(/\/+$/, '');

  async function exchange<T>(
    path: string,
    options: {
      readonly method: 'GET' | 'POST';
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    },
    read: (body: unknown) => Result<T>,
  ): Promise<Outcome<T>> {
    let status: number;
    let text: string;
    try {
      const response = await request(base + path, { ...options, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
      status = response.statusCode;
      text = await response.body.text();
    } catch (error) {
      if (isTimeout(error))
        return fail(
          'ledger-unavailable',
          'It may have happened all the same.',
          `${base} gave no answer within ${TIMEOUT_MS / 1000} seconds`,
        );
      return fail(
        'ledger-unavailable',
        'Start the local network with `npm start`, or name another API with --api URL.',
        `No Linkspan API answers at ${base}`,
      );
    }
    const body = parseJson(text);
    if (status >= 300) {
      const failure = readProblem(body);
      return failure ? { ok: false, failure } : strange(base, `HTTP ${status}`);
    }
    const parsed = read(body);
    return parsed.ok ? parsed : strange(base, parsed.refusal.message);
  }

  return {
    url: base,
    get: (path, read) => exchange(path, { method: 'GET' }, read),
    post: (path, body, headers, read) =>
      exchange(
        path,
        body === undefined
          ? { method: 'POST', headers }
          : { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } },
        read,
      ),
  };
}

/** Longer than a healthy API takes, shorter than a person waits. */
const TIMEOUT_MS = 30_000;

function isTimeout(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'UND_ERR_HEADERS_TIMEOUT' || error.code === 'UND_ERR_BODY_TIMEOUT')
  );
}

function strange(base: string, why: string): ReturnType<typeof fail> {
  return fail('internal', why, `${base} does not answer as a Linkspan API of this version`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
