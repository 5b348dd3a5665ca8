import { checkCurrency, formatForPeople } from './money.ts';
import { parsed, shown, unparsed } from './parsed.ts';
import { never } from './refusal.ts';
import type { Money } from './money.ts';
import type { Parsed } from './parsed.ts';

/**
 * How a result between two minor units is settled. `half-up` and `half-even` go to the nearest one and differ only in
 * the exact middle; `down` is towards zero, `up` away from it.
 */
export const ROUNDINGS = ['half-up', 'half-even', 'down', 'up'] as const;
export type Rounding = (typeof ROUNDINGS)[number];

/**
 * An exchange rate: one unit of `base` costs `value` units of `quote`. 149.00 with base USD and quote JPY means that
 * 1 USD is 149 JPY.
 */
export type ExchangeRate = {
  /** A positive decimal of at most 12 digits, not counting a 0 before the point. */
  readonly value: string;
  readonly base: string;
  readonly quote: string;
  /** JSON pointer of the amount that was agreed; the other one follows from it by the rate. */
  readonly of: string;
  readonly rounding: Rounding;
};

/** Most digits of a rate, one more than ISO 20022 `BaseOneRate` has. */
export const MAXIMUM_RATE_DIGITS = 12;

/** Checks the rate by itself. Codes: `rate-malformed`, `currency-unknown`, `rate-currencies` (base equals quote). */
export function checkRate(rate: ExchangeRate): Parsed<ExchangeRate> {
  const value = checkRateValue(rate.value);
  if (!value.ok) return value;
  const currencies = checkRateCurrencies(rate.base, rate.quote);
  return currencies.ok ? parsed(rate) : currencies;
}

/** The value alone, so that its form can be told whatever else is wrong. Code: `rate-malformed`. */
export function checkRateValue(text: string): Parsed<string> {
  const value = parseRateValue(text);
  return value.ok ? parsed(text) : value;
}

/** The two currencies alone. Codes: `currency-unknown`, `rate-currencies`. */
export function checkRateCurrencies(base: string, quote: string): Parsed<readonly [base: string, quote: string]> {
  const known = [checkCurrency(base), checkCurrency(quote)].find((each) => !each.ok);
  if (known && !known.ok) return known;
  if (base === quote) {
    return unparsed('rate-currencies', `A rate is between two currencies, but this one has ${base} on both sides.`);
  }
  return parsed([base, quote]);
}

/**
 * Whether two amounts, keyed by their JSON pointers, agree under the rate: the one that `rate.of` names is converted,
 * rounded to a minor unit of the other's currency, and must be the other, exactly. With `of` "/lcy" and the rate above,
 * 1,000,000 JPY ask for 1000000 / 149.00 = 6711.409… USD, so 6,711.41 USD.
 * The direction matters: 1,000,001 JPY are 6,711.42 USD, but 6,711.42 USD are 1,000,002 JPY.
 *
 * The value is the converted amount, equal to the other. Codes: those of `checkRate`; `rate-malformed` where `of` names
 * none of two amounts; `rate-currencies` where the two are not in base and quote; `rate-disagrees`.
 */
export function applyRate(rate: ExchangeRate, amounts: Readonly<Record<string, Money>>): Parsed<Money> {
  const checked = checkRate(rate);
  if (!checked.ok) return checked;
  const fixed = Object.hasOwn(amounts, rate.of) ? amounts[rate.of] : undefined;
  const [other, ...more] = Object.entries(amounts).filter(([pointer]) => pointer !== rate.of);
  if (fixed === undefined || other === undefined || more.length > 0) {
    const names = Object.keys(amounts).join(', ');
    return unparsed(
      'rate-malformed',
      `A rate applies to one of two amounts, but ${shown(rate.of)} is not one of: ${names}.`,
    );
  }
  const asked = other[1];
  if (!pairs(rate, fixed.currency, asked.currency)) {
    return unparsed(
      'rate-currencies',
      `The rate is between ${rate.base} and ${rate.quote}, but the amounts are in ${fixed.currency} and ${asked.currency}.`,
    );
  }
  const expected: Money = {
    amount: convert(fixed, rate, asked.currency),
    currency: asked.currency,
  };
  if (expected.amount !== asked.amount) {
    return unparsed(
      'rate-disagrees',
      `At ${rate.value} ${rate.quote} for 1 ${rate.base}, ${people(fixed)} is ${people(expected)} (rounded ${rate.rounding}), not ${people(asked)}.`,
    );
  }
  return parsed(expected);
}

