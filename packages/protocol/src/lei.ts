import { parsed, shown, unparsed } from './parsed.ts';
import type { Parsed } from './parsed.ts';

/**
 * Checks a Legal Entity Identifier (ISO 17442): 18 capital letters or digits and two check digits, by which the whole
 * leaves 1 when divided by 97 (ISO 7064, MOD 97-10). Codes: `lei-malformed`, `lei-check-digits`.
 * 00, 01 and 99 are refused although they may leave 1: ISO 17442 issues 02 to 98 only, so that an entity has one LEI.
 */
export function checkLei(text: string): Parsed<string> {
  if (!/^[A-Z0-9]{18}[0-9]{2}$/.test(text)) {
    return unparsed(
      'lei-malformed',
      `${shown(text)} is not an LEI: 18 capital letters or digits followed by two digits are needed.`,
    );
  }
  if (leiCheckDigits(text.slice(0, 18)) !== text.slice(18)) {
    return unparsed('lei-check-digits', `The check digits of the LEI ${text} are wrong, so it was mistyped somewhere.`);
  }
  return parsed(text);
}

/** The two check digits, `02` to `98`, for the first 18 characters of an LEI. */
export function leiCheckDigits(body: string): string {
  if (!/^[A-Z0-9]{18}$/.test(body)) {
    throw new RangeError(`leiCheckDigits needs the first 18 characters of an LEI, not ${shown(body)}`);
  }
  const digits = body.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  const rest = Number(BigInt(`${digits}00`) % 97n);
  return String(98 - rest).padStart(2, '0');
}
