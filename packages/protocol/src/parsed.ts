import type { ProblemCode } from './errors.ts';

/**
 * The answer of every check in this package that reads text from outside: the value, or one problem.
 * An expected rejection is a value, never an exception, so that a caller can collect all problems of a document.
 */
export type Parsed<T> = { readonly ok: true; readonly value: T } | Unparsed;

/** `code` is for programs and stays as it is for ever; `message` is a complete sentence for an operator. */
export type Unparsed = {
  readonly ok: false;
  readonly code: ProblemCodeLiteral;
  readonly message: string;
};

/** Every code that a check of money, rates, identifiers or instants can answer. */
export const PARSE_PROBLEM_CODES = [
  'amount-malformed',
  'amount-too-precise',
  'amount-not-positive',
  'currency-unknown',
  'isin-malformed',
  'isin-country',
  'isin-check-digit',
  'lei-malformed',
  'lei-check-digits',
  'bic-malformed',
  'bic-country',
  'instant-malformed',
  'date-malformed',
  'rate-malformed',
  'rate-currencies',
  'rate-disagrees',
] as const satisfies readonly ProblemCode[];

export type ProblemCodeLiteral = (typeof PARSE_PROBLEM_CODES)[number];

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function unparsed(code: ProblemCodeLiteral, message: string): Unparsed {
  return { ok: false, code, message };
}

/** What a message shows of the text it complains about: quoted, and never more than a line. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
