/** An expected rejection: a code, an ISO 20022 reason, and a sentence. */
export type Refused = { ok: false; code: RefusalCode; reason: string; message: string };
export type Result<T> = { ok: true; value: T } | Refused;
export type RefusalCode = keyof typeof REASONS;

/** The reason that each code carries unless a caller knows a better one. */
const REASONS = {
  'request-invalid': 'NARR',
  'started-already': 'NARR',
  'not-started': 'NARR',
  'not-issuer': 'NARR',
  'not-owner': 'NARR',
  'not-executor': 'NARR',
  'not-operator': 'NARR',
  'account-unknown': 'AC01',
  'account-used': 'DUPL',
  'accounts-equal': 'NARR',
  'cash-short': 'MONY',
  'id-used': 'DUPL',
  'operation-dead': 'NARR',
  'hold-unknown': 'NARR',
  'hold-closed': 'NARR',
  'certificate-wrong-network': 'NARR',
  'certificate-wrong-settlement': 'NARR',
  'certificate-wrong-kind': 'NARR',
  'certificate-operation-not-named': 'NARR',
  'certificate-epoch-unknown': 'NARR',
  'certificate-epoch-old': 'NARR',
  'certificate-path-invalid': 'NARR',
  'certificate-too-few-signatures': 'NARR',
  'certificate-signature-invalid': 'NARR',
  'certificate-signers-unsorted': 'NARR',
  'epoch-not-next': 'NARR',
  'epoch-invalid': 'NARR',
} as const;

export function refuse(code: RefusalCode, message: string, reason: string = REASONS[code]): Refused {
  return { ok: false, code, reason, message };
}
