import type { Reader, Stored } from '@linkspan/contract';
import type { PeerState } from './peer-state.ts';
import { parseStored } from './run-calls.ts';

type Entries = readonly (readonly [string, Stored])[];
type Range = { readonly prefix: string; readonly options: Parameters<Reader['range']>[1] };

/** What a question came to: an answer, or what it threw. */
export type Answered<T> = { readonly answer: T } | { readonly error: unknown };

/**
 * Answers questions with synchronous code over an asynchronous state. What is not at hand counts as absent in that run, so that it goes on and
 * shows what else it needs; all that the questions lack is fetched together, and those that lacked anything are asked again, whatever they said.
 */
export async function runOverState<T>(
  state: Pick<PeerState, 'getMany' | 'range'>,
  time: number,
  questions: readonly ((reader: Reader) => T)[],
): Promise<readonly Answered<T>[]> {
  const fetched: Fetched = { values: new Map(), ranges: new Map() };
  const answered = new Map<number, Answered<T>>();
  for (;;) {
    const missing: Missing = { keys: new Set(), ranges: new Map() };
    for (const [i, ask] of questions.entries()) {
      const known = answered.get(i) ?? runOnce(ask, time, fetched, missing);
      if (known) answered.set(i, known);
    }
    if (missing.keys.size + missing.ranges.size === 0)
      return [...answered].toSorted(([a], [b]) => a - b).map(([, each]) => each);
    const keys = [...missing.keys];
    const texts = keys.length === 0 ? [] : await state.getMany(keys);
    keys.forEach((key, i) => fetched.values.set(key, parseStored(texts[i])));
    for (const [name, range] of missing.ranges) fetched.ranges.set(name, await readRange(state, time, range));
  }
}

type Fetched = { readonly values: Map<string, Stored | undefined>; readonly ranges: Map<string, Entries> };
type Missing = { readonly keys: Set<string>; readonly ranges: Map<string, Range> };

/** Nothing where it lacked anything, which is noted. */
function runOnce<T>(
  ask: (reader: Reader) => T,
  time: number,
  { values, ranges }: Fetched,
  missing: Missing,
): Answered<T> | undefined {
  let isComplete = true;
  const reader: Reader = {
    time,
    get(key) {
      if (!values.has(key)) {
        missing.keys.add(key);
        isComplete = false;
      }
      return values.get(key);
    },
    range(prefix, options) {
      const name = JSON.stringify([prefix, options]);
      if (!ranges.has(name)) {
        missing.ranges.set(name, { prefix, options });
        isComplete = false;
      }
      return ranges.get(name) ?? [];
    },
  };
  try {
    const answer = ask(reader);
    return isComplete ? { answer } : undefined;
  } catch (error) {
    return isComplete ? { error } : undefined;
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
