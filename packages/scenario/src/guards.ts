import { invariant, type ScenarioDocument } from '@linkspan/protocol';
import type { Draft } from './draft.ts';
import { operationName, type OperationState, type Settlement } from './settlement.ts';
import { pivotStage } from './operations.ts';

/** After how long without an answer people are told, in milliseconds. */
export function unansweredAfterMs({ unansweredAfterSeconds = UNANSWERED_AFTER_SECONDS }: ScenarioDocument): number {
  return unansweredAfterSeconds * 1000;
}

/** Unless the scenario says otherwise. */
const UNANSWERED_AFTER_SECONDS = 60;

type Guard = (draft: Draft) => boolean;

/** Questions that rows of the table ask. They see the state with the event's own facts already noted. */
export const GUARDS = {
  matched: ({ settlement }) => settlement.settlement !== null,
  'copies-differ': ({ settlement }) => settlement.differences.length > 0,
  'deadline-passed': ({ settlement, time }) => time >= settlement.deadline,
  'stage-complete': ({ settlement, document }) => stageComplete(settlement, document),
  'stage-incomplete': ({ settlement, document }) => !stageComplete(settlement, document),
  'last-stage': ({ settlement, document }) => settlement.stage === document.stages.length - 1,
  'more-prepare-stages': ({ settlement, document }) => document.stages[settlement.stage + 1]?.stage === 'prepare',
  'more-complete-stages': ({ settlement, document }) => document.stages[settlement.stage + 1]?.stage === 'complete',
  'pivot-is-ledger': ({ document }) => 'pivot' in pivotStage(document).stage,
  'pivot-not-fenced': ({ settlement }) =>
    settlement.fence === null &&
    settlement.operations.some((operation) => operation.purpose === 'pivot' && operation.status === 'requested'),
  'all-parties-cancel': ({ settlement }) => settlement.lodgers.every((lodger) => settlement.cancels.includes(lodger)),
  'all-closed': ({ settlement }) => settlement.operations.every(closed),
  'something-overdue': (draft) => overdue(draft).length > 0,
} as const satisfies Record<string, Guard>;

export type GuardName = keyof typeof GUARDS;

/** Requested operations, inverses and fences that have been unanswered for too long and that nobody was told about. */
export function overdue({ settlement, document, time }: Draft): OperationState[] {
  const limitMs = unansweredAfterMs(document);
  return settlement.operations.filter(
    (operation) =>
      operation.status === 'requested' &&
      time - operation.requestedAt >= limitMs &&
      !settlement.attention.some((flag) => flag.reason === 'unanswered' && flag.operation === operationName(operation)),
  );
}

function stageComplete(settlement: Settlement, document: ScenarioDocument): boolean {
  const stage = document.stages[settlement.stage];
  invariant(stage, 'a running settlement is in a stage');
  const latest = latestAttempts(settlement).filter(
    (operation) => operation.stage === stage.name && operation.purpose !== 'inverse',
  );
  return latest.every((operation) => operation.status === 'effective');
}

/** While aborting: dead, undone, or left under a declared residual. What took effect and can be undone has its inverse among the operations. */
function closed(operation: OperationState, _: number, all: readonly OperationState[]): boolean {
  if (operation.status === 'requested') return false;
  if (operation.purpose === 'inverse') return operation.status === 'effective' || superseded(operation, all);
  return true;
}

/** Each operation's last attempt. */
function latestAttempts(settlement: Settlement): OperationState[] {
  return settlement.operations.filter((operation, _, all) => !superseded(operation, all));
}

function superseded(operation: OperationState, all: readonly OperationState[]): boolean {
  return all.some(
    (other) =>
      other.attempt > operation.attempt &&
      other.stage === operation.stage &&
      other.name === operation.name &&
      other.leg === operation.leg &&
      other.verb === operation.verb &&
      other.purpose === operation.purpose,
  );
}
