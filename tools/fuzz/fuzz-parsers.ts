import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '@linkspan/protocol';
import { CannotRun } from '../local-network/cannot-run.ts';
import { Random } from '../torture/random.ts';
import type { Finding } from './fuzz-api.ts';
import { longText, mutateBytes, mutateText, mutateValue, strangeValue } from './mutate-json.ts';
import { type Parser, parsers } from './parsers.ts';
import { isRecord } from './schema-values.ts';

export type ParserReport = {
  readonly cases: number;
  readonly casesPerSecond: number;
  readonly parsers: number;
  readonly findings: readonly Finding[];
};

/** Gives every parser changed documents and nonsense, in turn. A case follows from seed and number alone. */
export async function fuzzParsers(options: {
  readonly seed: string;
  readonly cases: number;
  readonly signal?: AbortSignal;
}): Promise<ParserReport> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-fuzz-parsers-'));
  const findings: Finding[] = [];
  const started = performance.now();
  let number = 0;
  try {
    const all = parsers(prepared(directory));
    // Some load their libraries with the first document.
    for (const parser of all) await tryOut(parser, parser.seeds[0]);
    for (; number < options.cases && !options.signal?.aborted && findings.length < MOST_FINDINGS; number++) {
      const parser = all[number % all.length];
      if (!parser) break;
      const input = inputOf(parser, new Random(options.seed, `${parser.name} ${number}`));
      const what = await tryOut(parser, input);
      if (what !== undefined) findings.push({ case: number, what, how: parser.name, request: shown(input) });
    }
    return {
      cases: number,
      casesPerSecond: Math.round((number / (performance.now() - started)) * 1000),
      parsers: all.length,
      findings,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const MOST_FINDINGS = 30;
/** Far beyond what any parser needs, so that only what grows faster than its input reaches it. */
const DEADLINE_MS = 2_000;

function prepared(directory: string): string {
  const folder = join(directory, 'samples/01-fuzzed');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'expected.json'),
    readFileSync(join(import.meta.dirname, '../../deploy/samples/01-settled/expected.json')),
  );
  return resolve(directory);
}

function inputOf(parser: Parser, random: Random): unknown {
  const right = random.pick(parser.seeds);
  const kind = random.between(0, 9);
  if (parser.takes === 'word') return kind === 0 ? longText(random) : mutateText(random, String(right));
  if (parser.takes === 'text' && kind === 0 && random.chance(0.2)) return longText(random);
  if (random.chance(0.02))
    return parser.takes === 'text' ? JSON.stringify(manyMembers(random, right)) : manyMembers(random, right);
  if (kind < 3) {
    const bytes = mutateBytes(random, right);
    if (parser.takes === 'text') return bytes.toString('utf8');
    return parsed(bytes.toString('utf8')) ?? strangeValue(random);
  }
  // As it travels: what JSON cannot hold never reaches a parser.
  const text = JSON.stringify(kind < 9 ? mutateValue(random, right) : strangeValue(random)) ?? 'null';
  return parser.takes === 'text' ? text : parsed(text);
}

/** A document with so many members that nobody knows that what is slow with each of them shows. */
function manyMembers(random: Random, right: unknown): unknown {
  const many = Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`a${i}`, 1]));
  return isRecord(right) ? { ...right, [random.pick(Object.keys(right)) ?? 'a']: many } : many;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function tryOut(parser: Parser, input: unknown): Promise<string | undefined> {
  const started = performance.now();
  try {
    await parser.read(input);
  } catch (error) {
    const isDocumented = error instanceof Fault || error instanceof CannotRun;
    if (!isDocumented)
      return error instanceof Error
        ? `${error.name}: ${error.message.slice(0, 200)} ${error.stack?.split('\n').slice(1, 4).join(' ')}`
        : String(error);
  }
  const tookMs = performance.now() - started;
  if (tookMs > DEADLINE_MS) return `took ${Math.round(tookMs)} ms`;
  return isPolluted() ? 'the prototype of all objects has changed' : undefined;
}

function isPolluted(): boolean {
  return (
    Object.keys(Object.prototype).length > 0 ||
    Reflect.get({}, 'polluted') !== undefined ||
    Reflect.get([], 'polluted') !== undefined
  );
}

function shown(input: unknown): string {
  if (typeof input === 'string') return input.slice(0, 600);
  try {
    return (JSON.stringify(input) ?? 'undefined').slice(0, 600);
  } catch {
    return 'a value that is nested too deep to be shown';
  }
}
