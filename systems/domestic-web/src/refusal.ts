import { STATUS_CODES } from 'node:http';

/** An expected rejection. `reason` is an ISO 20022 code, `extra` holds further members of the problem document. */
export type Refusal = {
  code: RefusalCode;
  reason: string;
  detail: string;
  extra: Record<string, unknown>;
};

export type Refused = { ok: false; refusal: Refusal };

export type Result<T> = { ok: true; value: T } | Refused;

export type RefusalCode = keyof typeof REFUSALS;

/** Each code with its HTTP status and the ISO 20022 reason that it carries unless a caller knows a better one. */
export const REFUSALS = {
  'request-invalid': [400, 'NARR'],
  'json-malformed': [400, 'NARR'],
  'token-missing': [401, 'NARR'],
  'token-invalid': [401, 'NARR'],
  'role-missing': [403, 'NARR'],
  'not-operator': [403, 'NARR'],
  'certificate-missing': [403, 'NARR'],
  'certificate-wrong-network': [403, 'NARR'],
  'certificate-wrong-settlement': [403, 'NARR'],
  'certificate-wrong-kind': [403, 'NARR'],
  'certificate-operation-not-named': [403, 'NARR'],
  'certificate-epoch-unknown': [403, 'NARR'],
  'certificate-epoch-old': [403, 'NARR'],
  'certificate-path-invalid': [403, 'NARR'],
  'certificate-too-few-signatures': [403, 'NARR'],
  'certificate-signature-invalid': [403, 'NARR'],
  'certificate-signers-unsorted': [403, 'NARR'],
  'route-unknown': [404, 'NARR'],
  'account-not-found': [404, 'AC01'],
  'operation-unknown': [404, 'NARR'],
  'hold-unknown': [404, 'NARR'],
  'transfer-unknown': [404, 'NARR'],
  'id-used': [409, 'DUPL'],
  'operation-dead': [409, 'NARR'],
  'hold-closed': [409, 'NARR'],
  'trade-closed': [409, 'NARR'],
  'trade-settled': [409, 'DUPL'],
  'side-lodged': [409, 'DUPL'],
  'cursor-ahead': [409, 'NARR'],
  'epoch-not-next': [409, 'NARR'],
  'body-too-large': [413, 'NARR'],
  'request-timeout': [408, 'NARR'],
  'media-type-unsupported': [415, 'NARR'],
  'account-unknown': [422, 'AC01'],
  'asset-unknown': [422, 'NARR'],
  'accounts-equal': [422, 'NARR'],
  'verb-mismatch': [422, 'NARR'],
  'asset-kind-wrong': [422, 'NARR'],
  'cash-short': [422, 'MONY'],
  'securities-short': [422, 'LACK'],
  'epoch-invalid': [422, 'NARR'],
  internal: [500, 'NARR'],
  busy: [503, 'NARR'],
  'storage-unavailable': [503, 'NARR'],
} as const;

export function refuse(
  code: RefusalCode,
  detail: string,
  extra: Record<string, unknown> = {},
  reason: string = REFUSALS[code][1],
): Refused {
  return { ok: false, refusal: { code, reason, detail, extra } };
}

/** The problem document (RFC 9457) of a refusal. */
export function problemOf({ code, reason, detail, extra }: Refusal): object {
  const [status] = REFUSALS[code];
  return { type: 'about:blank', title: STATUS_CODES[status], ...extra, status, code, reason, detail };
}
