import { membersOf, nameSketch, readAmount, readName } from './decode.ts';
import type { Source } from './decode.ts';

/** Whose money or securities a booking moves. `from` and `to` are account ids, amounts are minor units. */
export type Terms = { from: string; to: string; asset: string; amount: bigint };

export const TERMS = ['from', 'to', 'asset', 'amount'] as const;

/** Terms as an object of their own. */
export function readTerms(source: Source): Terms {
  nameSketch(source, 'Terms');
  return termsOf(membersOf(source, TERMS));
}

/** Terms among the members of a larger object. */
export function termsOf(member: (name: string) => Source): Terms {
  return {
    from: readName(member('from')),
    to: readName(member('to')),
    asset: readName(member('asset')),
    amount: readAmount(member('amount')),
  };
}
