import { ERRORS, type ErrorCode } from '@linkspan/protocol';

/** What one check found. `good` needs nothing; `warning` works, but not for ever or not for all; `bad` does not work. */
export type Finding = {
  /** What was checked, for programs. */
  readonly check: string;
  readonly state: 'good' | 'warning' | 'bad';
  readonly words: string;
  /** What to do about it; empty where nothing is to be done. */
  readonly todo: readonly string[];
  /** The error of the table that it is, where it is bad. */
  readonly code?: ErrorCode;
};

export function good(check: string, words: string): Finding {
  return { check, state: 'good', words, todo: [] };
}

export function warning(check: string, words: string, ...todo: readonly string[]): Finding {
  return { check, state: 'warning', words, todo };
}

export function bad(check: string, code: ErrorCode, words: string, ...todo: readonly string[]): Finding {
  return { check, state: 'bad', words, todo, code };
}

/** The exit code of the first finding that is bad; 0 where none is. */
export function exitOf(findings: readonly Finding[]): number {
  const first = findings.find(({ state }) => state === 'bad');
  return first ? ERRORS[first.code ?? 'internal'].exit : 0;
}
