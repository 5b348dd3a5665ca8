import { parsed, shown, unparsed } from './parsed.ts';
import type { Parsed } from './parsed.ts';

/** Milliseconds of 0000-01-01T00:00:00.000Z and of 9999-12-31T23:59:59.999Z, the instants that four digits can write. */
export const FIRST_INSTANT_MS = -62_167_219_200_000;
export const LAST_INSTANT_MS = 253_402_300_799_999;

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const FIRST_DAY = FIRST_INSTANT_MS / DAY_MS;
const LAST_DAY = (LAST_INSTANT_MS + 1) / DAY_MS - 1;

/**
 * Reads an RFC 3339 instant such as "2026-11-24T15:00:00+09:00" into milliseconds since 1970-01-01T00:00:00Z.
 * Seconds and Z or an offset are required, one to three digits of a second may follow; T and Z are capitals.
 * A leap second (:60) is refused, since no epoch counts it. Code: `instant-malformed`.
 * Own arithmetic on the proleptic Gregorian calendar: `Date` would also accept a time without a zone.
 */
export function parseInstant(text: string): Parsed<number> {
  const parts = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?(?:Z|([+-])(\d{2}):(\d{2}))$/.exec(
    text,
  );
  if (parts === null) {
    return malformedInstant(text, 'it must look like 2026-11-24T15:00:00+09:00 or 2026-11-24T06:00:00.000Z');
  }
  const [hour, minute, second] = [field(parts, 4), field(parts, 5), field(parts, 6)];
  const [offsetHour, offsetMinute] = [field(parts, 9), field(parts, 10)];
  const days = daysFromDate(field(parts, 1), field(parts, 2), field(parts, 3));
  if (days === undefined) return malformedInstant(text, 'there is no such day');
  if (hour > 23 || minute > 59 || second > 59) return malformedInstant(text, 'there is no such time of day');
  if (offsetHour > 23 || offsetMinute > 59) return malformedInstant(text, 'there is no such offset');
  // A positive offset is a clock ahead of UTC, so it is taken away.
  const offsetMinutes = (offsetHour * 60 + offsetMinute) * (parts[8] === '-' ? -1 : 1);
  const seconds = (hour * 60 + minute - offsetMinutes) * 60 + second;
  const instantMs = days * DAY_MS + seconds * 1000 + Number((parts[7] ?? '').padEnd(3, '0'));
  if (instantMs < FIRST_INSTANT_MS || instantMs > LAST_INSTANT_MS) {
    return malformedInstant(text, 'in UTC its year does not have four digits');
  }
  return parsed(instantMs);
}

/** Writes an instant the one way it is stored: UTC, always milliseconds. Throws a RangeError beyond the years 0000 to 9999. */
export function formatInstant(instantMs: number): string {
  if (!Number.isInteger(instantMs) || instantMs < FIRST_INSTANT_MS || instantMs > LAST_INSTANT_MS) {
    throw new RangeError(`An instant is whole milliseconds within the years 0000 to 9999, not ${instantMs}`);
  }
  const days = Math.floor(instantMs / DAY_MS);
  const inDayMs = instantMs - days * DAY_MS;
  const minutes = Math.floor(inDayMs / MINUTE_MS);
  const inMinuteMs = inDayMs - minutes * MINUTE_MS;
  const time = `${padded(Math.floor(minutes / 60), 2)}:${padded(minutes % 60, 2)}`;
  return `${formatDate(days)}T${time}:${padded(Math.floor(inMinuteMs / 1000), 2)}.${padded(inMinuteMs % 1000, 3)}Z`;
}

/**
 * Reads a calendar date "2026-11-24" into whole days since 1970-01-01. Code: `date-malformed`.
 * A date is no instant: when its day begins depends on the place, so days are never turned into milliseconds.
 */
export function parseDate(text: string): Parsed<number> {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (parts === null) {
    return unparsed('date-malformed', `${shown(text)} is not a date: it must look like 2026-11-24.`);
  }
  const days = daysFromDate(field(parts, 1), field(parts, 2), field(parts, 3));
  if (days === undefined) return unparsed('date-malformed', `${shown(text)} is not a date: there is no such day.`);
  return parsed(days);
}

/** Writes days since 1970-01-01 as YYYY-MM-DD. Throws a RangeError beyond the years 0000 to 9999. */
export function formatDate(days: number): string {
  if (!Number.isInteger(days) || days < FIRST_DAY || days > LAST_DAY) {
    throw new RangeError(`A date is whole days within the years 0000 to 9999, not ${days}`);
  }
  // Years are counted from March, so that the leap day comes last and every month begins at a fixed day of the year.
  const sinceMarch0000 = days + DAYS_BEFORE_EPOCH;
  const era = Math.floor(sinceMarch0000 / DAYS_IN_400_YEARS);
  const dayOfEra = sinceMarch0000 - era * DAYS_IN_400_YEARS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - daysBeforeYear(yearOfEra);
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - daysBeforeMonth(monthFromMarch) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
}

const DAYS_IN_400_YEARS = 146_097;
/** Days from 0000-03-01 to 1970-01-01. */
const DAYS_BEFORE_EPOCH = 719_468;

function daysFromDate(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const dayOfYear = daysBeforeMonth(month <= 2 ? month + 9 : month - 3) + day - 1;
  return era * DAYS_IN_400_YEARS + daysBeforeYear(marchYear - era * 400) + dayOfYear - DAYS_BEFORE_EPOCH;
}

function daysBeforeYear(yearOfEra: number): number {
  return yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
}

/** Months counted from March = 0: 31, 30, 31, 30, 31 days repeat, which (153 m + 2) / 5 sums up. */
function daysBeforeMonth(monthFromMarch: number): number {
  return Math.floor((153 * monthFromMarch + 2) / 5);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeapYear(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function malformedInstant(text: string, why: string): Parsed<number> {
  return unparsed('instant-malformed', `${shown(text)} is not an instant: ${why}.`);
}

/** A group of digits as a number; a group that did not take part in the match is 0. */
function field(parts: RegExpExecArray, group: number): number {
  return Number(parts[group] ?? '0');
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
