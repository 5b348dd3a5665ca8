import type { z } from 'zod';
import type { ErrorCode, ProblemCode } from './errors.ts';
import { accept, type Problem, problem, refuse, type Result } from './refusal.ts';

/** Parses at the boundary: the typed value, or a refusal that lists every problem (the first 200) with its JSON pointer. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, code: ErrorCode): Result<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return accept(parsed.data);
  const problems = problemsOf(parsed.error, value);
  const first = problems[0];
  return refuse(code, first ? `${first.pointer || 'The whole'}: ${first.message}` : 'It has the wrong form.', {
    problems,
  });
}

/**
 * Parses what nobody changes any more: the value itself, not a copy, so that what is known about its parts (their texts, the roots of their
 * signatures) stays known. For schemas that only check; one that fills in or converts would be wrong here.
 */
export function parseInPlace<T>(schema: z.ZodType<T>, value: unknown, code: ErrorCode): Result<T> {
  return hasForm(schema, value) ? accept(value) : parse(schema, value, code);
}

function hasForm<T>(schema: z.ZodType<T>, value: unknown): value is T {
  return schema.safeParse(value).success;
}

/** Every issue of a failed parse as a problem, the first 200 of them: nobody reads more, and a hostile document has as many as it has bytes. */
export function problemsOf(error: z.ZodError, value: unknown): Problem[] {
  return error.issues
    .slice(0, MOST_PROBLEMS)
    .flatMap((issue) => issueProblems(issue, value))
    .slice(0, MOST_PROBLEMS);
}

const MOST_PROBLEMS = 200;

function issueProblems(issue: z.core.$ZodIssue, value: unknown): Problem[] {
  const pointer = pointerOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, MOST_PROBLEMS)
      .map((key) =>
        problem(`${pointer}/${escape(key)}`, 'member-unknown', `The format has no member "${key.slice(0, 64)}" here.`),
      );
  }
  if (valueAt(value, issue.path) === undefined)
    return [problem(pointer, 'missing', `${lastName(issue.path)} is missing.`)];
  return [problem(pointer, codeOf(issue), `${lastName(issue.path)}: ${messageOf(issue)}.`)];
}

/** What the value must be, in our words where the schema has none of its own. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (!issue.message.startsWith('Invalid input')) return issue.message;
  return issue.code === 'invalid_type'
    ? `${KINDS[issue.expected] ?? issue.expected} is wanted`
    : 'it has the wrong form';
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
};

const NUMBERS: ReadonlySet<string> = new Set(['number', 'int', 'bigint']);

function codeOf(issue: z.core.$ZodIssue): ProblemCode {
  if (issue.code === 'invalid_value') return 'value-not-allowed';
  if (issue.code === 'too_big' || issue.code === 'too_small') {
    if (NUMBERS.has(issue.origin)) return 'out-of-range';
    if (issue.code === 'too_big') return 'too-long';
  }
  return 'type-wrong';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    // Only members of its own: a path may lead through names such as "constructor".
    at = Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
  }
  return at;
}

/** A JSON pointer (RFC 6901). */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${escape(String(part))}`).join('');
}

function escape(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}

function lastName(path: readonly PropertyKey[]): string {
  const last = path.at(-1);
  return last === undefined ? 'The value' : `"${String(last)}"`;
}
