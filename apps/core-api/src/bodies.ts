import { peopleNeeded, type SettlementSummary, type SettlementView } from '@linkspan/contract';
import {
  type Entry,
  type EntryBody,
  formatInstant,
  type SettlementBody,
  type SettlementSummaryBody,
} from '@linkspan/protocol';
import { describeChange, findOperation, type Names, operationName, residualInWords } from '@linkspan/scenario';
import type { Known } from './directory.ts';

/** A settlement as the API shows it. */
export function settlementBody({ state, head, certificates, shares }: SettlementView, known: Known): SettlementBody {
  const { proposal, settlement, tradeId, phase, lodgers, decision } = state;
  return {
    id: settlement ?? proposal,
    proposal,
    settlement,
    tradeId,
    scenario: { reference: state.scenario.reference, hash: state.scenario.hash },
    phase,
    end: endInWords(known, state.scenario.reference, phase),
    deadline: formatInstant(state.deadline),
    changedAt: formatInstant(state.time),
    lodgers: [...lodgers],
    // Once they match the copies are one, and nobody's own any more.
    lodged: settlement === null ? state.copies.map((copy) => copy.organisation) : [...lodgers],
    differences: state.differences.map(({ path, values }) => ({ path, values: { ...values } })),
    operations: state.operations.map((operation) => ({
      id: operation.id,
      name: operationName(operation),
      verb: operation.verb,
      system: operation.system,
      attempt: operation.attempt,
      status: operation.status,
      fenced: operation.fenced,
      terms: operation.terms,
      readBack: operation.readBack,
      reason: operation.reason,
      transaction: operation.transaction,
      byPeople: operation.byPeople,
    })),
    decision: decision && { kind: decision.kind, because: decision.because, sequence: decision.sequence },
    certificates: certificates.map(({ kind, epoch }) => ({
      kind,
      epoch,
      signatures: new Set(
        shares
          .filter(({ certificate }) => certificate.kind === kind && certificate.epoch === epoch)
          .map((share) => share.key),
      ).size,
      quorum: known.quorums.get(epoch) ?? known.genesis.quorum,
    })),
    residuals: state.residuals.map(({ residual, terms }) => ({
      residual,
      terms,
      ...residualInWords(known.scenarios.get(state.scenario.reference), state.fields, { residual, terms }),
    })),
    cancelRequestedBy: [...state.cancels],
    opinions: state.opinions.map(({ operation, organisation, actor, status }) => {
      const about = findOperation(state, operation);
      return { operation, name: about ? operationName(about) : operation, organisation, actor, status };
    }),
    resolvers: peopleNeeded(state).map((each) => ({ ...each })),
    attention: state.attention.map(({ reason, waitingFor, operation }) => ({
      reason,
      waitingFor,
      ...(operation === undefined ? {} : { operation }),
    })),
    entries: state.sequence,
    head,
  };
}

export function summaryBody(summary: SettlementSummary): SettlementSummaryBody {
  const { proposal, settlement, openedAt, changedAt, deadline } = summary;
  return {
    ...summary,
    id: settlement ?? proposal,
    openedAt: formatInstant(openedAt),
    changedAt: formatInstant(changedAt),
    deadline: formatInstant(deadline),
  };
}

export function entryBody(entry: Entry, names: Names): EntryBody {
  const { sequence, time, call, by, changes, state, previous } = entry;
  return {
    sequence,
    time: formatInstant(time),
    call,
    by: { organisation: by.organisation, actor: by.actor },
    words: changes.map((change) => describeChange(change, names)),
    changes: changes.map((change) => ({ ...change })),
    state,
    previous,
  };
}

function endInWords(known: Known, reference: string, phase: string): string | null {
  const ends = known.scenarios.get(reference)?.ends;
  if (!ends) return null;
  switch (phase) {
    case 'settled':
    case 'cancelled':
    case 'rejected':
      return ends[phase];
    default:
      return null;
  }
}
