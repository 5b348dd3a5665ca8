import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Tokens } from '../local-network/api-clients.ts';

const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string().optional(),
  problems: z.array(z.looseObject({ code: z.string() })).optional(),
});
const lodgedSchema = z.looseObject({ proposal: z.string() });
const settlementSchema = z.looseObject({
  proposal: z.string(),
  settlement: z.string().nullable(),
  tradeId: z.string(),
  phase: z.string(),
  changedAt: z.string(),
  differences: z.array(z.looseObject({ path: z.string() })),
  operations: z.array(
    z.looseObject({
      name: z.string(),
      verb: z.string(),
      system: z.string(),
      status: z.string(),
      fenced: z.boolean(),
      reason: z.string(),
    }),
  ),
  decision: z.looseObject({ because: z.string() }).nullable(),
  attention: z.array(z.looseObject({ reason: z.string(), waitingFor: z.string() })),
  entries: z.int(),
  head: z.string(),
});
const entrySchema = z.looseObject({
  sequence: z.int(),
  time: z.string(),
  call: z.string(),
  by: z.unknown(),
  changes: z.unknown(),
  state: z.string(),
  previous: z.string().nullable(),
});
const historySchema = z.looseObject({ entries: z.array(entrySchema), next: z.int().nullable() });

export type SettlementRead = z.infer<typeof settlementSchema>;
export type EntryRead = z.infer<typeof entrySchema>;
export type LodgeAnswer = { readonly proposal: string } | { readonly codes: readonly string[] };

const ANSWER_WITHIN_MS = 5000;
const AGAIN_AFTER_MS = 150;
/** Refusals that ask to come again; anything else is an answer. */
const COME_AGAIN = new Set(['request-in-progress', 'ledger-unavailable', 'storage-unavailable']);

/** A client that never gives up: no answer is unknown, so it asks the same again until there is one, or until the signal says enough. */
export class Client {
  readonly #url: string;
  readonly #tokens: Tokens;
  readonly #signal: AbortSignal;

  constructor(url: string, tokens: Tokens, signal: AbortSignal) {
    this.#url = url;
    this.#tokens = tokens;
    this.#signal = signal;
  }

  /** Under one key as often as it takes. */
  async lodge(instruction: object, key: string): Promise<LodgeAnswer> {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(instruction),
    };
    const { ok, body } = await this.#untilAnswered('/instructions', init);
    if (ok) return lodgedSchema.parse(body);
    const { code, problems = [] } = problemSchema.parse(body);
    return { codes: problems.length > 0 ? problems.map((problem) => problem.code) : [code] };
  }

  async settlement(id: string): Promise<SettlementRead> {
    return settlementSchema.parse(await this.#get(`/settlements/${encodeURIComponent(id)}`));
  }

  async history(id: string): Promise<EntryRead[]> {
    const entries: EntryRead[] = [];
    for (let after = 0; ;) {
      const page = historySchema.parse(
        await this.#get(`/settlements/${encodeURIComponent(id)}/history?limit=500&after=${after}`),
      );
      entries.push(...page.entries);
      if (page.next === null) return entries;
      after = page.next;
    }
  }

  async #get(path: string): Promise<unknown> {
    const { ok, body } = await this.#untilAnswered(path, {});
    if (!ok) throw new Error(`${path}: ${problemSchema.parse(body).code}`);
    return body;
  }

  async #untilAnswered(path: string, init: RequestInit): Promise<{ readonly ok: boolean; readonly body: unknown }> {
    for (;;) {
      this.#signal.throwIfAborted();
      const answer = await this.#ask(path, init);
      if (answer) return answer;
      await delay(AGAIN_AFTER_MS);
    }
  }

  async #ask(path: string, init: RequestInit): Promise<{ readonly ok: boolean; readonly body: unknown } | undefined> {
    try {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${await this.#tokens()}`);
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const response = await fetch(`${this.#url}${path}`, { ...init, headers, signal });
      const body: unknown = await response.json();
      if (response.ok) return { ok: true, body };
      return COME_AGAIN.has(problemSchema.parse(body).code) ? undefined : { ok: false, body };
    } catch (error) {
      if (error instanceof z.ZodError) throw error;
      // Nobody there, cut off in the middle, or silent: it may have happened.
      return undefined;
    }
  }
}
