import { formatAmount, type Hash, hashFromHex, hashToHex, type Operation, type Terms } from '@linkspan/protocol';
import type { Hex } from './json-rpc.ts';

/** What the token keeps about an id. `block` is where it took effect or was fenced. */
export type OperationRecord = {
  readonly status: 'none' | 'effective' | 'fenced';
  readonly kind: 'none' | 'hold' | 'execute' | 'release';
  readonly reason: string;
  readonly block: number;
  readonly hold: Hex;
};

export type HoldRecord = {
  readonly status: 'none' | 'held' | 'executed' | 'released';
  readonly closedBlock: number;
  readonly from: Hex;
  readonly to: Hex;
  readonly amount: bigint;
  readonly settlement: Hex;
};

/** Which event of which block proves an outcome. */
export type Proof = {
  readonly event: 'Held' | 'Executed' | 'Released' | 'FencedOp';
  readonly id: Hex;
  readonly block: number;
};

export type Verdict =
  | {
      readonly status: 'effective';
      readonly proof: Proof;
      readonly hold: HoldRecord;
      readonly holdId: Hex;
      readonly kind: OperationRecord['kind'];
    }
  | { readonly status: 'dead'; readonly proof: Proof; readonly reason: string };

/**
 * What the token's state says about an operation, whatever block it is in: no verdict, one, or two of which the earlier on the chain counts.
 * A hold that a stranger closed without an id has been closed all the same, so an execute or release of it took effect; unless its id was fenced before.
 */
export function verdicts(operation: Operation, record: OperationRecord, hold: HoldRecord): Verdict[] {
  const id = hashToHex(operation.id);
  const found: Verdict[] = [];
  const asked = operation.terms['hold'];
  if (record.status === 'effective') {
    const holdId = record.kind === 'hold' ? id : record.hold;
    found.push({
      status: 'effective',
      kind: record.kind,
      hold,
      holdId,
      proof: { event: eventOf(record, hold), id: holdId, block: record.block },
    });
  }
  if (record.status === 'fenced') {
    found.push({ status: 'dead', reason: record.reason, proof: { event: 'FencedOp', id, block: record.block } });
  }
  if (
    record.status !== 'effective' &&
    asked !== undefined &&
    isHash(asked) &&
    hold.status === CLOSED_BY[operation.verb]
  ) {
    const event = hold.status === 'executed' ? 'Executed' : 'Released';
    const kind = hold.status === 'executed' ? 'execute' : 'release';
    found.push({
      status: 'effective',
      kind,
      hold,
      holdId: hashToHex(asked),
      proof: { event, id: hashToHex(asked), block: hold.closedBlock },
    });
  }
  return found.toSorted((a, b) => a.proof.block - b.proof.block);
}

/** The hold that has to be read to judge an operation. */
export function holdIdOf(operation: Operation): Hex {
  const hold = operation.terms['hold'];
  return hashToHex(hold !== undefined && isHash(hold) ? hold : operation.id);
}

/** The terms as the token has them, by the names in which they were asked. What does not fit the operation is added, so that it cannot look regular. */
export function termsOf(
  operation: Operation,
  { hold, holdId, kind }: Extract<Verdict, { status: 'effective' }>,
  asset: { readonly system: string; readonly currency: string },
): Terms {
  return {
    ...moved(hold, asset),
    ...(kind === 'hold' ? {} : { hold: hashFromHex(holdId) }),
    ...(kind === operation.verb ? {} : { verb: kind }),
    ...(hold.status === 'none' || hold.settlement === hashToHex(operation.settlement)
      ? {}
      : { settlement: hashFromHex(hold.settlement) }),
  };
}

export function moved(
  hold: HoldRecord,
  { system, currency }: { readonly system: string; readonly currency: string },
): Terms {
  // The release of a hold that never was is its fence: nothing was held, so there is nothing to tell.
  if (hold.status === 'none') return {};
  return {
    from: `${system}:${hold.from}`,
    to: `${system}:${hold.to}`,
    amount: formatAmount(hold.amount, currency),
    currency,
  };
}

const CLOSED_BY: Readonly<Record<string, HoldRecord['status'] | undefined>> = {
  execute: 'executed',
  release: 'released',
};

function eventOf(record: OperationRecord, hold: HoldRecord): Proof['event'] {
  if (record.kind === 'hold') return 'Held';
  if (hold.status === 'none') return 'FencedOp';
  return record.kind === 'execute' ? 'Executed' : 'Released';
}

function isHash(text: string): text is Hash {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
