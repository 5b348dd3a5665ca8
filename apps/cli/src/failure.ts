import { ERRORS, type ErrorCode, type Problem } from '@linkspan/protocol';

/** What ended a command: for people, and with the exit code of the error table. */
export type Failure = {
  readonly title: string;
  readonly detail: string;
  readonly problems: readonly Pick<Problem, 'pointer' | 'message'>[];
  readonly exit: number;
  /** The problem document, or one made here. */
  readonly document: object;
};

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

/** A title with the point that it lacks, unless it asks something. */
export function sentenceOf(title: string): string {
  return title.endsWith('?') ? title : `${title}.`;
}

/** A failure that this program found by itself. */
export function fail(
  code: ErrorCode,
  detail: string,
  title: string = ERRORS[code].title,
): { readonly ok: false; readonly failure: Failure } {
  return {
    ok: false,
    failure: { title, detail, problems: [], exit: ERRORS[code].exit, document: { title, code, detail } },
  };
}

/** A failure as an API told it, by RFC 9457; undefined where the body is no problem document of ours. */
export function readProblem(body: unknown): Failure | undefined {
  if (!isObject(body)) return undefined;
  const { title, code, detail, problems } = body;
  if (typeof title !== 'string' || typeof code !== 'string') return undefined;
  // A newer API may have codes that this program does not know.
  const { exit } = isErrorCode(code) ? ERRORS[code] : ERRORS.internal;
  return {
    title,
    detail: typeof detail === 'string' ? detail : '',
    problems: readProblems(problems),
    exit,
    document: body,
  };
}

function readProblems(problems: unknown): Failure['problems'] {
  if (!Array.isArray(problems)) return [];
  return problems.flatMap((each: unknown) => {
    if (!isObject(each)) return [];
    const { pointer, message } = each;
    return typeof pointer === 'string' && typeof message === 'string' ? [{ pointer, message }] : [];
  });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
