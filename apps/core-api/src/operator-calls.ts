import type { SettlementView } from '@linkspan/contract';
import type { CallWriter } from '@linkspan/coordinator';
import type { Ledger } from '@linkspan/ledger';
import {
  accept,
  type CallBody,
  type Hash,
  hashSchema,
  type JsonObject,
  type Lodged,
  parse,
  problem,
  refuse,
  type Result,
} from '@linkspan/protocol';
import { findOperation, waitsForPeople } from '@linkspan/scenario';
import { nonceOf, standingOf } from './lodge-instruction.ts';
import type { Requests, Sender } from './requests.ts';

/** Who calls, and where. */
export type Caller = {
  readonly ledger: Ledger;
  readonly writer: CallWriter;
  readonly requests: Requests;
};

/** What a person asks of a settlement that is there already. */
export type Action =
  | { readonly type: 'retract' | 'cancel' }
  | { readonly type: 'resolve'; readonly operation: Hash; readonly status: 'effective' | 'dead'; readonly why: string };

/** Calls of people that are neither instructions nor made by the coordinator. */
export type OperatorCalls = {
  /** On a settlement by its own id or its proposal's; gives where it stands after the call, or where it stands now if the same was recorded before. */
  act(sender: Sender, id: string, action: Action): Promise<Result<Lodged>>;
  /** Registers something; gives what the contract answers. */
  register(sender: Sender, body: CallBody): Promise<Result<JsonObject>>;
};

/** Refusals are those of {@link Requests} and of the contract; faults are `ledger-unavailable` and `storage-unavailable`. */
export function createOperatorCalls(caller: Caller): OperatorCalls {
  const call = (sender: Sender, body: CallBody): Promise<Result<JsonObject>> =>
    caller.requests.once(sender, body, (request) => caller.writer.write(sender.actor, nonceOf(request), body, request));
  return {
    async act(sender, id, action) {
      const proposal = await proposalOf(caller.ledger, id);
      if (!proposal.ok) return proposal;
      const result = await call(sender, { ...action, proposal: proposal.value });
      if (result.ok) return accept(standingOf(result.value));
      if (result.refusal.code !== 'already-recorded') return result;
      const found = await caller.ledger.evaluate('settlement', { id: proposal.value });
      if (!found.ok) return found;
      return isFulfilled(found.value.state, action) ? accept(standing(found.value.state)) : result;
    },
    register: call,
  };
}

/** Whether what is recorded is what was asked for: an operation that is no longer open may have another outcome than a person says. */
function isFulfilled(state: SettlementView['state'], action: Action): boolean {
  if (action.type !== 'resolve') return true;
  const operation = findOperation(state, action.operation);
  if (!operation) return false;
  return operation.status === 'requested' || waitsForPeople(state, operation) || operation.status === action.status;
}

function standing({ proposal, settlement, tradeId, phase }: SettlementView['state']): Lodged {
  return { id: settlement ?? proposal, proposal, settlement, tradeId, phase };
}

/** A trade id may come to stand for another round between two tries of one request, so it is not enough to act on. */
async function proposalOf(ledger: Ledger, id: string): Promise<Result<Hash>> {
  if (!parse(hashSchema, id, 'request-invalid').ok) {
    const message = "An action names the settlement by its own id or its proposal's, not by its trade id.";
    return refuse('request-invalid', message, { problems: [problem('/id', 'type-wrong', message)] });
  }
  const found = await ledger.evaluate('settlement', { id });
  return found.ok ? accept(found.value.state.proposal) : found;
}
