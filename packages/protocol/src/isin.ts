import { ISIN_PREFIXES } from './countries.ts';
import { parsed, shown, unparsed } from './parsed.ts';
import type { Parsed } from './parsed.ts';

/**
 * Checks an International Securities Identification Number (ISO 6166): 12 characters, prefix, check digit.
 * Codes: `isin-malformed`, `isin-country`, `isin-check-digit`.
 * A right check digit is no proof of identity: it misses two swapped letters (AU0000XVGZA3 and AU0000VXGZA3 both
 * pass), so an instrument is always looked up as well.
 */
export function checkIsin(text: string): Parsed<string> {
  if (!/^[A-Z]{2}[A-Z0-9]{9}[0-9]$/.test(text)) {
    return unparsed(
      'isin-malformed',
      `${shown(text)} is not an ISIN: two capital letters, nine capital letters or digits, and one digit are needed.`,
    );
  }
  const prefix = text.slice(0, 2);
  if (!ISIN_PREFIXES.has(prefix)) {
    return unparsed(
      'isin-country',
      `The ISIN ${text} begins with ${prefix}, which is not a prefix that ISO 6166 uses.`,
    );
  }
  const expected = isinCheckDigit(text.slice(0, 11));
  if (!text.endsWith(expected)) {
    // The right digit is not told: whoever copies it in would turn a typing error into another security.
    return unparsed('isin-check-digit', `The check digit of the ISIN ${text} is wrong, so it was mistyped somewhere.`);
  }
  return parsed(text);
}

/** The check digit for the first 11 characters of an ISIN: letters become 10 to 35, then the Luhn formula. */
export function isinCheckDigit(body: string): string {
  if (!/^[A-Z]{2}[A-Z0-9]{9}$/.test(body)) {
    throw new RangeError(`isinCheckDigit needs the first 11 characters of an ISIN, not ${shown(body)}`);
  }
  const digits = body.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  let sum = 0;
  for (let fromRight = 0; fromRight < digits.length; fromRight++) {
    const digit = Number(digits.charAt(digits.length - 1 - fromRight));
    const weighed = fromRight % 2 === 0 ? digit * 2 : digit;
    sum += weighed > 9 ? weighed - 9 : weighed;
  }
  return String((10 - (sum % 10)) % 10);
}
