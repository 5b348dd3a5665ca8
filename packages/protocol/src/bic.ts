import { BIC_COUNTRIES } from './countries.ts';
import { parsed, shown, unparsed } from './parsed.ts';
import type { Parsed } from './parsed.ts';

/**
 * Checks a Business Identifier Code (ISO 9362): 8 or 11 characters in the shape of ISO 20022 `BICFIDec2014Identifier`,
 * with a country. It has no check digit. Codes: `bic-malformed`, `bic-country`.
 * Test codes (8th character 0) are accepted; the value keeps the length that was written.
 */
export function checkBic(text: string): Parsed<string> {
  if (!/^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/.test(text)) {
    return unparsed(
      'bic-malformed',
      `${shown(text)} is not a BIC: four capital letters or digits, a country, two more characters and optionally a branch of three are needed.`,
    );
  }
  const country = text.slice(4, 6);
  if (!BIC_COUNTRIES.has(country)) {
    return unparsed('bic-country', `The BIC ${text} names the country ${country}, which does not exist in ISO 3166-1.`);
  }
  return parsed(text);
}

/** The 11 characters of a valid BIC: eight mean the head office, whose branch is written XXX. For comparing two BICs. */
export function bicWithBranch(bic: string): string {
  return bic.length === 8 ? `${bic}XXX` : bic;
}
