import type { Awaited } from './awaited.ts';
import type { Account, Asset } from './config.ts';
import type { Booking, Position, Terms, TradeKey } from './journal.ts';
import type { Lodged } from './trade-books.ts';

/** The body that answers a request that took effect: the same at every repetition. */
export function answerOf(booking: Booking): object {
  const { verb, operation, hold, settlement, epoch, reason } = booking;
  switch (verb) {
    case 'hold':
      return { id: operation, status: 'held', settlement, ...termsOf(booking), epoch, booking: booking.booking };
    case 'execute':
    case 'deliver':
      return { operation, hold, status: 'executed', ...termsOf(booking), booking: booking.booking };
    case 'release':
      return { operation, hold, status: 'released', ...termsOf(booking), booking: booking.booking };
    case 'transfer': {
      const id = operation ?? booking.reference;
      const trade = booking.key?.trade;
      return { id, status: 'transferred', trade, ...termsOf(booking), booking: booking.booking };
    }
    case 'fence':
      return { operation, status: 'dead', reason };
    case 'open':
    case 'epoch':
    case 'lodge':
    case 'try':
    case 'dvp':
    case 'fail':
    case 'close':
      throw new TypeError(`A booking of ${verb} answers no request.`);
  }
}

/** What became of an operation id. */
export function outcomeOf(booking: Booking): object {
  const { verb, operation, settlement, reason } = booking;
  if (verb === 'fence') return { operation, status: 'dead', reason };
  const hold = verb === 'hold' ? operation : booking.hold;
  return { operation, status: 'effective', verb, hold, settlement, ...termsOf(booking), booking: booking.booking };
}

/** A hold with its present state, and what closed it. */
export function holdOf(hold: Booking, closing: Booking | undefined): object {
  const { operation: id, settlement, epoch, booking } = hold;
  const body = { id, status: stateOf(closing), settlement, ...termsOf(hold), epoch, booking };
  if (closing === undefined) return body;
  const { operation, verb } = closing;
  return { ...body, closing: { operation, verb, booking: closing.booking } };
}

/** One line of the feed. A participant's own id of its transfer is shown as `reference`. */
export function eventOf(booking: Booking): object {
  const { booking: sequence, verb, operation, reference, settlement, epoch, reason } = booking;
  const hold = verb === 'hold' ? operation : booking.hold;
  const time = new Date(booking.timeMs).toISOString();
  const { filter, trade } = booking.key ?? {};
  const cash = legOf(booking.details?.cash);
  const key = { operation, reference, hold, settlement, filter, trade };
  return {
    sequence,
    type: verb,
    ...key,
    ...booking.key,
    ...termsOf(booking),
    cash,
    epoch,
    reason,
    booking: sequence,
    time,
  };
}

/** An account with a position in every asset of the system, those that it never had being zero. */
export function accountOf(account: Account, assets: Iterable<Asset>, positions: Position[]): object {
  const known = new Map(positions.map((position) => [position.asset, position]));
  const shown = Array.from(assets, ({ id: asset }) => {
    const { free, held } = known.get(asset) ?? { free: 0n, held: 0n };
    return { asset, balance: String(free + held), held: String(held), free: String(free) };
  });
  return { id: account.id, name: account.name, positions: shown };
}

/** A participant's DvP instruction. */
export function lodgedOf({ booking, status }: Lodged): object {
  const { reference: id, key, terms, details } = booking;
  const legs = { security: legOf(terms), cash: legOf(details?.cash) };
  return { id, status, trade: key?.trade, ...legs, hold: details?.hold, booking: booking.booking };
}

/**
 * What is awaited under a business key. Several payments are counted and, where they are of one asset, summed: so no reader can take
 * them for the one that was agreed.
 */
export function awaitedOf(operation: string, key: TradeKey, awaited: Awaited): object {
  if (awaited.status === 'open') return { operation, status: 'open' };
  if (awaited.status === 'dead') return { operation, status: 'dead', reason: awaited.reason };
  const { events } = awaited;
  const [first] = events;
  const asset = first.terms?.asset;
  const isOneAsset = events.every(({ terms }) => terms?.asset === asset);
  const amount = events.reduce((sum, { terms }) => sum + (terms?.amount ?? 0n), 0n);
  const moved = isOneAsset ? { asset, amount: String(amount) } : {};
  const { settlement, details } = first;
  const cash = legOf(details?.cash);
  const booking = events.map((event) => event.booking).join();
  return { operation, status: 'effective', settlement, ...key, count: events.length, ...moved, cash, booking };
}

function legOf(terms: Terms | undefined): object | undefined {
  return terms === undefined ? undefined : { ...terms, amount: String(terms.amount) };
}

function stateOf(closing: Booking | undefined): 'held' | 'executed' | 'released' {
  if (closing === undefined) return 'held';
  return closing.verb === 'release' ? 'released' : 'executed';
}

function termsOf({ terms }: Booking): object {
  return terms === undefined ? {} : { ...terms, amount: String(terms.amount) };
}
