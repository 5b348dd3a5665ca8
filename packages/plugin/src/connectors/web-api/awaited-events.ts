import {
  Fault,
  hashFromHex,
  hashToHex,
  nameInSystem,
  type Operation,
  type SignedCertificate,
  systemCertificate,
  systemOfAccount,
} from '@linkspan/protocol';
import type { Observation, Submission } from '../../connector.ts';
import { fillTemplate, type TemplateValues, textAt } from './template.ts';
import { awaitedTermsAt, reasonIn, refusalIn, type WebApi } from './web-api.ts';

/** The members of an awaited event's terms that this kind of system finds it by. Anything else would be ignored, and so match too much. */
const KEY = ['filter', 'trade', 'from', 'to'] as const;

/**
 * Lets an awaited event happen. Where the system waits for `proceed`, it is brought; where there is nothing to bring, the event comes by
 * itself and nothing is asked.
 */
export async function submitAwaited(
  api: WebApi,
  operation: Operation,
  certificate?: SignedCertificate,
): Promise<Submission> {
  const wrong = whyNotAwaited(api, operation);
  if (wrong !== undefined) return { status: 'refused', reason: 'NARR', message: wrong };
  const template = api.mapping.awaited.attempts[operation.terms['filter'] ?? ''];
  if (!template) return { status: 'sent' };
  const values = { ...awaitedValues(api, operation), certificate: certificate && systemCertificate(certificate) };
  const answer = await api.client.send(fillTemplate(template, values));
  return answer.status < 300 ? { status: 'sent' } : refusalIn(api, answer);
}

/** What is final under the business key of an awaited event. */
export async function lookupAwaited(api: WebApi, operation: Operation): Promise<Observation | undefined> {
  const { awaited, lookup } = api.mapping;
  const request = fillTemplate(awaited.lookup, awaitedValues(api, operation));
  const { status, body } = await api.client.send(request);
  if (status >= 300) throw new Fault('system-unavailable', `${api.system} does not show its events (HTTP ${status}).`);
  const said = textAt(body, lookup.status);
  if (said === lookup.dead) {
    const reason = reasonIn(body, lookup.reason);
    return { operation: operation.id, status: 'dead', terms: {}, reason, transaction: '' };
  }
  if (said !== lookup.effective) return undefined;
  const settlement = textAt(body, lookup.terms.settlement);
  const forAnother = settlement !== undefined && settlement !== hashToHex(operation.settlement);
  const terms = {
    ...awaitedTermsAt(api, body, lookup.terms),
    ...(forAnother ? { settlement: hashFromHex(settlement) } : {}),
  };
  const transaction = textAt(body, lookup.terms.booking) ?? '';
  // A list of bookings may be longer than a statement can carry; its beginning names the first of them.
  return { operation: operation.id, status: 'effective', terms, reason: '', transaction: transaction.slice(0, 128) };
}

/** What requests about an awaited event stand on. Throws a Fault where the terms are no key of an event in this system. */
export function awaitedValues(api: WebApi, operation: Operation) {
  const wrong = whyNotAwaited(api, operation);
  if (wrong !== undefined) throw new Fault('system-unavailable', wrong);
  const { filter = '', trade = '', from = '', to = '' } = operation.terms;
  const key = { filter, trade, from: nameInSystem(from), to: nameInSystem(to) };
  const ids = { operation: hashToHex(operation.id), settlement: hashToHex(operation.settlement) };
  return { ...ids, ...key, await: key } satisfies TemplateValues;
}

function whyNotAwaited(api: WebApi, { terms }: Operation): string | undefined {
  const names = Object.keys(terms);
  const isKey = names.length === KEY.length && KEY.every((name) => terms[name] !== undefined);
  if (!isKey) return `${api.system} finds events by ${KEY.join(', ')}, not by ${names.join(', ')}.`;
  const elsewhere = [terms['from'], terms['to']].find((account) => systemOfAccount(account ?? '') !== api.system);
  return elsewhere === undefined ? undefined : `${elsewhere} is no account of ${api.system}.`;
}
