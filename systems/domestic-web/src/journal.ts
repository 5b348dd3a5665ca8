import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Epoch } from './typed-data.ts';

export type Verb = 'open' | 'hold' | 'execute' | 'deliver' | 'release' | 'transfer' | 'fence' | 'epoch';

/** Whose money or securities a booking moves. `from` and `to` are account ids, amounts are minor units. */
export type Terms = { from: string; to: string; asset: string; amount: bigint };

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
  timeMs: number;
};

export type NewBooking = Pick<Booking, 'verb' | 'timeMs'> & Partial<Omit<Booking, 'verb' | 'timeMs' | 'booking'>>;

export type Bucket = 'free' | 'held' | 'issued';
export type Place = { account: string; bucket: Bucket };
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

  return {
    byOperation: (operation: string): Booking | undefined => optionalBooking(byOperation.get(operation)),
    byReference: (client: string, reference: string) => optionalBooking(byReference.get(client, reference)),
    closingOf: (hold: string): Booking | undefined => optionalBooking(byHold.get(hold)),
    after: (sequence: number, limit: number): Booking[] => after.all(sequence, limit).map(bookingOf),
    newest: (): number => integer(newest.get() ?? {}, 'booking'),

    /** Writes a booking and, if it moves anything, its two lines and the positions that they change. */
    book(entry: NewBooking, move?: { from: Place; to: Place }): Booking {
      const { terms } = entry;
      const { lastInsertRowid } = insert.run(
        entry.verb,
        entry.operation ?? null,
        entry.client ?? null,
        entry.reference ?? null,
        entry.hold ?? null,
        entry.settlement ?? null,
        terms?.from ?? null,
        terms?.to ?? null,
        terms?.asset ?? null,
        terms?.amount ?? null,
        entry.epoch ?? null,
        entry.reason ?? null,
        entry.timeMs,
      );
      if (terms !== undefined && move !== undefined) {
        const { from, to } = move;
        insertLines.run(lastInsertRowid, from.account, from.bucket, terms.asset, terms.amount, to.account, to.bucket);
        add(from, terms.asset, -terms.amount);
        add(to, terms.asset, terms.amount);
      }
      return { ...NOTHING, ...entry, booking: Number(lastInsertRowid) };
    },

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
    (verb, operation, client, reference, hold, settlement, payer, payee, asset, amount, epoch, reason, time)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** One amount is bound once with either sign, so a booking that does not sum to zero cannot be written. */
const INSERT_LINES = `
  INSERT INTO entries (booking, line, account, bucket, asset, amount)
  VALUES (?1, 1, ?2, ?3, ?4, -?5), (?1, 2, ?6, ?7, ?4, ?5)`;

const NOTHING = {
  operation: undefined,
  client: undefined,
  reference: undefined,
  hold: undefined,
  settlement: undefined,
  terms: undefined,
  epoch: undefined,
  reason: undefined,
};

const VERBS: readonly Verb[] = ['open', 'hold', 'execute', 'deliver', 'release', 'transfer', 'fence', 'epoch'];

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
    timeMs: integer(row, 'time'),
  };
}

function termsOf(row: Row): Terms | undefined {
  const [from, to, asset] = [text(row, 'payer'), text(row, 'payee'), text(row, 'asset')];
  if (from === undefined || to === undefined || asset === undefined) return undefined;
  return { from, to, asset, amount: amount(row, 'amount') };
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
