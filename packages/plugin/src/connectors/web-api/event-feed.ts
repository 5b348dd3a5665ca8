import { Fault, hashFromHex } from '@linkspan/protocol';
import { type ObservationFilter, type ObservedEvent, wants } from '../../connector.ts';
import { backOffMs, pause } from '../../pause.ts';
import { fillTemplate, textAt } from './template.ts';
import { awaitedTermsAt, idOf, listAt, reasonIn, termsAt, type WebApi } from './web-api.ts';

const LONG_POLL_MS = 20_000;
const NOTHING_NEW_MS = 20;

/** Follows the system's feed by long polls. The cursor is the sequence of the last event, so nothing is lost while the system is away. */
export async function* observeEvents(
  api: WebApi,
  cursor: string,
  filter: ObservationFilter,
  signal: AbortSignal,
): AsyncGenerator<ObservedEvent> {
  let after = cursor === '' ? '0' : cursor;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const page = await nextPage(api, after, signal);
      failures = 0;
      for (const event of page.events) {
        const observed = observedEvent(api, event);
        if (observed && wants(filter, observed.observation, settlementOf(api, event))) yield observed;
      }
      after = page.next;
      // A system that answers at once that there is nothing would be asked as fast as it can answer.
      if (page.events.length === 0) await pause(NOTHING_NEW_MS, signal);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await pause(backOffMs(++failures, 50, 1_000), signal);
    }
  }
}

async function nextPage(
  api: WebApi,
  after: string,
  signal: AbortSignal,
): Promise<{ events: readonly unknown[]; next: string }> {
  const { request, list, next } = api.mapping.events;
  const { status, body } = await api.client.send(fillTemplate(request, { after, waitMs: String(LONG_POLL_MS) }), {
    signal,
    waitMs: LONG_POLL_MS,
  });
  const following = textAt(body, next);
  if (status >= 300 || following === undefined)
    throw new Fault('system-unavailable', `${api.system} does not show its events (HTTP ${status}).`);
  return { events: listAt(body, list), next: following };
}

/** An effect or a death; anything else in the feed (openings, new epochs, what participants do among themselves) concerns no operation. */
function observedEvent(api: WebApi, event: unknown): ObservedEvent | undefined {
  const { sequence, operation, reason, dead, terms } = api.mapping.events;
  const [cursor, id, hold] = [textAt(event, sequence), textAt(event, operation), textAt(event, terms.hold)];
  if (cursor === undefined || (id === undefined && hold === undefined)) return undefined;
  if (textAt(event, terms.verb) === dead) {
    return {
      cursor,
      observation: { operation: idOf(id), status: 'dead', terms: {}, reason: reasonIn(event, reason), transaction: '' },
    };
  }
  const transaction = textAt(event, terms.booking) ?? '';
  return {
    cursor,
    observation: {
      operation: idOf(id),
      status: 'effective',
      terms: isAwaited(api, event) ? awaitedTermsAt(api, event, terms) : termsAt(api, event, terms),
      reason: '',
      transaction,
    },
  };
}

function isAwaited(api: WebApi, event: unknown): boolean {
  return textAt(event, api.mapping.awaited.terms.filter) !== undefined;
}

function settlementOf(api: WebApi, event: unknown) {
  const settlement = textAt(event, api.mapping.events.terms.settlement);
  return settlement === undefined ? undefined : hashFromHex(settlement);
}
