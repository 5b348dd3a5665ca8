import type { Reader, Stored } from '@linkspan/contract';
import type { PeerState } from './peer-state.ts';
import { parseStored } from './run-calls.ts';

type Entries = readonly (readonly [string, Stored])[];
type Range = { readonly prefix: string; readonly options: Parameters<Reader['range']>[1] };

/**
 * Answers a question with synchronous code over an asynchronous state. What is not at hand counts as absent in that run, so that it goes on and
 * shows what else it needs; all of that is fetched and the question is asked again, until nothing was missing. A run that lacked anything is
 * thrown away with whatever it said.
 */
export async function runOverState<T>(
  state: Pick<PeerState, 'getMany' | 'range'>,
  time: number,
  ask: (reader: Reader) => T,
): Promise<T> {
  const values = new Map<string, Stored | undefined>();
  const ranges = new Map<string, Entries>();
  for (;;) {
    const missing = new Set<string>();
    const missingRanges = new Map<string, Range>();
    const reader: Reader = {
      time,
      get(key) {
        if (!values.has(key)) missing.add(key);
        return values.get(key);
      },
      range(prefix, options) {
        const name = JSON.stringify([prefix, options]);
        if (!ranges.has(name)) missingRanges.set(name, { prefix, options });
        return ranges.get(name) ?? [];
      },
    };
    const isComplete = (): boolean => missing.size + missingRanges.size === 0;
    try {
      const answer = ask(reader);
      if (isComplete()) return answer;
    } catch (error) {
      if (isComplete()) throw error;
    }
    const keys = [...missing];
    const texts = keys.length === 0 ? [] : await state.getMany(keys);
    keys.forEach((key, i) => values.set(key, parseStored(texts[i])));
    for (const [name, range] of missingRanges) ranges.set(name, await readRange(state, time, range));
  }
}

async function readRange(state: Pick<PeerState, 'range'>, time: number, { prefix, options }: Range): Promise<Entries> {
  const { limit, after, reverse = false } = options;
  const entries = reverse
    ? await readBackwards(state, time, prefix, after ?? prefix + LAST, limit)
    : // One more, since what begins at `after` begins with it.
      await state.range(after ?? prefix, prefix + LAST, limit + (after === undefined ? 0 : 1));
  return entries
    .filter(([key]) => key !== after)
    .slice(0, limit)
    .flatMap(([key, text]) => {
      const value = parseStored(text);
      return value ? [[key, value] as const] : [];
    });
}

/**
 * The last entries before a key, newest first. Fabric reads ranges forwards only, so windows are read that end where the last one began and
 * reach further back each time. They fit keys that begin with a time, as all do that are asked for backwards; any others are read whole.
 */
async function readBackwards(
  state: Pick<PeerState, 'range'>,
  time: number,
  prefix: string,
  end: string,
  limit: number,
): Promise<(readonly [string, string])[]> {
  const entries: (readonly [string, string])[] = [];
  const newest = Number(end.slice(prefix.length).split('/')[0]) || time;
  let to = end;
  for (let reachMs = FIRST_WINDOW_MS; entries.length < limit; reachMs *= WINDOW_GROWTH) {
    const isLast = reachMs >= newest;
    const from = isLast ? prefix : prefix + String(newest - reachMs).padStart(15, '0');
    if (from < to) {
      const window = await state.range(from, to, Infinity);
      entries.push(...window.toReversed());
      to = from;
    }
    if (isLast) break;
  }
  return entries;
}

/** After every key with the prefix. */
const LAST = '\u{10FFFF}';
const FIRST_WINDOW_MS = 60_000;
const WINDOW_GROWTH = 8;
