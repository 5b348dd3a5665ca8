import { setTimeout as delay } from 'node:timers/promises';
import {
  type BalancesBody,
  balancesBodySchema,
  ENDPOINTS,
  healthBodySchema,
  type Lodged,
  lodgedSchema,
  type SettlementBody,
  settlementBodySchema,
} from '@linkspan/protocol';
import { z } from 'zod';
import { apiTokens, NoToken, type Tokens } from './api-clients.ts';
import { CannotRun } from './cannot-run.ts';
import { type Layout, urlOf } from './layout.ts';

const problemLineSchema = z.looseObject({
  pointer: z.string(),
  code: z.string(),
  message: z.string(),
  iso: z.string().optional(),
});
export type ProblemLine = z.infer<typeof problemLineSchema>;

const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string().optional(),
  problems: z.array(problemLineSchema).optional(),
});
export type ProblemBody = z.infer<typeof problemSchema>;

const changeSchema = z.looseObject({
  time: z.string(),
  tradeId: z.string(),
  phase: z.string(),
  words: z.array(z.string()),
  changes: z.array(
    z.looseObject({
      what: z.string(),
      operation: z.string().optional(),
      differences: z.array(z.looseObject({ path: z.string(), values: z.record(z.string(), z.string()) })).optional(),
    }),
  ),
});
export type ChangeLine = z.infer<typeof changeSchema>;

/** The API of an organisation of the local network, asked as its operator. */
export function apiOf(layout: Layout, organisation: string): Api {
  return new Api(urlOf(layout, organisation), apiTokens(layout.data, organisation));
}

/** The local network as any client sees it: nothing but HTTP. */
export class Api {
  readonly url: string;
  readonly #tokens: Tokens;

  constructor(url: string, tokens: Tokens) {
    this.url = url;
    this.#tokens = tokens;
  }

  /**
   * Lodges an instruction, again under the same key while there is no answer: the process may have been killed before it came. Throws when the
   * signal fires.
   */
  async lodge(instruction: object, key: string, signal = AbortSignal.timeout(ANSWER_WITHIN_MS)): Promise<Lodging> {
    for (;;) {
      try {
        const response = await fetch(`${this.url}/instructions`, {
          method: 'POST',
          headers: { ...(await this.#authorization()), 'content-type': 'application/json', 'idempotency-key': key },
          body: JSON.stringify(instruction),
          signal,
        });
        const body: unknown = await response.json();
        return response.ok ? { lodged: lodgedSchema.parse(body) } : { refused: problemSchema.parse(body) };
      } catch (error) {
        if (signal.aborted) throw new CannotRun(`${this.url} gave no answer to an instruction in time.`);
        if (!isNoAnswer(error)) throw error;
      }
      await delay(AGAIN_MS);
    }
  }

  /** The number of the ledger's last block. */
  async height(signal: AbortSignal): Promise<number> {
    return healthBodySchema.parse(await this.#get(ENDPOINTS.health.path, signal)).height;
  }

  async settlement(id: string): Promise<SettlementBody> {
    return settlementBodySchema.parse(await this.#get(`/settlements/${encodeURIComponent(id)}`));
  }

  async balances(): Promise<BalancesBody> {
    return balancesBodySchema.parse(await this.#get('/balances'));
  }

  /** Changes after a block, after an event id, or from now on; ends when the connection does. */
  async *changes(
    after: number | string | undefined,
    signal: AbortSignal,
    connected: () => void,
  ): AsyncGenerator<{ readonly id: string; readonly change: ChangeLine }> {
    const query = typeof after === 'number' ? `?from=${after}` : '';
    const response = await fetch(`${this.url}/events${query}`, {
      headers: { ...(await this.#authorization()), ...(typeof after === 'string' ? { 'last-event-id': after } : {}) },
      signal,
    });
    if (!response.ok) throw new Error(`/events answered ${response.status}`);
    connected();
    let rest = '';
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const lines = block.split('\n');
        const id = lines
          .find((line) => line.startsWith('id:'))
          ?.slice(3)
          .trim();
        const data = lines.find((line) => line.startsWith('data:'))?.slice(5);
        if (id !== undefined && data !== undefined) yield { id, change: changeSchema.parse(JSON.parse(data)) };
      }
    }
  }

  async #get(path: string, signal = AbortSignal.timeout(ANSWER_WITHIN_MS)): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, { headers: await this.#authorization(), signal });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${problemSchema.parse(body).detail ?? response.status}`);
    return body;
  }

  async #authorization(): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.#tokens()}` };
  }
}

export type Lodging = { readonly lodged: Lodged } | { readonly refused: ProblemBody };

const AGAIN_MS = 50;
const ANSWER_WITHIN_MS = 30_000;

/** Whether a request ended without an answer: `fetch` says so by a TypeError with a cause. */
export function isNoAnswer(error: unknown): boolean {
  if (error instanceof NoToken) return true;
  return error instanceof TypeError && error.cause !== undefined;
}
