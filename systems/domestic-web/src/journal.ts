import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { decode, membersOf, optional, readText } from './decode.ts';
import type { Source } from './decode.ts';
import { readTerms } from './terms.ts';
import type { Terms } from './terms.ts';
import type { Epoch } from './typed-data.ts';

export type { Terms } from './terms.ts';

/**
 * `lodge`: one side's DvP instruction. `try`: somebody may settle it as soon as it matches. `dvp`: both legs moved. `fail`: it was tried
 * and is dead. `close`: nothing more happens under a business key.
 */
const VERBS = [
  'open',
  'hold',
  'execute',
  'deliver',
  'release',
  'transfer',
  'fence',
  'epoch',
  'lodge',
  'try',
  'dvp',
  'fail',
  'close',
] as const;
export type Verb = (typeof VERBS)[number];

export const FILTERS = ['cash-transfer', 'dvp'] as const;
export type Filter = (typeof FILTERS)[number];

/** How participants name a payment or a DvP among themselves. For a DvP, `from` and `to` are the securities accounts. */
export type TradeKey = { filter: Filter; trade: string; from: string; to: string };

/** What only DvP bookings say: whose instruction it is and how it was lodged, the operation that waits for it, the cash leg. */
export type Details = { side?: string; hold?: boolean; awaited?: string; cash?: Terms };

/** One change as it is written down. */
export type Booking = {
  booking: number;
  verb: Verb;
  operation: string | undefined;
  /** A participant's own transfer: whose it is, and the id that the participant gave it. */
  client: string | undefined;
  reference: string | undefined;
  /** The hold that an execute, deliver or release closes. */
  hold: string | undefined;
  settlement: string | undefined;
  terms: Terms | undefined;
  epoch: number | undefined;
  reason: string | undefined;
  key: TradeKey | undefined;
  details: Details | undefined;
  timeMs: number;
};

export type NewBooking = Pick<Booking, 'verb' | 'timeMs'> & Partial<Omit<Booking, 'verb' | 'timeMs' | 'booking'>>;

export type Bucket = 'free' | 'held' | 'issued';
export type Place = { account: string; bucket: Bucket };
export type Move = { from: Place; to: Place };
export type Position = { asset: string; free: bigint; held: bigint };

/** The counterpart of opening positions; the star keeps it apart from every account id. */
export const ISSUE: Place = { account: '*issue', bucket: 'issued' };

/** What may be read and written inside one transaction. It knows the tables and no rule. */
export type Journal = ReturnType<typeof openJournal>;

export function openJournal(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  const byOperation = prepare('SELECT * FROM bookings WHERE operation = ?');
  const byReference = prepare('SELECT * FROM bookings WHERE client = ? AND reference = ?');
  const byHold = prepare('SELECT * FROM bookings WHERE hold = ?');
  const byKey = prepare(BY_KEY);
  const after = prepare('SELECT * FROM bookings WHERE booking > ? ORDER BY booking LIMIT ?');
  const newest = prepare('SELECT coalesce(max(booking), 0) AS booking FROM bookings');
  const insert = prepare(INSERT_BOOKING);
  const insertLines = prepare(INSERT_LINES);
  const change = prepare('UPDATE positions SET free = free + ?, held = held + ? WHERE account = ? AND asset = ?');
  const open = prepare('INSERT INTO positions (account, asset, free, held) VALUES (?, ?, 0, 0)');
  const position = prepare('SELECT asset, free, held FROM positions WHERE account = ? AND asset = ?');
  const positions = prepare('SELECT asset, free, held FROM positions WHERE account = ?');
  const epochAt = prepare('SELECT * FROM epochs WHERE epoch = ?');
  const latest = prepare('SELECT max(epoch) AS epoch FROM epochs');
  const insertEpoch = prepare('INSERT INTO epochs (epoch, quorum, signers) VALUES (?, ?, ?)');
  const hasAccount = prepare('SELECT id FROM accounts WHERE id = ?');
  const insertAccount = prepare('INSERT INTO accounts (id) VALUES (?)');

  function add(place: Place, asset: string, amount: bigint): void {
    if (place.bucket === 'issued') return;
    const free = place.bucket === 'free' ? amount : 0n;
    const values = [free, amount - free, place.account, asset] as const;
    if (change.run(...values).changes === 1n) return;
    open.run(place.account, asset);
    change.run(...values);
  }

  function moveLines(booking: number | bigint, firstLine: number, terms: Terms, { from, to }: Move): void {
    const { asset, amount } = terms;
    insertLines.run(booking, from.account, from.bucket, asset, amount, to.account, to.bucket, firstLine);
    add(from, asset, -amount);
    add(to, asset, amount);
  }

  return {
    byOperation: (operation: string): Booking | undefined => optionalBooking(byOperation.get(operation)),
    byReference: (client: string, reference: string) => optionalBooking(byReference.get(client, reference)),
    /** In the order in which they happened. */
    byKey: ({ filter, trade, from, to }: TradeKey): Booking[] => byKey.all(trade, from, to, filter).map(bookingOf),
    closingOf: (hold: string): Booking | undefined => optionalBooking(byHold.get(hold)),
    after: (sequence: number, limit: number): Booking[] => after.all(sequence, limit).map(bookingOf),
    newest: (): number => integer(newest.get() ?? {}, 'booking'),

    /** Writes a booking and, if it moves anything, its two lines and the positions that they change. */
    book(entry: NewBooking, move?: Move): Booking {
      const { terms, key } = entry;
      const { lastInsertRowid } = insert.run(
        entry.verb,
        entry.operation ?? null,
        entry.client ?? null,
        entry.reference ?? null,
        entry.hold ?? null,
        entry.settlement ?? null,
        terms?.from ?? key?.from ?? null,
        terms?.to ?? key?.to ?? null,
        terms?.asset ?? null,
        terms?.amount ?? null,
        entry.epoch ?? null,
        entry.reason ?? null,
        key?.trade ?? null,
        key?.filter ?? null,
        entry.details === undefined ? null : textOf(entry.details),
        entry.timeMs,
      );
      if (terms !== undefined && move !== undefined) moveLines(lastInsertRowid, 1, terms, move);
      return { ...NOTHING, ...entry, booking: Number(lastInsertRowid) };
    },

    /** The second leg of a booking that moves two assets. */
    moveAlso: ({ booking }: Booking, terms: Terms, move: Move): void => moveLines(booking, 3, terms, move),

    position: (account: string, asset: string): Position => {
      const row = position.get(account, asset);
      return row === undefined ? { asset, free: 0n, held: 0n } : positionOf(row);
    },
    positions: (account: string): Position[] => positions.all(account).map(positionOf),

    epochAt: (network: string, epoch: number): Epoch | undefined => {
      const row = epochAt.get(epoch);
      return row === undefined ? undefined : epochOf(network, row);
    },
    latestEpoch: (): number => integer(latest.get() ?? {}, 'epoch'),
    addEpoch(epoch: Epoch): void {
      insertEpoch.run(epoch.epoch, epoch.quorum, epoch.signers.join(' '));
    },

    hasAccount: (id: string): boolean => hasAccount.get(id) !== undefined,
    addAccount(id: string): void {
      insertAccount.run(id);
    },
  };
}