/** Whether {@link applyRate} accepts the two amounts. */
export function ratesAgree(rate: ExchangeRate, amounts: Readonly<Record<string, Money>>): boolean {
  return applyRate(rate, amounts).ok;
}

/**
 * Converts an amount at the rate into minor units of `to`, rounded once, at the end, by the rate's rounding. From quote
 * to base it divides by the value, from base to quote it multiplies; `rate.of` plays no part.
 * The result can be 0, where the amount is worth less than the smallest unit.
 * Throws a RangeError for what `checkRate` refuses, for currencies that are not base and quote, and below zero.
 */
export function convert(amount: Money, rate: ExchangeRate, to: string): bigint {
  const value = parseRateValue(rate.value);
  if (!value.ok) throw new RangeError(value.message);
  if (!pairs(rate, amount.currency, to)) {
    throw new RangeError(`A rate between ${rate.base} and ${rate.quote} does not turn ${amount.currency} into ${to}`);
  }
  if (amount.amount < 0n) throw new RangeError(`Only amounts from zero up are converted, not ${amount.amount}`);
  const { numerator, denominator } = value.value;
  // Both amounts are whole minor units, so the value is scaled by the difference of their digits.
  const from = powerOfTen(digitsOf(amount.currency));
  const into = powerOfTen(digitsOf(to));
  return amount.currency === rate.base
    ? divideRounded(amount.amount * numerator * into, denominator * from, rate.rounding)
    : divideRounded(amount.amount * denominator * into, numerator * from, rate.rounding);
}

/** Reads a rate's value as a fraction of integers. Code: `rate-malformed`. */
function parseRateValue(text: string): Parsed<{ numerator: bigint; denominator: bigint }> {
  const parts = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text);
  const whole = parts?.[1] ?? '';
  const fraction = parts?.[2] ?? '';
  const digits = (whole === '0' ? 0 : whole.length) + fraction.length;
  if (parts === null || digits > MAXIMUM_RATE_DIGITS) {
    return unparsed(
      'rate-malformed',
      `${shown(text)} is not a rate: a decimal of at most ${MAXIMUM_RATE_DIGITS} digits is needed, without sign, exponent or leading zero.`,
    );
  }
  const numerator = BigInt(whole + fraction);
  if (numerator === 0n) return unparsed('rate-malformed', `The rate ${shown(text)} must be more than zero.`);
  return parsed({ numerator, denominator: powerOfTen(fraction.length) });
}

/** Divides integers of which neither is negative and the second is not zero. */
function divideRounded(numerator: bigint, denominator: bigint, rounding: Rounding): bigint {
  const below = numerator / denominator;
  const rest = numerator % denominator;
  if (rest === 0n) return below;
  switch (rounding) {
    case 'down':
      return below;
    case 'up':
      return below + 1n;
    case 'half-up':
      return rest * 2n >= denominator ? below + 1n : below;
    case 'half-even': {
      if (rest * 2n === denominator) return below % 2n === 0n ? below : below + 1n;
      return rest * 2n > denominator ? below + 1n : below;
    }
    default:
      return never(rounding);
  }
}

function pairs(rate: ExchangeRate, from: string, to: string): boolean {
  return (from === rate.base && to === rate.quote) || (from === rate.quote && to === rate.base);
}

function digitsOf(currency: string): number {
  const known = checkCurrency(currency);
  if (!known.ok) throw new RangeError(known.message);
  return known.value.digits;
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function people(money: Money): string {
  return `${formatForPeople(money.amount, money.currency)} ${money.currency}`;
}
