import { Fault, type Live, type TlsCredentials } from '@linkspan/protocol';
import { noAnswer } from '../../no-answer.ts';
import { createHttpPool } from '../../transport/http-pool.ts';
import type { FilledRequest } from './template.ts';
import { valueAt } from './template.ts';

export type WebAnswer = { readonly status: number; readonly body: unknown };

/** A system's Web API behind OAuth 2.0 client credentials. An answer below 500 is a value; no answer is a Fault. */
export type WebClient = {
  /** `waitMs` is how long the system may take on purpose (a long poll), on top of the usual limit. */
  send(request: FilledRequest, options?: SendOptions): Promise<WebAnswer>;
  close(): Promise<void>;
};

export type SendOptions = { readonly signal?: AbortSignal; readonly waitMs?: number };

export type WebClientOptions = {
  readonly system: string;
  readonly baseUrl: string;
  readonly tokenPath: string;
  readonly clientId: string;
  /** A token is asked for with what it is at that moment. */
  readonly clientSecret: Live<string>;
  readonly tls?: Live<TlsCredentials> | undefined;
  readonly timeoutMs: number;
  readonly now: () => number;
};

type Token = { readonly text: string; readonly renewAtMs: number };

export function createWebClient(options: WebClientOptions): WebClient {
  const base = new URL(options.baseUrl);
  const prefix = base.pathname.replace(/\/$/, '');
  const pool = createHttpPool({
    origin: base.origin,
    tls: options.tls,
    connectTimeoutMs: CONNECT_MS,
    pool: { connections: 64, bodyTimeout: options.timeoutMs, maxResponseSize: LARGEST_ANSWER_BYTES },
  });
  let token: Promise<Token> | undefined;

  async function exchange(
    request: FilledRequest,
    headers: Record<string, string>,
    { signal, waitMs = 0 }: SendOptions = {},
  ): Promise<WebAnswer> {
    try {
      const sent = {
        method: request.method,
        path: prefix + request.path,
        headers,
        headersTimeout: options.timeoutMs + waitMs,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(signal ? { signal } : {}),
      };
      // Each part has its limit, and so has the whole, which may wait for a connection besides.
      const wholeMs = CONNECT_MS + waitMs + 3 * options.timeoutMs;
      return await pool.exchange(sent, wholeMs, async ({ statusCode, body }) => ({
        status: statusCode,
        body: parsedOrText(await body.text()),
      }));
    } catch (error) {
      throw noAnswer('system-unavailable', options.system, error);
    }
  }

  async function requestToken(): Promise<Token> {
    const credentials = `${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret.current())}`;
    const headers = {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const request = { method: 'POST', path: options.tokenPath, body: 'grant_type=client_credentials' } as const;
    const { status, body } = await exchange(request, headers).catch((error: unknown) => {
      // Nothing was asked of the system yet but a token.
      throw new Fault('system-unavailable', error instanceof Error ? error.message : String(error), { cause: error });
    });
    const text = valueAt(body, '/access_token');
    if (status !== 200 || typeof text !== 'string') throw unauthorised(status);
    // A token that is over at once would be asked for again without end.
    const told = Number(valueAt(body, '/expires_in') ?? 60);
    const seconds = told >= 1 ? Math.min(told, LONGEST_TOKEN_S) : 1;
    // Renewed with a fifth of its life left, so that no request meets its end.
    return { text, renewAtMs: options.now() + seconds * 800 };
  }

  function unauthorised(status: number): Fault {
    return new Fault(
      'system-unavailable',
      `${options.system} does not accept the client ${options.clientId} (HTTP ${status}).`,
    );
  }

  async function currentToken(): Promise<Token> {
    const requested = (token ??= requestToken());
    try {
      const current = await requested;
      if (options.now() < current.renewAtMs) return current;
    } catch (error) {
      if (token === requested) token = undefined;
      throw error;
    }
    if (token === requested) token = undefined;
    return currentToken();
  }

  async function send(request: FilledRequest, sendOptions?: SendOptions): Promise<WebAnswer> {
    for (let attempt = 1; ; attempt++) {
      const used = await currentToken();
      const headers = {
        authorization: `Bearer ${used.text}`,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      };
      const answer = await exchange(request, headers, sendOptions);
      if (answer.status === 401) {
        token = undefined;
        // A restarted system has forgotten its tokens; a second refusal is about the client itself.
        if (attempt === 1) continue;
        throw unauthorised(401);
      }
      if (answer.status < 500 && answer.status !== 429 && answer.status !== 408) return answer;
      throw new Fault('system-unavailable', `${options.system} answered HTTP ${answer.status}.`, {
        mayHaveHappened: true,
      });
    }
  }

  return { send, close: () => pool.close() };
}

const CONNECT_MS = 2_000;
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;
const LONGEST_TOKEN_S = 86_400;

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
