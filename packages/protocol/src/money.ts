import { CURRENCIES } from './currencies.ts';
import { parsed, shown, unparsed } from './parsed.ts';
import type { Currency } from './currencies.ts';
import type { Parsed } from './parsed.ts';

/** An amount in minor units (cents of USD, whole JPY) with its ISO 4217 code. */
export type Money = { readonly amount: bigint; readonly currency: string };

/** A currency in which an amount can be written, because ISO 4217 gives it a minor unit. */
export type MoneyCurrency = Currency & { readonly digits: number };

/** Most digits of an amount, as in ISO 20022 `ActiveCurrencyAndAmount`; so minor units fit in 64 bits as well. */
export const MAXIMUM_AMOUNT_DIGITS = 18;

/** Finds the currency. Code: `currency-unknown`, also for gold, SDR and the like, which have no minor unit. */
export function checkCurrency(code: string): Parsed<MoneyCurrency> {
  const currency = CURRENCIES.get(code);
  if (currency === undefined) {
    return unparsed('currency-unknown', `${shown(code)} is not a currency in use in ISO 4217.`);
  }
  const { digits } = currency;
  if (digits === null) {
    return unparsed(
      'currency-unknown',
      `${code} (${currency.name}) has no minor unit, so no amount can be paid in it.`,
    );
  }
  return parsed({ ...currency, digits });
}

/**
 * Reads an amount such as "6711.41" into minor units: no sign, exponent, separator or needless leading zero.
 * Fewer fraction digits than the currency has are accepted ("6711.4" USD), more are not ("1.00" JPY). Written with all
 * its digits an amount has at most 18 of them, so that each one read can be written again.
 * Codes, in the order of the checks: `amount-malformed`, `currency-unknown`, `amount-too-precise`,
 * `amount-malformed` (too many digits), `amount-not-positive`. The text is looked at first, so that a wrong currency
 * does not hide a malformed amount; `checkCurrency` tells about the currency by itself.
 */
export function parseAmount(text: string, currency: string): Parsed<bigint> {
  const parts = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  if (parts === null) {
    return unparsed(
      'amount-malformed',
      `${shown(text)} is not an amount: digits are needed, with a point before decimals, and no sign, exponent, separator or leading zero.`,
    );
  }
  const known = checkCurrency(currency);
  if (!known.ok) return known;
  const { digits } = known.value;
  const whole = parts[1] ?? '';
  const fraction = parts[2] ?? '';
  if (fraction.length > digits) {
    return unparsed(
      'amount-too-precise',
      `${shown(text)} has ${fraction.length} decimals, but ${currency} has ${digits === 0 ? 'none' : `only ${digits}`}.`,
    );
  }
  if (whole.length + digits > MAXIMUM_AMOUNT_DIGITS) {
    return unparsed(
      'amount-malformed',
      `${shown(text)} is too large: an amount of ${currency} has at most ${MAXIMUM_AMOUNT_DIGITS} digits, of which ${digits} are decimals.`,
    );
  }
  const minor = BigInt(whole + fraction.padEnd(digits, '0'));
  if (minor === 0n) return unparsed('amount-not-positive', `The amount ${shown(text)} must be more than zero.`);
  return parsed(minor);
}

/** The one spelling of an amount that is hashed and compared: "6711.4" USD becomes "6711.40". Codes of `parseAmount`. */
export function canonicalAmount(text: string, currency: string): Parsed<string> {
  const minor = parseAmount(text, currency);
  return minor.ok ? parsed(formatAmount(minor.value, currency)) : minor;
}

/**
 * Writes minor units with exactly the currency's decimals: 671141n USD is "6711.41", 5n JPY is "5".
 * Balances may be zero or negative ("-0.05"); only what is positive can be read back by `parseAmount`.
 * Throws a RangeError for a currency that `checkCurrency` refuses.
 */
export function formatAmount(minor: bigint, currency: string): string {
  const { sign, whole, fraction } = split(minor, currency);
  return `${sign}${whole}${fraction}`;
}

/** As `formatAmount`, with a comma between thousands: "1,234,567.89". For screens and messages, never for documents. */
export function formatForPeople(minor: bigint, currency: string): string {
  const { sign, whole, fraction } = split(minor, currency);
  return `${sign}${whole.replace(/\B(?=(?:[0-9]{3})+$)/g, ',')}${fraction}`;
}

function split(minor: bigint, currency: string): { sign: string; whole: string; fraction: string } {
  const known = checkCurrency(currency);
  if (!known.ok) throw new RangeError(known.message);
  const { digits } = known.value;
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
  const point = text.length - digits;
  return {
    sign: minor < 0n ? '-' : '',
    whole: text.slice(0, point),
    fraction: digits === 0 ? '' : `.${text.slice(point)}`,
  };
}