const INSERT_BOOKING = `
  INSERT INTO bookings
    (verb, operation, client, reference, hold, settlement, payer, payee, asset, amount, epoch, reason,
      trade, filter, details, time)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const BY_KEY = `
  SELECT * FROM bookings WHERE trade = ? AND payer = ? AND payee = ? AND filter = ? ORDER BY booking`;

/** One amount is bound once with either sign, so a booking that does not sum to zero cannot be written. */
const INSERT_LINES = `
  INSERT INTO entries (booking, line, account, bucket, asset, amount)
  VALUES (?1, ?8, ?2, ?3, ?4, -?5), (?1, ?8 + 1, ?6, ?7, ?4, ?5)`;

const NOTHING = {
  operation: undefined,
  client: undefined,
  reference: undefined,
  hold: undefined,
  settlement: undefined,
  terms: undefined,
  epoch: undefined,
  reason: undefined,
  key: undefined,
  details: undefined,
};

type Row = Record<string, SQLOutputValue>;

function optionalBooking(row: Row | undefined): Booking | undefined {
  return row === undefined ? undefined : bookingOf(row);
}

function bookingOf(row: Row): Booking {
  const epoch = row['epoch'];
  return {
    booking: integer(row, 'booking'),
    verb: verbOf(row),
    operation: text(row, 'operation'),
    client: text(row, 'client'),
    reference: text(row, 'reference'),
    hold: text(row, 'hold'),
    settlement: text(row, 'settlement'),
    terms: termsOf(row),
    epoch: epoch === null ? undefined : Number(epoch),
    reason: text(row, 'reason'),
    key: keyOf(row),
    details: detailsOf(row),
    timeMs: integer(row, 'time'),
  };
}

function termsOf(row: Row): Terms | undefined {
  const [from, to, asset] = [text(row, 'payer'), text(row, 'payee'), text(row, 'asset')];
  if (from === undefined || to === undefined || asset === undefined) return undefined;
  return { from, to, asset, amount: amount(row, 'amount') };
}

function keyOf(row: Row): TradeKey | undefined {
  const [trade, from, to] = [text(row, 'trade'), text(row, 'payer'), text(row, 'payee')];
  const filter = FILTERS.find((each) => each === row['filter']);
  if (trade === undefined || filter === undefined || from === undefined || to === undefined) return undefined;
  return { filter, trade, from, to };
}

function textOf({ cash, ...rest }: Details): string {
  return JSON.stringify(cash === undefined ? rest : { ...rest, cash: { ...cash, amount: String(cash.amount) } });
}

function detailsOf(row: Row): Details | undefined {
  const stored = text(row, 'details');
  if (stored === undefined) return undefined;
  const details = decode(JSON.parse(stored), readDetails);
  if (!details.ok) throw new TypeError(`The details of a booking are not as they were written: ${stored}`);
  return details.value;
}

function readDetails(source: Source): Details {
  const member = membersOf(source, ['side', 'hold', 'awaited', 'cash']);
  const side = optional(member('side'), readText);
  const awaited = optional(member('awaited'), readText);
  const cash = optional(member('cash'), readTerms);
  const hold = member('hold').value;
  return {
    ...(side === undefined ? {} : { side }),
    ...(typeof hold === 'boolean' ? { hold } : {}),
    ...(awaited === undefined ? {} : { awaited }),
    ...(cash === undefined ? {} : { cash }),
  };
}

function positionOf(row: Row): Position {
  return { asset: text(row, 'asset') ?? '', free: amount(row, 'free'), held: amount(row, 'held') };
}

function epochOf(network: string, row: Row): Epoch {
  const signers = (text(row, 'signers') ?? '').split(' ');
  return { network, epoch: integer(row, 'epoch'), quorum: integer(row, 'quorum'), signers };
}

function verbOf(row: Row): Verb {
  const verb = VERBS.find((each) => each === row['verb']);
  if (verb === undefined) throw new TypeError('A booking has an unknown verb.');
  return verb;
}

function text(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function amount(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== 'bigint') throw new TypeError(`The column ${column} holds no integer.`);
  return value;
}

function integer(row: Row, column: string): number {
  return Number(amount(row, column));
}
