import type { ErrorCode } from '@linkspan/protocol';

/** What can be wrong with evidence beyond what the contract itself refuses. */
export const FINDING_CODES = [
  'file-too-large',
  'file-too-deep',
  'file-malformed',
  'file-version-unknown',
  'host-unknown',
  'network-other',
  'genesis-differs',
  'machine-unknown',
  'order-wrong',
  'settlement-repeated',
  'call-repeated',
  'call-misplaced',
  'entry-differs',
  'entry-added',
  'entry-dropped',
  'end-differs',
] as const;

/** `where` is a JSON pointer into the file. The code is one of the auditor's own, or the one with which the contract refused a call. */
export type Finding = {
  readonly where: string;
  readonly code: (typeof FINDING_CODES)[number] | ErrorCode;
  readonly message: string;
};

export type Found<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly finding: Finding };

export function found<T>(value: T): Found<T> {
  return { ok: true, value };
}

export function finding(
  where: string,
  code: Finding['code'],
  message: string,
): { readonly ok: false; readonly finding: Finding } {
  return { ok: false, finding: { where, code, message } };
}
