import { type ErrorCode, ERRORS, type ProblemCode, PROBLEMS } from './errors.ts';
import type { JsonObject } from './json.ts';

/** One thing wrong inside a request: where (a JSON pointer), what (a code), in words, and the ISO 20022 status reason. */
export type Problem = {
  readonly pointer: string;
  readonly code: ProblemCode;
  readonly message: string;
  readonly iso: string;
};

/** An expected rejection, returned as a value. `message` is a whole sentence for an operator. */
export type Refusal = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly problems?: readonly Problem[];
  readonly details?: JsonObject;
};

export type Accepted<T> = { readonly ok: true; readonly value: T };
export type Refused = { readonly ok: false; readonly refusal: Refusal };
export type Result<T> = Accepted<T> | Refused;

export function accept<T>(value: T): Accepted<T> {
  return { ok: true, value };
}

export function refuse(code: ErrorCode, message: string, more: Pick<Refusal, 'problems' | 'details'> = {}): Refused {
  return { ok: false, refusal: { code, message, ...more } };
}

export function problem(pointer: string, code: ProblemCode, message: string): Problem {
  return { pointer, code, message, iso: PROBLEMS[code].iso };
}

/** The RFC 9457 body of a refusal. */
export function problemDetails(refusal: Refusal): JsonObject {
  const row = ERRORS[refusal.code];
  return {
    type: `urn:linkspan:error:${refusal.code}`,
    title: row.title,
    status: row.status,
    code: refusal.code,
    detail: refusal.message,
    ...(refusal.problems ? { problems: refusal.problems.map((p) => ({ ...p })) } : {}),
    ...(refusal.details ? { details: refusal.details } : {}),
  };
}

/**
 * An effect that failed. `mayHaveHappened` says whether the thing asked for may nevertheless have taken place: without an answer it is
 * unknown, not failed.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: ErrorCode;
  readonly mayHaveHappened: boolean;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; mayHaveHappened?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.mayHaveHappened = options.mayHaveHappened ?? false;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/** A broken invariant: a defect of ours, never an input. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Broken(message);
}

/** For the last branch of a switch over a closed set. */
export function never(value: never): never {
  throw new Broken(`unexpected value: ${JSON.stringify(value)}`);
}
