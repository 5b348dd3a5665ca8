import { type Call, type CallBody, callId, type Field, systemOfAccount } from '@linkspan/protocol';
import {
  ACCOUNT,
  CALL,
  ENTRY,
  INSTRUMENT,
  NETWORK,
  ORGANISATION,
  PARTY,
  REQUEST,
  SCENARIO,
  SETTLEMENT,
  SIGNATURES,
  SUSPENDED,
  SYSTEM,
} from './store.ts';

/**
 * The keys that a call will read as far as it says so itself, for a host that fetches many at a time. It follows from the call alone, so that all nodes fetch
 * the same. What is missing here costs such a host another question, what is too much nothing but its reading.
 */
export function keysOfCall(call: Call): string[] {
  const { organisation, request, body } = call;
  return [
    NETWORK.key('genesis'),
    ORGANISATION.key(organisation),
    CALL.key(callId(call)),
    ...(request ? [REQUEST.key(organisation, request.client, request.key)] : []),
    ...keysOfBody(body),
  ];
}

function keysOfBody(body: CallBody): string[] {
  const own = 'proposal' in body ? [SETTLEMENT.key(body.proposal)] : [];
  switch (body.type) {
    case 'lodge':
      return [SCENARIO.key(body.scenario), ...body.fields.flatMap(keysOfField)];
    case 'record':
    case 'report':
      return [
        ...own,
        ...body.statements.flatMap(({ statement: { system } }) => [SYSTEM.key(system), SUSPENDED.key(system)]),
      ];
    case 'certify':
      return [
        ...own,
        ...body.shares.flatMap(({ certificate: { count } }) => [
          ENTRY.key(body.proposal, count),
          SIGNATURES.key(body.proposal, count),
        ]),
      ];
    default:
      return own;
  }
}

function keysOfField({ path, value }: Field): string[] {
  if (path.endsWith('/lei')) return [PARTY.key(value)];
  if (path.endsWith('/isin')) return [INSTRUMENT.key(value)];
  return path.includes('/accounts/') ? [ACCOUNT.key(value), SYSTEM.key(systemOfAccount(value))] : [];
}
