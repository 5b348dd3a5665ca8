import { parse, type Result } from '@linkspan/protocol';
import { type Dispatcher, request } from 'undici';
import type { TokenSource } from './access-token.ts';
import { fail, type Failure, type Outcome, readProblem } from './failure.ts';
import { nothingListens } from './nothing-listens.ts';

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
  /**
   * An answer as it comes, whatever it says: for what is no JSON or has no end. Fails where no access token could be had; where there is no answer it
   * throws.
   */
  open(path: string, options: OpenOptions): Promise<Outcome<Dispatcher.ResponseData>>;
  /** An access token for this API, with no more than a scope where one is given. */
  token(scope?: string): Promise<Outcome<string>>;
};

export type OpenOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** How long to wait for the answer, and in it for its next part. */
  readonly silenceMs?: number;
};

export type ApiAccess = {
  /** Whose access tokens are sent; none without it. */
  readonly tokens?: TokenSource | undefined;
  /** The way there, where it has certificates of its own. */
  readonly dispatcher?: Dispatcher | undefined;
};

/** How the answer of an endpoint is read. */
export function answer<T>(schema: Parameters<typeof parse<T>>[0]): (body: unknown) => Result<T> {
  return (body) => parse(schema, body, 'internal');
}

export function createApiClient(url: string, { tokens, dispatcher }: ApiAccess = {}): ApiClient {
  const base = url.replace(/\/+$/, '');

  /** Sends a request with an access token; once more with a new one where it is not accepted. */
  async function send(path: string, options: SendOptions): Promise<Outcome<Dispatcher.ResponseData>> {
    const { silenceMs = TIMEOUT_MS, ...given } = options;
    for (let attempt = 1; ; attempt += 1) {
      const token = await tokens?.token();
      if (token && !token.ok) return token;
      const authorization = token ? { authorization: `Bearer ${token.value}` } : {};
      const response = await request(base + path, {
        ...given,
        headers: { ...given.headers, ...authorization },
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
        ...(dispatcher ? { dispatcher } : {}),
      });
      if (response.statusCode !== 401 || !token || !tokens?.renews || attempt > 1) return { ok: true, value: response };
      tokens.refused(token.value);
      await response.body.dump();
    }
  }

  async function exchange<T>(
    path: string,
    options: SendOptions,
    read: (body: unknown) => Result<T>,
  ): Promise<Outcome<T>> {
    let status: number;
    let text: string;
    try {
      const response = await send(path, options);
      if (!response.ok) return response;
      status = response.value.statusCode;
      text = await response.value.body.text();
    } catch (error) {
      return { ok: false, failure: silence(base, error) };
    }
    const body = parseJson(text);
    if (status >= 300) {
      const failure = readProblem(body);
      return failure ? { ok: false, failure: explained(failure) } : strange(base, `HTTP ${status}`);
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
    open: (path, options) => send(path, { method: 'GET', ...options }),
    token: async (scope) =>
      tokens
        ? tokens.token(scope)
        : fail(
            'token-missing',
            'Put one into LINKSPAN_TOKEN, or name a profile with access.',
            'There is no access token',
          ),
  };
}

type SendOptions = OpenOptions & { readonly method: 'GET' | 'POST'; readonly body?: string };

/** Longer than a healthy API takes, shorter than a person waits. */
const TIMEOUT_MS = 30_000;

/** Why a request to an API got no answer. */
export function silence(base: string, error: unknown): Failure {
  const refused = nothingListens(base, error, 'ledger-unavailable');
  if (refused) return refused;
  if (isTimeout(error))
    return fail(
      'ledger-unavailable',
      'It may have happened all the same.',
      `${base} gave no answer within ${TIMEOUT_MS / 1000} seconds`,
    ).failure;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/CERT|TLS|SSL|ALTNAME/.test(code))
    return fail(
      'configuration-invalid',
      `${code}: name the authority of its certificate in the profile ("tls": { "caFile" }).`,
      `The certificate of ${base} is not believed`,
    ).failure;
  return fail(
    'ledger-unavailable',
    'Start the local network with `npm start`, or name another API with --api URL.',
    `No Linkspan API answers at ${base}`,
  ).failure;
}

/** What can be done about a token, where the API itself cannot know. */
function explained(failure: Failure): Failure {
  const hint = HINTS.find(([title]) => title === codeOf(failure))?.[1];
  return hint === undefined ? failure : { ...failure, detail: `${failure.detail} ${hint}` };
}

const HINTS: readonly (readonly [string, string])[] = [
  ['token-missing', 'Name a profile with access, or put a token into LINKSPAN_TOKEN.'],
  ['scope-missing', 'Act as a client that may, with --as CLIENT.'],
];

function codeOf({ document }: Failure): unknown {
  return 'code' in document ? document.code : undefined;
}

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
