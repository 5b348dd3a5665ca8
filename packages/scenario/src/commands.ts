import type { CertificateKind, Hash, Operation } from '@linkspan/protocol';
import { operationName, type OperationState, type Settlement } from './settlement.ts';

/** What the owner of a system must do next. Read from the state, so a restart needs nothing but the ledger. */
export type Command = {
  /** `perform`: make it happen. `attest`: report an event that happens by itself. `fence`: make it impossible and say whether it had happened. */
  readonly do: 'perform' | 'attest' | 'fence';
  readonly operation: Operation;
  readonly name: string;
  readonly attempt: number;
  /** The certificate without which no system does it. */
  readonly certificate: CertificateKind | null;
  /** UTC milliseconds. */
  readonly notBefore: number;
  /** Past it the executor fences instead of submitting; null for no limit. */
  readonly notAfter: number | null;
};

/** Everything that is open in a settlement, in the order in which it was requested. */
export function commands(settlement: Settlement): Command[] {
  const { settlement: id, network } = settlement;
  if (id === null) return [];
  return settlement.operations
    .filter((operation) => operation.status === 'requested')
    .map((operation) => commandOf(network, id, settlement, operation));
}

/**
 * What people said will never happen, once it has been decided to undo everything: it is fenced all the same, because a request may still be on
 * its way. What validators then say changes nothing, but where it contradicts people's word it is evidence.
 */
export function fencesAfterPeople(settlement: Settlement): Command[] {
  const { settlement: id, network, decision } = settlement;
  if (id === null || decision?.kind !== 'abort') return [];
  return settlement.operations
    .filter(({ status, byPeople, purpose }) => status === 'dead' && byPeople && purpose !== 'inverse')
    .filter((operation) => !isContradicted(settlement, operation))
    .map((operation) => ({
      ...commandOf(network, id, settlement, operation),
      do: 'fence',
      certificate: 'abort',
      notAfter: null,
    }));
}

function isContradicted({ attention }: Settlement, operation: OperationState): boolean {
  const name = operationName(operation);
  return attention.some((flag) => flag.operation === name && flag.reason === 'contradiction');
}

function commandOf(network: Hash, id: Hash, settlement: Settlement, operation: OperationState): Command {
  const { system, verb, terms, notBefore, attempt } = operation;
  const shared = {
    operation: { id: operation.id, network, settlement: id, system, verb, terms },
    name: operationName(operation),
    attempt,
    notBefore,
  };
  if (operation.fenced)
    return { ...shared, do: 'fence', certificate: settlement.decision ? 'abort' : 'fence', notAfter: null };
  switch (operation.purpose) {
    case 'prepare':
      return {
        ...shared,
        do: verb === 'await' ? 'attest' : 'perform',
        certificate: null,
        notAfter: operation.notAfter,
      };
    case 'pivot':
      return { ...shared, do: 'perform', certificate: 'proceed', notAfter: operation.notAfter };
    case 'complete':
      return { ...shared, do: 'perform', certificate: 'commit', notAfter: null };
    case 'inverse':
      return { ...shared, do: 'perform', certificate: 'abort', notAfter: null };
  }
}
