import type { CloseRequest, FenceRequest, HoldRequest, TransferRequest } from './books.ts';
import { readSignedCertificate } from './certificate.ts';
import {
  membersOf,
  optional,
  readAmount,
  readId,
  readIdOrNone,
  readIntegerText,
  readName,
  readReason,
} from './decode.ts';
import type { Source } from './decode.ts';

export type EventsQuery = { after: number; limit: number; waitMs: number };

export function readHoldRequest(source: Source): HoldRequest {
  const member = membersOf(source, ['id', 'settlement', 'from', 'to', 'asset', 'amount']);
  return { id: readId(member('id')), settlement: readId(member('settlement')), ...readTerms(member) };
}

export function readTransferRequest(source: Source): TransferRequest {
  const member = membersOf(source, ['id', 'from', 'to', 'asset', 'amount']);
  return { id: readId(member('id')), ...readTerms(member) };
}

/** The body of execute, deliver and release; the hold comes from the path. */
export function readCloseRequest(source: Source): Omit<CloseRequest, 'hold'> {
  const member = membersOf(source, ['operation', 'certificate']);
  return {
    operation: readIdOrNone(member('operation')),
    certificate: optional(member('certificate'), readSignedCertificate),
  };
}

/** The body of a fence; the operation comes from the path. */
export function readFenceRequest(source: Source): Omit<FenceRequest, 'operation'> {
  const member = membersOf(source, ['reason', 'certificate']);
  return {
    reason: readReason(member('reason')),
    certificate: optional(member('certificate'), readSignedCertificate),
  };
}

export function readEventsQuery(source: Source): EventsQuery {
  const member = membersOf(source, ['after', 'limit', 'waitMs']);
  return {
    after: optional(member('after'), (each) => readIntegerText(each, 0, Number.MAX_SAFE_INTEGER)) ?? 0,
    limit: optional(member('limit'), (each) => readIntegerText(each, 1, LARGEST_PAGE)) ?? USUAL_PAGE,
    waitMs: optional(member('waitMs'), (each) => readIntegerText(each, 0, LONGEST_WAIT_MS)) ?? 0,
  };
}

/** The one parameter of a path that is an operation, hold or transfer id. */
export function readIdParameter(source: Source): string {
  return readId(membersOf(source, ['id'])('id'));
}

export function readAccountParameter(source: Source): string {
  return readName(membersOf(source, ['id'])('id'));
}

export function readNoQuery(source: Source): void {
  membersOf(source, []);
}

const USUAL_PAGE = 100;
const LARGEST_PAGE = 1000;
const LONGEST_WAIT_MS = 25_000;

function readTerms(member: (name: string) => Source) {
  return {
    from: readName(member('from')),
    to: readName(member('to')),
    asset: readName(member('asset')),
    amount: readAmount(member('amount')),
  };
}
