import {
  ERRORS,
  Fault,
  type Live,
  type Refused,
  type Result,
  type SigningKey,
  type TlsCredentials,
} from '@linkspan/protocol';
import { boundedJson } from '../bounded-json.ts';
import { noAnswer } from '../no-answer.ts';
import { createHttpPool, type HttpPool } from '../transport/http-pool.ts';
import { parseProblem } from '../wire.ts';

/** A validator, by the key whose signatures count and the address where it is asked. */
export type ValidatorEndpoint = {
  readonly key: SigningKey;
  readonly url: string;
  /** The name that its certificate must have; the host of `url` where none is given. */
  readonly name?: string | undefined;
  /** Mutual TLS: the asker's certificate and key, and the authority that signed the validator's. */
  readonly tls?: Live<TlsCredentials> | undefined;
};

/** Speaks HTTP with one validator. A refusal is a value; no answer, or one that says "try again", is a Fault. */
export type ValidatorClient = {
  readonly key: SigningKey;
  post<T>(
    path: string,
    body: object,
    parse: (value: unknown) => Result<T>,
    options: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<Result<T>>;
  /** The lines of an event stream, as long as it lasts. */
  stream(path: string, signal: AbortSignal): AsyncIterable<string>;
  close(): Promise<void>;
};

const CONNECT_MS = 2_000;
/** What an answer may take on top of the time that was asked for, before the validator counts as silent. */
const ANSWER_MS = 5_000;
/** Balances of all accounts of a system are the longest answer there is. */
const LARGEST_ANSWER_BYTES = 16 * 1024 * 1024;
/** An observation has a few kilobytes. */
const LONGEST_LINE = 1_000_000;

/** The connections to a validator. No end of a body is waited for: it may be a stream. */
export function openValidatorPool({ url, name, tls }: ValidatorEndpoint, connections = 256): HttpPool {
  const { origin } = new URL(url);
  const pool = { connections, bodyTimeout: 0 };
  return createHttpPool({ origin, tls, serverName: name, connectTimeoutMs: CONNECT_MS, pool });
}

export function createValidatorClient(endpoint: ValidatorEndpoint): ValidatorClient {
  const { key, url } = endpoint;
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/$/, '');
  const pool = openValidatorPool(endpoint);
  const who = `The validator at ${base.origin}`;

  return {
    key,
    async post(path, body, parse, { waitMs, signal }) {
      const answer = await exchange(path, JSON.stringify(body), waitMs, signal);
      if (answer.status < 300) return parse(answer.body);
      return refusedOrFault(answer);
    },
    async *stream(path, signal) {
      try {
        const { statusCode, body } = await pool.request({
          path: prefix + path,
          method: 'GET',
          headers: { accept: 'text/event-stream' },
          signal,
        });
        if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
        let rest = '';
        for await (const chunk of body.setEncoding('utf8')) {
          const lines = (rest + String(chunk)).split('\n');
          rest = lines.pop() ?? '';
          if (rest.length > LONGEST_LINE) throw new Error(`a line of more than ${LONGEST_LINE} characters`);
          yield* lines;
        }
      } catch (error) {
        throw noAnswer('validator-unavailable', who, error);
      }
    },
    close: () => pool.close(),
  };

  async function exchange(
    path: string,
    body: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ status: number; body: unknown }> {
    try {
      const headers = { 'content-type': 'application/json' };
      const headersTimeout = waitMs + ANSWER_MS;
      const request = { path: prefix + path, method: 'POST' as const, headers, body, signal, headersTimeout };
      const wholeMs = CONNECT_MS + waitMs + 2 * ANSWER_MS;
      return await pool.exchange(request, wholeMs, async (response) => ({
        status: response.statusCode,
        body: await boundedJson(response.body, LARGEST_ANSWER_BYTES),
      }));
    } catch (error) {
      throw noAnswer('validator-unavailable', who, error);
    }
  }

  function refusedOrFault({ status, body }: { status: number; body: unknown }): Refused {
    const refusal = parseProblem(body);
    if (refusal && ERRORS[refusal.code].status < 500) return { ok: false, refusal };
    throw new Fault('validator-unavailable', `${who}: ${refusal?.message ?? `HTTP ${status}`}`, {
      mayHaveHappened: true,
    });
  }
}
