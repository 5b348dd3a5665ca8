import { type Field, fieldAt, type ScenarioDocument, type Terms } from '@linkspan/protocol';
import { whatMoves } from './describe.ts';

/** A position that stays open at an end: who has it, to whom it is owed, and both with the reason in a sentence for people. */
export type ResidualInWords = { readonly holder: string | null; readonly owes: string | null; readonly words: string };

/**
 * Names the parties of a residual by the instruction, and what is owed by what was read back: after a payment of another amount that
 * amount is owed. A residual that the scenario never declared has no holder.
 */
export function residualInWords(
  document: ScenarioDocument | undefined,
  fields: readonly Field[],
  { residual, terms }: { readonly residual: string; readonly terms: Terms },
): ResidualInWords {
  const declared = document?.residuals[residual];
  const what = whatMoves(terms);
  if (!declared)
    return { holder: null, owes: null, words: `${what} is left open; the scenario does not say who owes it.` };
  const nameOf = (path: string): string => fieldAt(fields, `${path}/party`) ?? path;
  const [holder, owes] = [nameOf(declared.holder), nameOf(declared.owes)];
  return { holder, owes, words: `${holder} has ${what} and owes it to ${owes}. ${declared.why}` };
}
