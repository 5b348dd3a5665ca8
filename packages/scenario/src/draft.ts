import type { Attention, Change, ScenarioDocument } from '@linkspan/protocol';
import { operationName, type OperationState, type Settlement } from './settlement.ts';

/** The next state in the making, inside one transition only. */
export type Draft = {
  readonly document: ScenarioDocument;
  /** The ledger's time of this transition. */
  readonly time: number;
  /** The sequence that the entry of this transition will have. */
  readonly sequence: number;
  settlement: Settlement;
  readonly changes: Change[];
  /** The operation that the event is about. */
  subject: OperationState | undefined;
  replace(operation: OperationState): void;
  request(operations: readonly OperationState[]): void;
  raise(attention: Attention): void;
  settle(operation: OperationState): void;
};

export function draftOf(document: ScenarioDocument, settlement: Settlement, time: number): Draft {
  const draft: Draft = {
    document,
    time,
    sequence: settlement.sequence + 1,
    settlement,
    changes: [],
    subject: undefined,
    replace(operation) {
      const operations = draft.settlement.operations.map((other) => (other.id === operation.id ? operation : other));
      draft.settlement = { ...draft.settlement, operations };
    },
    request(operations) {
      draft.settlement = { ...draft.settlement, operations: [...draft.settlement.operations, ...operations] };
      for (const operation of operations) draft.changes.push(changeOf('requested', operation));
    },
    raise(attention) {
      const known = draft.settlement.attention.some(
        (flag) => flag.reason === attention.reason && flag.operation === attention.operation,
      );
      if (known) return;
      draft.settlement = { ...draft.settlement, attention: [...draft.settlement.attention, attention] };
      draft.changes.push({ what: 'attention', attention });
    },
    settle(operation) {
      // What people were asked to look at is over once the operation has its regular outcome; evidence stays.
      const attention = draft.settlement.attention.filter(
        (flag) => flag.operation !== operationName(operation) || EVIDENCE.includes(flag.reason),
      );
      draft.settlement = { ...draft.settlement, attention };
    },
  };
  return draft;
}

const EVIDENCE = ['contradiction', 'equivocation'];

export function changeOf(what: 'requested' | 'fence-requested', operation: OperationState): Change {
  const { verb, system, terms } = operation;
  return { what, operation: operationName(operation), verb, system, terms };
}
