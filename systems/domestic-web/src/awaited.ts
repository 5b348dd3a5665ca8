import type { Booking, Journal, TradeKey } from './journal.ts';

/** What has become of an event that somebody waits for under a business key. `open` proves nothing. */
export type Awaited =
  | { status: 'effective'; events: readonly [Booking, ...Booking[]] }
  | { status: 'dead'; reason: string }
  | { status: 'open' };

/**
 * Looks at what is booked under a key. Only what is booked counts, so every reader finds the same: payments are all counted, a DvP
 * settles once. A DvP that was settled for another operation is none that this one may count on.
 */
export function awaitedUnder(journal: Journal, key: TradeKey, operation: string): Awaited {
  const [first, ...others] = eventsUnder(journal, key);
  if (first !== undefined) {
    const belongsToAnother = key.filter === 'dvp' && first.operation !== undefined && first.operation !== operation;
    return belongsToAnother ? { status: 'dead', reason: 'DUPL' } : { status: 'effective', events: [first, ...others] };
  }
  const closure = closureOf(journal, key);
  return closure === undefined ? { status: 'open' } : { status: 'dead', reason: closure.reason ?? 'NARR' };
}

/** The payments, or the one DvP, that took place under a key. */
export function eventsUnder(journal: Journal, key: TradeKey): Booking[] {
  const verb = key.filter === 'dvp' ? 'dvp' : 'transfer';
  return journal.byKey(key).filter((booking) => booking.verb === verb);
}

/** The first booking after which nothing more may happen under a key. */
export function closureOf(journal: Journal, key: TradeKey): Booking | undefined {
  return journal.byKey(key).find(({ verb }) => verb === 'fence' || verb === 'fail' || verb === 'close');
}
