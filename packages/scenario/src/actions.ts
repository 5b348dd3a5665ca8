import { type Hash, invariant } from '@linkspan/protocol';
import { changeOf, type Draft } from './draft.ts';
import { overdue } from './guards.ts';
import { inverseOf, nextAttempt, pivotStage, requestsOf } from './operations.ts';
import { operationName, type OperationState } from './settlement.ts';

type Action = (draft: Draft, because: string) => void;

/** What rows of the table do to the next state. None performs anything outside it. */
export const ACTIONS = {
  'show-differences': (draft) => {
    draft.changes.push({ what: 'differs', differences: draft.settlement.differences });
  },
  'request-next-stage': (draft) => requestStage(draft, draft.settlement.stage + 1),
  'request-complete-stage': (draft) => {
    const { index } = pivotStage(draft.document);
    if (draft.document.stages[index + 1]) requestStage(draft, index + 1);
  },
  proceed: (draft) => {
    const holds = draft.settlement.operations
      .filter((operation) => operation.verb === 'hold')
      .map((operation) => operation.id);
    draft.settlement = { ...draft.settlement, proceed: { sequence: draft.sequence, holds } };
    draft.changes.push({ what: 'called-for', certificate: 'proceed' });
  },
  commit: (draft) => decide(draft, 'commit', 'every leg is certain'),
  abort: (draft, because) => {
    // A cause that is known in detail says more than the row does.
    decide(draft, 'abort', reasonInWords(draft.subject) ?? because);
    withdrawAwaited(draft);
    for (const operation of draft.settlement.operations) close(draft, operation);
  },
  'fence-pivot': (draft) => {
    const pivot = draft.settlement.operations.find((operation) => operation.purpose === 'pivot');
    invariant(pivot, 'a settlement that is deciding has a pivot');
    draft.settlement = { ...draft.settlement, fence: { sequence: draft.sequence, pivot: pivot.id } };
    draft.changes.push({ what: 'called-for', certificate: 'fence' });
    fence(draft, pivot);
  },
  undo: (draft) => undo(draft, subjectOf(draft)),
  'settle-subject': (draft) => draft.settle(subjectOf(draft)),
  'try-again': (draft) => {
    const dead = subjectOf(draft);
    draft.request([nextAttempt(draft.settlement, dead, draft.time)]);
  },
  'raise-dead': (draft) => raiseSubject(draft, 'failed, will be tried again'),
  'raise-irregular': (draft) => raiseSubject(draft, 'irregular'),
  'raise-evidence': (draft) => {
    const last = draft.changes.findLast((change) => change.what === 'evidence');
    invariant(last?.what === 'evidence', 'the evidence has been noted');
    raiseSubject(draft, last.kind);
  },
  'raise-overdue': (draft) => {
    for (const operation of overdue(draft)) {
      draft.raise({ reason: 'unanswered', waitingFor: operation.system, operation: operationName(operation) });
    }
  },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof ACTIONS;

function requestStage(draft: Draft, index: number): void {
  const requests = requestsOf(draft.document, draft.settlement, index, draft.time);
  draft.settlement = { ...draft.settlement, stage: index };
  draft.request(requests);
}

function decide(draft: Draft, kind: 'commit' | 'abort', because: string): void {
  const { decision, operations } = draft.settlement;
  invariant(decision === null, 'a settlement is decided once');
  const ids = (of: readonly OperationState[]): Hash[] => of.map(({ id }) => id);
  const inDoubt = kind === 'commit' ? [] : ids(operations.filter((operation) => operation.status === 'requested'));
  const held = (operation: OperationState): boolean =>
    operation.status === 'effective' || operation.status === 'irregular';
  const holds = ids(operations.filter((operation) => operation.verb === 'hold' && held(operation)));
  draft.settlement = { ...draft.settlement, decision: { kind, because, sequence: draft.sequence, inDoubt, holds } };
  draft.changes.push({ what: 'decided', decision: kind, because });
  draft.changes.push({ what: 'called-for', certificate: kind });
}

/**
 * The system may still do by itself what the scenario only awaits, even if the settlement never came that far. So what later stages await is
 * fenced too, under ids that are fixed here, and the certificate covers them.
 */
function withdrawAwaited(draft: Draft): void {
  const { document, settlement, time } = draft;
  const later = document.stages.flatMap((_, index) =>
    index > settlement.stage ? requestsOf(document, settlement, index, time, 'await') : [],
  );
  if (later.length === 0) return;
  const { decision } = settlement;
  invariant(decision, 'an abort has been decided');
  draft.request(later);
  const inDoubt = [...decision.inDoubt, ...later.map((request) => request.id)];
  draft.settlement = { ...draft.settlement, decision: { ...decision, inDoubt } };
}

/** Fences what is in doubt and undoes what took effect. */
function close(draft: Draft, operation: OperationState): void {
  if (operation.status === 'requested') fence(draft, operation);
  else if (operation.status !== 'dead') undo(draft, operation);
}

function fence(draft: Draft, operation: OperationState): void {
  if (operation.fenced) return;
  const fenced = { ...operation, fenced: true, requestedAt: draft.time };
  draft.replace(fenced);
  draft.changes.push(changeOf('fence-requested', fenced));
}

function undo(draft: Draft, operation: OperationState): void {
  const inverse = inverseOf(draft.settlement, operation, draft.time);
  if (inverse) {
    draft.request([inverse]);
    return;
  }
  // What cannot be undone stays under the residual that the scenario declared for it, with the terms as they were read back.
  const residual = operation.residual ?? `undeclared: ${operationName(operation)}`;
  const { readBack: terms } = operation;
  draft.settlement = { ...draft.settlement, residuals: [...draft.settlement.residuals, { residual, terms }] };
  draft.changes.push({ what: 'residual', residual, terms });
  if (operation.residual === null)
    draft.raise({ reason: 'undeclared residual', waitingFor: operation.system, operation: operationName(operation) });
}

function raiseSubject(draft: Draft, reason: string): void {
  const operation = subjectOf(draft);
  draft.raise({ reason, waitingFor: operation.system, operation: operationName(operation) });
}

function subjectOf(draft: Draft): OperationState {
  invariant(draft.subject, 'the event is about an operation');
  return draft.subject;
}

function reasonInWords(operation: OperationState | undefined): string | undefined {
  if (operation?.status === 'dead') return `${operationName(operation)} was refused: ${operation.reason || 'NARR'}`;
  if (operation?.status === 'irregular') return `${operationName(operation)} took effect with other terms`;
  return undefined;
}
