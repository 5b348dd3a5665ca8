import { type BalancesBody, balancesBodySchema, type Lodged, lodgedSchema, type SettlementBody, settlementBodySchema } from '@linkspan/protocol';
import { z } from 'zod';

const problemSchema = z.looseObject({
  code: z.string(),
  detail: z.string().optional(),
  problems: z.array(z.looseObject({ pointer: z.string(), code: z.string(), message: z.string() })).optional(),
});
export type ProblemBody = z.infer<typeof problemSchema>;

const changeSchema = z.looseObject({ time: z.string(), tradeId: z.string(), phase: z.string(), words: z.array(z.string()) });
export type ChangeLine = z.infer<typeof changeSchema>;

/** The local network as any client sees it: nothing but HTTP. */
export class Api {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async lodge(instruction: object, key: string): Promise<{ readonly lodged: Lodged } | { readonly refused: ProblemBody }> {
    const response = await fetch(`${this.url}/instructions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(instruction),
    });
    const body: unknown = await response.json();
    return response.ok ? { lodged: lodgedSchema.parse(body) } : { refused: problemSchema.parse(body) };
  }

  async settlement(id: string): Promise<SettlementBody> {
    return settlementBodySchema.parse(await this.#get(`/settlements/${encodeURIComponent(id)}`));
  }

  async balances(): Promise<BalancesBody> {
    return balancesBodySchema.parse(await this.#get('/balances'));
  }

  /** Changes from now on, or after an event id; ends when the connection does. */
  async *changes(
    after: string | undefined,
    signal: AbortSignal,
    connected: () => void,
  ): AsyncGenerator<{ readonly id: string; readonly change: ChangeLine }> {
    const response = await fetch(`${this.url}/events`, { headers: after === undefined ? {} : { 'last-event-id': after }, signal });
    if (!response.ok) throw new Error(`/events answered ${response.status}`);
    connected();
    let rest = '';
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const lines = block.split('\n');
        const id = lines.find((line) => line.startsWith('id:'))?.slice(3).trim();
        const data = lines.find((line) => line.startsWith('data:'))?.slice(5);
        if (id !== undefined && data !== undefined) yield { id, change: changeSchema.parse(JSON.parse(data)) };
      }
    }
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`);
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${problemSchema.parse(body).detail ?? response.status}`);
    return body;
  }
}
