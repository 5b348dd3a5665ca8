import { AsyncLocalStorage } from 'node:async_hooks';
import type { Hash } from '@linkspan/protocol';

/** Which trace a piece of work belongs to (W3C Trace Context): 32 hexadecimal digits, and the 16 of whoever asked for it. */
export type Trace = { readonly traceId: string; readonly parentId: string };

/** The trace that a header `traceparent` names; undefined where it has not the form of the standard. */
export function parseTraceparent(header: string | undefined): Trace | undefined {
  const [, version, traceId, parentId, more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(header ?? '') ?? [];
  if (traceId === undefined || parentId === undefined || version === 'ff') return undefined;
  // Only a later version may have more after the flags; zeros are no ids.
  if (version === '00' && more !== undefined) return undefined;
  return /^0+$/.test(traceId) || /^0+$/.test(parentId) ? undefined : { traceId, parentId };
}

/** The header `traceparent` of a request that is made within a trace, under an id of its own. */
export function traceparent({ traceId }: Pick<Trace, 'traceId'>): string {
  return `00-${traceId}-${randomHex(8)}-01`;
}

export function newTrace(): Trace {
  return { traceId: randomHex(16), parentId: randomHex(8) };
}

/**
 * The trace of everything that is done for a settlement later than any request. It follows from the settlement's id, so that what different organisations
 * do for it comes together without anybody telling the other.
 */
export function traceOfSettlement(settlement: Hash): Trace {
  const digits = settlement.slice('sha256:'.length);
  return { traceId: digits.slice(0, 32), parentId: digits.slice(32, 48) };
}

/** Does work within a trace: requests that it makes carry the trace on. */
export function withinTrace<T>(trace: Trace, work: () => T): T {
  return current.run(trace, work);
}

/** The trace within which this is called, where there is one. */
export function currentTrace(): Trace | undefined {
  return current.getStore();
}

/** The headers by which a request carries the current trace on. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const trace = current.getStore();
  return trace ? { traceparent: traceparent(trace) } : {};
}

const current = new AsyncLocalStorage<Trace>();

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}
