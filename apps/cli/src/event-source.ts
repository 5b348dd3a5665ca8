import { setTimeout as delay } from 'node:timers/promises';
import { ENDPOINTS, PHASES, type Phase } from '@linkspan/protocol';
import type { ApiClient } from './api-client.ts';
import { type Failure, isObject, readProblem } from './failure.ts';
import { nothingListens } from './nothing-listens.ts';

/** What an event of the stream says: everything that one accepted call changed. */
export type StreamedChange = {
  readonly block: number;
  readonly time: string;
  readonly proposal: string;
  readonly settlement: string | null;
  readonly tradeId: string;
  readonly sequence: number;
  readonly phase: Phase;
  readonly words: readonly string[];
  /** The event as it came, with everything else that it says. */
  readonly document: Readonly<Record<string, unknown>>;
};

/** What is heard of a stream: changes, and how the connection does. `refused` ends it, everything else goes on. */
export type Heard =
  | { readonly what: 'change'; readonly id: string; readonly change: StreamedChange }
  | { readonly what: 'connected' }
  | { readonly what: 'lost'; readonly why: string; readonly againInMs: number }
  | { readonly what: 'refused'; readonly failure: Failure };

/**
 * Follows an organisation's stream of changes from after a block, or from now on. A connection that breaks is made again, later each time, and goes
 * on after the last event that came, so that nothing is missed and nothing comes twice. Ends when the signal fires.
 */
export async function* followEvents(
  api: ApiClient,
  from: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Heard> {
  let last: string | undefined;
  for (let failures = 0; !signal.aborted;) {
    try {
      const opened = await api.open(pathFrom(last === undefined ? from : undefined), {
        headers: { accept: 'text/event-stream', ...(last === undefined ? {} : { 'last-event-id': last }) },
        silenceMs: SILENCE_MS,
        signal,
      });
      if (!opened.ok && opened.failure.exit !== RETRY) return yield { what: 'refused', failure: opened.failure };
      if (!opened.ok) throw new Error(opened.failure.title);
      const { statusCode: status, body } = opened.value;
      if (status >= 400 && status < 500) {
        const failure = readProblem(parseJson(await body.text()));
        if (failure && failure.exit !== RETRY) return yield { what: 'refused', failure };
      }
      if (status >= 300) throw new Error(`it answered ${status}`);
      yield { what: 'connected' };
      for await (const { id, data } of readBlocks(body)) {
        failures = 0;
        const change = readChange(parseJson(data));
        last = id;
        if (change) yield { what: 'change', id, change };
      }
      if (!signal.aborted) throw new Error('it was closed');
    } catch (error) {
      if (signal.aborted) return;
      const againInMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
      failures += 1;
      const refused = nothingListens(api.url, error, 'ledger-unavailable')?.title;
      yield { what: 'lost', why: refused ?? (error instanceof Error ? error.message : String(error)), againInMs };
      await delay(againInMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The exit code of what may be tried again. */
const RETRY = 6;
/** The stream says every 15 seconds that it is still there. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;

function pathFrom(block: number | undefined): string {
  return ENDPOINTS.events.path + (block === undefined ? '' : `?from=${block}`);
}

/** The events of a stream in the format of the HTML standard, as far as our API uses it. Comments are passed over. */
async function* readBlocks(
  body: AsyncIterable<unknown>,
): AsyncGenerator<{ readonly id: string; readonly data: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string): string | undefined =>
        block
          .split('\n')
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim();
      const [id, data] = [field('id'), field('data')];
      if (id !== undefined && data !== undefined) yield { id, data };
    }
  }
}

function readChange(body: unknown): StreamedChange | undefined {
  if (!isObject(body)) return undefined;
  const { block, time, proposal, settlement, tradeId, sequence, words } = body;
  const phase = PHASES.find((each) => each === body['phase']);
  if (typeof block !== 'number' || typeof sequence !== 'number' || typeof time !== 'string') return undefined;
  if (typeof proposal !== 'string' || typeof tradeId !== 'string' || phase === undefined) return undefined;
  if (!Array.isArray(words)) return undefined;
  return {
    block,
    time,
    proposal,
    settlement: typeof settlement === 'string' ? settlement : null,
    tradeId,
    sequence,
    phase,
    words: words.map(String),
    document: body,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
