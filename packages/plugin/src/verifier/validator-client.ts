import { ERRORS, Fault, type Refused, type Result, type SigningKey } from '@linkspan/protocol';
import { Pool } from 'undici';
import { noAnswer } from '../no-answer.ts';
import { parseProblem } from '../wire.ts';

/** A validator, by the key whose signatures count and the address where it is asked. */
export type ValidatorEndpoint = {
  readonly key: SigningKey;
  readonly url: string;
  /** Mutual TLS: the asker's certificate and key, and the authority that signed the validator's, as PEM. */
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
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

/** What an answer may take on top of the time that was asked for, before the validator counts as silent. */
const ANSWER_MS = 5_000;

export function createValidatorClient({ key, url, tls }: ValidatorEndpoint): ValidatorClient {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/$/, '');
  const connect = { timeout: 2_000, ...tls };
  const pool = new Pool(base.origin, { connections: 256, connect, bodyTimeout: 0 });
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
          yield* lines;
        }
      } catch (error) {
        throw noAnswer('validator-unavailable', who, error);
      }
    },
    close: () => pool.destroy(),
  };

  async function exchange(
    path: string,
    body: string,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ status: number; body: unknown }> {
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await pool.request({
        path: prefix + path,
        method: 'POST',
        headers,
        body,
        signal,
        headersTimeout: waitMs + ANSWER_MS,
      });
      return { status: response.statusCode, body: await response.body.json() };
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
