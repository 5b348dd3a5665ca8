import type { CloseRequest, FenceRequest, HoldRequest, TransferRequest } from './books.ts';
import { readSignedCertificate } from './certificate.ts';
import {
  membersOf,
  nameSketch,
  optional,
  readFlag,
  readId,
  readIdOrNone,
  readIntegerText,
  readName,
  readOneOf,
  readReason,
  readTrade,
} from './decode.ts';
import type { Source } from './decode.ts';
import { FILTERS } from './journal.ts';
import type { TradeKey } from './journal.ts';
import { readTerms, TERMS, termsOf } from './terms.ts';
import type { LodgeRequest, TryRequest } from './trade-books.ts';

/** With the business key of an awaited event, a fence also withdraws what the system would still do under it. */
export type FenceBody = Omit<FenceRequest, 'operation'> & { key: TradeKey | undefined };

export type EventsQuery = { after: number; limit: number; waitMs: number };

export function readHoldRequest(source: Source): HoldRequest {
  nameSketch(source, 'HoldRequest');
  const member = membersOf(source, ['id', 'settlement', ...TERMS]);
  return { id: readId(member('id')), settlement: readId(member('settlement')), ...termsOf(member) };
}

export function readTransferRequest(source: Source): TransferRequest {
  nameSketch(source, 'TransferRequest');
  const member = membersOf(source, ['id', 'trade', ...TERMS]);
  return { id: readId(member('id')), trade: optional(member('trade'), readTrade), ...termsOf(member) };
}

/** One side's DvP instruction; `hold: true` is ISO 20022's HldInd: settle only when somebody says so. */
export function readLodgeRequest(source: Source): LodgeRequest {
  nameSketch(source, 'LodgeRequest');
  const member = membersOf(source, ['id', 'trade', 'security', 'cash', 'hold']);
  return {
    id: readId(member('id')),
    trade: readTrade(member('trade')),
    security: readTerms(member('security')),
    cash: readTerms(member('cash')),
    hold: optional(member('hold'), readFlag) ?? false,
  };
}

export function readTryRequest(source: Source): TryRequest {
  nameSketch(source, 'TryRequest');
  const member = membersOf(source, ['operation', 'settlement', 'trade', 'from', 'to', 'certificate']);
  return {
    operation: readId(member('operation')),
    settlement: readId(member('settlement')),
    trade: readTrade(member('trade')),
    from: readName(member('from')),
    to: readName(member('to')),
    certificate: optional(member('certificate'), readSignedCertificate),
  };
}

/** A business key: in the query of a look-up, or as the member `await` of a fence. */
export function readTradeKey(source: Source): TradeKey {
  nameSketch(source, 'TradeKey');
  const member = membersOf(source, ['filter', 'trade', 'from', 'to']);
  return {
    filter: readOneOf(member('filter'), FILTERS),
    trade: readTrade(member('trade')),
    from: readName(member('from')),
    to: readName(member('to')),
  };
}

/** The body of execute, deliver and release; the hold comes from the path. */
export function readCloseRequest(source: Source): Omit<CloseRequest, 'hold'> {
  nameSketch(source, 'CloseRequest');
  const member = membersOf(source, ['operation', 'certificate']);
  return {
    operation: readIdOrNone(member('operation')),
    certificate: optional(member('certificate'), readSignedCertificate),
  };
}

/** The body of a fence; the operation comes from the path. */
export function readFenceRequest(source: Source): FenceBody {
  nameSketch(source, 'FenceRequest');
  const member = membersOf(source, ['reason', 'certificate', 'await']);
  return {
    reason: readReason(member('reason')),
    key: optional(member('await'), readTradeKey),
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
