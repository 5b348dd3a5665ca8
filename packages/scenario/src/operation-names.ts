import { type Change, type Hash, operationId } from '@linkspan/protocol';
import { operationName, type Settlement } from './settlement.ts';

/** What people call the operations of a settlement, by their ids. */
export function operationNames({ operations }: Pick<Settlement, 'operations'>): ReadonlyMap<string, string> {
  return new Map(operations.map((operation) => [operation.id, operationName(operation)]));
}

/**
 * The same out of a history, which has names and no ids: an id follows from its name, and from how often the operation was requested before.
 * `changes` are all of one settlement from its beginning, in order.
 */
export function operationNamesIn(
  network: Hash,
  settlement: Hash,
  changes: readonly Change[],
): ReadonlyMap<string, string> {
  const attempts = new Map<string, number>();
  const names = new Map<string, string>();
  for (const change of changes) {
    if (change.what !== 'requested') continue;
    const parts = NAME.exec(change.operation)?.groups;
    if (!parts) continue;
    const { stage = '', name = '', leg = '0' } = parts;
    const attempt = (attempts.get(change.operation) ?? 0) + 1;
    attempts.set(change.operation, attempt);
    const { verb } = change;
    names.set(operationId({ network, settlement, stage, name, leg: Number(leg), verb, attempt }), change.operation);
  }
  return names;
}

/** As {@link operationName} writes it: `stage/name`, `stage/name[leg]`, and the verb behind it where it undoes something. */
const NAME = /^(?<stage>[^/]+)\/(?<name>[^[ ]+)(?:\[(?<leg>[0-9]+)\])?(?: .*)?$/;
