import {
  type BatchSignature,
  batchSignatureSchema,
  type ErrorCode,
  ERRORS,
  type Hash,
  hashSchema,
  isCanonicalisable,
  type Operation,
  operationSchema,
  parse,
  type Refusal,
  refuse,
  type Result,
  type SignedCertificate,
  signedCertificateSchema,
  type Statement,
  statementSchema,
} from '@linkspan/protocol';
import type { ObservationFilter, ReadingQuery } from './connector.ts';
import { isObject, readDocument } from './document-reader.ts';

/** What a Verifier asks of a Validator, and what it answers. Every body is JSON; every refusal is an RFC 9457 problem. */
export const PATHS = {
  submit: '/v1/submit',
  attest: '/v1/attest',
  fence: '/v1/fence',
  read: '/v1/read',
  observations: '/v1/observations',
  health: '/healthz',
} as const;

/** The longest that a request may wait for the end of an operation. */
export const LONGEST_WAIT_MS = 25_000;

export type SubmitRequest = {
  readonly operation: Operation;
  readonly certificate?: SignedCertificate;
  readonly waitMs: number;
};
export type AttestRequest = { readonly operation: Operation; readonly waitMs: number };
export type FenceRequest = SubmitRequest & { readonly reason: string };
export type ReadRequest = { readonly query: ReadingQuery; readonly nonce: string };

/** `final` with the signed statement, or `pending` when nothing was final within the time. */
export type Answer =
  | { readonly status: 'final'; readonly statement: Statement; readonly signature: BatchSignature }
  | { readonly status: 'pending' };

/** A reading as it is signed: the question and the asker's nonce are part of it, so no old answer passes for a new one. */
export type ReadingDocument = {
  readonly schema: 'reading/1';
  readonly network: Hash;
  readonly system: string;
  readonly nonce: string;
  readonly query: ReadingQuery;
  readonly cursor: string;
  readonly positions: readonly {
    readonly account: string;
    readonly asset: string;
    readonly balance: string;
    readonly held: string;
  }[];
};
export type SignedReading = { readonly reading: ReadingDocument; readonly signature: BatchSignature };

/** An event as it is signed. `after` is the cursor to go on from. */
export type ObservationDocument = {
  readonly schema: 'observation/1';
  readonly network: Hash;
  readonly system: string;
  readonly after: string;
  readonly operation: Hash;
  readonly status: 'effective' | 'dead';
  readonly terms: Statement['terms'];
  readonly reason: string;
  readonly transaction: string;
};
export type SignedObservation = { readonly observation: ObservationDocument; readonly signature: BatchSignature };

export function parseSubmit(body: unknown): Result<SubmitRequest> {
  const reader = readDocument(body);
  const operation = reader.parsed('operation', parseOperation);
  const certificate = reader.optional('certificate', parseCertificate);
  const waitMs = reader.integer('waitMs', WAIT);
  return requireOperation(
    reader.finish('request-invalid', () => ({ waitMs, ...(certificate ? { certificate } : {}) })),
    operation,
  );
}

export function parseAttest(body: unknown): Result<AttestRequest> {
  const reader = readDocument(body);
  const operation = reader.parsed('operation', parseOperation);
  const waitMs = reader.integer('waitMs', WAIT);
  return requireOperation(
    reader.finish('request-invalid', () => ({ waitMs })),
    operation,
  );
}

export function parseFence(body: unknown): Result<FenceRequest> {
  const reader = readDocument(body);
  const operation = reader.parsed('operation', parseOperation);
  const certificate = reader.optional('certificate', parseCertificate);
  const waitMs = reader.integer('waitMs', WAIT);
  const reason = reader.text('reason', {
    pattern: /^[A-Z0-9]{4}$/,
    words: 'an ISO 20022 reason, four capital letters or digits',
  });
  return requireOperation(
    reader.finish('request-invalid', () => ({ waitMs, reason, ...(certificate ? { certificate } : {}) })),
    operation,
  );
}

export function parseRead(body: unknown): Result<ReadRequest> {
  const reader = readDocument(body);
  const nonce = reader.text('nonce', { pattern: /^[0-9A-Za-z_-]{1,64}$/, words: '1 to 64 letters or digits' });
  const asked = reader.object('query');
  const type = asked.choice('type', ['balances', 'health']);
  const accounts = type === 'balances' && asked.has('accounts') ? asked.texts('accounts') : undefined;
  return reader.finish('request-invalid', () => ({
    nonce,
    query: type === 'health' ? { type } : { type, ...(accounts ? { accounts } : {}) },
  }));
}

/** The filter and cursor of an event stream, from its query string: `after`, `settlement`, `operations` (by commas). */
export function parseObservationQuery(
  query: unknown,
): Result<{ readonly after: string; readonly filter: ObservationFilter }> {
  const reader = readDocument(query);
  const after = reader.optionalText('after', { pattern: /^[0-9A-Za-z._-]{1,64}$/, words: 'a cursor' }) ?? '';
  const settlement = reader.optional('settlement', parseHash);
  const operations = reader.optional('operations', parseHashes);
  return reader.finish('request-invalid', () => ({
    after,
    filter: { ...(settlement ? { settlement } : {}), ...(operations ? { operations } : {}) },
  }));
}

