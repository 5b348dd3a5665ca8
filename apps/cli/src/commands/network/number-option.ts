import { Fault } from '@linkspan/protocol';
import type { Invocation } from '../../command.ts';

/** A whole number that an option gives; undefined where it is not given. Throws a Fault with one sentence that says what is possible. */
export function numberOption(
  { options }: Pick<Invocation, 'options'>,
  name: string,
  { least, most, why = '' }: { readonly least: number; readonly most: number; readonly why?: string },
): number | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const number = /^\d+$/.test(String(given)) ? Number(given) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new Fault(
    'request-invalid',
    `--${name} takes a whole number from ${least} to ${most}${why}, not ${String(given)}.`,
  );
}
