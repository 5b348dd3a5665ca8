import { formatAmount, type Hash, hashFromHex, hashToHex, type Operation, type Terms } from '@linkspan/protocol';
import type { Observation } from '../../connector.ts';
import type { Records } from './token-records.ts';

/** The hold whose record has to be read to judge an operation. */
export function holdIdOf(operation: Operation): string {
  const hold = operation.terms['hold'];
  return hashToHex(hold !== undefined && isHash(hold) ? hold : operation.id);
}

/**
 * What the chaincode's records say about an operation: nothing, one outcome, or two of which the earlier on the channel counts. A hold that
 * a stranger closed without an id is closed all the same, so an execute or release of it took effect; unless its id was fenced before.
 */
export function verdicts(
  operation: Operation,
  { operation: record, hold }: Records,
  asset: { readonly system: string; readonly currency: string },
): Observation[] {
  const found: Observation[] = [];
  const asked = holdIdOf(operation);
  const effective = (kind: string, transaction: string, holdId: string): Observation => {
    // The record that was read is that of the hold which the operation names. Where it took effect on another one, its terms say only which.
    const known = hold && holdId === asked ? hold : undefined;
    const terms: Terms = {
      ...(known ? movedTerms(known, asset) : {}),
      ...(kind === 'hold' ? {} : { hold: hashFromHex(holdId) }),
      ...(kind === operation.verb ? {} : { verb: kind }),
      ...(!known || known.settlement === hashToHex(operation.settlement)
        ? {}
        : { settlement: hashFromHex(known.settlement) }),
    };
    return { operation: operation.id, status: 'effective', terms, reason: '', transaction };
  };
  if (record?.status === 'effective') found.push(effective(record.kind, record.transaction, record.hold));
  if (record?.status === 'fenced') {
    const { reason, transaction } = record;
    found.push({ operation: operation.id, status: 'dead', terms: {}, reason, transaction });
  }
  const isClosed = operation.terms['hold'] !== undefined && hold?.status === CLOSED_BY[operation.verb];
  if (record?.status !== 'effective' && hold && isClosed) found.push(effective(operation.verb, hold.closedBy, asked));
  return found;
}

export function movedTerms(
  moved: { readonly from: string; readonly to: string; readonly amount: bigint },
  { system, currency }: { readonly system: string; readonly currency: string },
): Terms {
  return {
    from: `${system}:${moved.from}`,
    to: `${system}:${moved.to}`,
    amount: formatAmount(moved.amount, currency),
    currency,
  };
}

const CLOSED_BY: Readonly<Record<string, 'executed' | 'released' | undefined>> = {
  execute: 'executed',
  release: 'released',
};

function isHash(text: string): text is Hash {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