export function parseAnswer(body: unknown): Result<Answer> {
  if (isObject(body) && body['status'] === 'pending') return { ok: true, value: { status: 'pending' } };
  const reader = readDocument(body);
  reader.choice('status', ['final', 'pending']);
  const statement = reader.parsed('statement', (value) => parse(statementSchema, value, 'request-invalid'));
  const signature = reader.parsed('signature', parseSignature);
  const read = reader.finish('request-invalid', () => undefined);
  if (!read.ok || !statement || !signature) return misread(read);
  return { ok: true, value: { status: 'final', statement, signature } };
}

export function parseSignedReading(body: unknown): Result<SignedReading> {
  const reader = readDocument(body);
  const signature = reader.parsed('signature', parseSignature);
  const inner = reader.object('reading');
  inner.choice('schema', ['reading/1']);
  const network = inner.parsed('network', parseHash);
  const [system, nonce, cursor] = [inner.text('system'), inner.text('nonce'), inner.optionalText('cursor') ?? ''];
  const asked = inner.object('query');
  const type = asked.choice('type', ['balances', 'health']);
  const accounts = asked.has('accounts') ? asked.texts('accounts') : undefined;
  const amount = { pattern: /^-?[0-9]+$/, words: 'a whole number as text' };
  const positions = inner.objects('positions').map((one) => ({
    account: one.text('account'),
    asset: one.text('asset'),
    balance: one.text('balance', amount),
    held: one.text('held', amount),
  }));
  const read = reader.finish('request-invalid', () => undefined);
  if (!read.ok || !network || !signature) return misread(read);
  const query: ReadingQuery = type === 'health' ? { type } : { type, ...(accounts ? { accounts } : {}) };
  return {
    ok: true,
    value: { reading: { schema: 'reading/1', network, system, nonce, query, cursor, positions }, signature },
  };
}

export function parseSignedObservation(body: unknown): Result<SignedObservation> {
  const reader = readDocument(body);
  const signature = reader.parsed('signature', parseSignature);
  const inner = reader.object('observation');
  inner.choice('schema', ['observation/1']);
  const network = inner.parsed('network', parseHash);
  const operation = inner.parsed('operation', parseHash);
  const status = inner.choice('status', ['effective', 'dead']);
  const [system, after] = [inner.text('system'), inner.text('after')];
  const [reason, transaction] = [inner.emptyOrText('reason'), inner.emptyOrText('transaction')];
  const terms = inner.object('terms').allTexts();
  const read = reader.finish('request-invalid', () => undefined);
  if (!read.ok || !network || !operation || !signature) return misread(read);
  return {
    ok: true,
    value: {
      observation: { schema: 'observation/1', network, system, after, operation, status, terms, reason, transaction },
      signature,
    },
  };
}

/** The refusal that a problem document (RFC 9457) tells of, or undefined where it names no code of ours. */
export function parseProblem(body: unknown): Refusal | undefined {
  if (!isObject(body)) return undefined;
  const { code, detail } = body;
  if (typeof code !== 'string' || !isErrorCode(code)) return undefined;
  return { code, message: typeof detail === 'string' ? detail.slice(0, 1_000) : ERRORS[code].title };
}

const WAIT = { min: 0, max: LONGEST_WAIT_MS, otherwise: 0 };

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

function requireOperation<T>(read: Result<T>, operation: Operation | undefined): Result<T & { operation: Operation }> {
  if (!read.ok || !operation) return misread(read);
  return { ok: true, value: { ...read.value, operation } };
}

/** A member that could not be parsed has been noted by the reader, so it has refused. */
function misread(read: Result<unknown>): { ok: false; refusal: Refusal } {
  return read.ok ? { ok: false, refusal: { code: 'request-invalid', message: 'It has the wrong form.' } } : read;
}

/** Operations are hashed, so their texts must be well-formed Unicode. */
function parseOperation(value: unknown): Result<Operation> {
  const operation = parse(operationSchema, value, 'request-invalid');
  return !operation.ok || isCanonicalisable(operation.value)
    ? operation
    : refuse('request-invalid', 'A text of the operation is not well-formed Unicode.');
}

function parseCertificate(value: unknown): Result<SignedCertificate> {
  return parse(signedCertificateSchema, value, 'request-invalid');
}

function parseSignature(value: unknown): Result<BatchSignature> {
  return parse(batchSignatureSchema, value, 'request-invalid');
}

function parseHash(value: unknown): Result<Hash> {
  return parse(hashSchema, value, 'request-invalid');
}

function parseHashes(value: unknown): Result<Hash[]> {
  const hashes: Hash[] = [];
  for (const part of typeof value === 'string' ? value.split(',') : []) {
    const hash = parseHash(part);
    if (!hash.ok) return hash;
    hashes.push(hash.value);
  }
  return { ok: true, value: hashes };
}
