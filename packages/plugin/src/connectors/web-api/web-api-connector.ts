import {
  Fault,
  hashFromHex,
  hashToHex,
  nameInSystem,
  type Operation,
  type SignedCertificate,
  systemCertificate,
} from '@linkspan/protocol';
import type { Connector, Observation, Reading, ReadingQuery, Submission } from '../../connector.ts';
import { createAssetTable } from './asset-table.ts';
import { observeEvents } from './event-feed.ts';
import type { TermsMapping } from './mapping.ts';
import { awaitedValues, lookupAwaited, submitAwaited } from './awaited-events.ts';
import { fillTemplate, type TemplateValues, textAt } from './template.ts';
import { listAt, reasonIn, refusalIn, termsAt, type WebApi } from './web-api.ts';
import { createWebClient, type WebAnswer } from './web-client.ts';
import type { WebApiConfig } from './web-api-config.ts';

/** A system behind REST and OAuth 2.0 client credentials. Which request a verb is, and where its answer says what, is configuration. */
export function createWebApiConnector(config: WebApiConfig, now: () => number = Date.now): Connector {
  const { mapping, system } = config;
  const client = createWebClient({ ...config, tokenPath: mapping.token.path, now });
  const api: WebApi = { system, client, mapping, assets: createAssetTable(config.assets) };
  return {
    submit: (operation, certificate) =>
      operation.verb === 'await' ? submitAwaited(api, operation, certificate) : submit(api, operation, certificate),
    observe: (cursor, filter, signal) => observeEvents(api, cursor, filter, signal),
    lookup: (operation) => find(api, operation),
    fence: (operation, reason, certificate) => fence(api, operation, reason, certificate),
    read: (query) => read(api, query),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

async function submit(api: WebApi, operation: Operation, certificate?: SignedCertificate): Promise<Submission> {
  const template = api.mapping.verbs[operation.verb];
  const values = { ...operationValues(api, operation), certificate: certificate && systemCertificate(certificate) };
  if (!template || (operation.verb === 'hold' && !values.amount)) {
    const message = template
      ? `${api.system} keeps nothing of what the operation names.`
      : `${api.system} has no request for ${operation.verb}.`;
    return { status: 'refused', reason: 'NARR', message };
  }
  if (template.path.includes('{hold}') && !values.hold)
    return { status: 'refused', reason: 'NARR', message: 'The operation names no hold.' };
  const answer = await api.client.send(fillTemplate(template, values));
  if (answer.status < 300) return { status: 'sent' };
  return refused(api, operation, answer);
}

function refused(api: WebApi, operation: Operation, answer: WebAnswer): Submission {
  const { code, closed, closedBy } = api.mapping.refusal;
  const { body } = answer;
  // A hold that is closed already may have been closed the way that was asked: its state decides, and lookup reads it.
  if (textAt(body, code) === closed && textAt(body, closedBy) === operation.verb) return { status: 'sent' };
  return refusalIn(api, answer);
}

/** What is final, by the id of the operation or, of what happens by itself, by its business key. */
function find(api: WebApi, operation: Operation): Promise<Observation | undefined> {
  return operation.verb === 'await' ? lookupAwaited(api, operation) : lookup(api, operation);
}

async function lookup(api: WebApi, operation: Operation): Promise<Observation | undefined> {
  const { request, status, effective, dead, reason, terms } = api.mapping.lookup;
  const { status: httpStatus, body } = await api.client.send(
    fillTemplate(request, { operation: hashToHex(operation.id) }),
  );
  const said = httpStatus < 300 ? textAt(body, status) : undefined;
  if (said === effective) return effect(api, operation, body, terms);
  const closing = await closedByAnother(api, operation);
  if (said !== dead) return closing?.observation;
  // The id is dead for ever, but what it asked for may have happened before that under another id; whichever came first counts.
  if (closing && (await wasFencedAfter(api, operation, closing.booking))) return closing.observation;
  return { operation: operation.id, status: 'dead', terms: {}, reason: reasonIn(body, reason), transaction: '' };
}

/** The hold's own state decides for operations that end one: a stranger may have brought the certificate without an id. */
async function closedByAnother(
  api: WebApi,
  operation: Operation,
): Promise<{ observation: Observation; booking: string } | undefined> {
  const hold = holdOf(operation);
  if (!hold) return undefined;
  const { request, terms } = api.mapping.hold;
  const { status, body } = await api.client.send(fillTemplate(request, { hold }));
  const booking = textAt(body, terms.booking);
  if (status >= 300 || booking === undefined || textAt(body, terms.verb) !== operation.verb) return undefined;
  return { observation: effect(api, operation, body, terms), booking };
}

/** Whether the fence of the operation stands in the feed after a booking. Only needed where a stranger and a fence met. */
async function wasFencedAfter(api: WebApi, operation: Operation, booking: string): Promise<boolean> {
  const { request, list, next, operation: id, dead, terms } = api.mapping.events;
  const wanted = hashToHex(operation.id);
  let after = booking;
  for (let pages = 0; pages < MOST_PAGES; pages++) {
    const { status, body } = await api.client.send(fillTemplate(request, { after, waitMs: '0' }));
    if (status >= 300)
      throw new Fault('system-unavailable', `${api.system} does not show its events (HTTP ${status}).`);
    const events = listAt(body, list);
    if (events.some((event) => textAt(event, terms.verb) === dead && textAt(event, id) === wanted)) return true;
    const following = textAt(body, next);
    if (events.length === 0 || following === undefined || following === after) return false;
    after = following;
  }
  throw new Fault('system-unavailable', `The events of ${api.system} have no end.`);
}

/** Pages of the feed behind one booking; a system that gives ever new ones would keep us for ever. */
const MOST_PAGES = 20_000;

async function fence(
  api: WebApi,
  operation: Operation,
  reason: string,
  certificate?: SignedCertificate,
): Promise<Observation> {
  // Found first, so that what a stranger closed is not called dead; a race is settled by the order of the bookings.
  const before = await find(api, operation);
  const awaits = operation.verb === 'await';
  // An awaited event is fenced even if it was seen: only then can no second one follow.
  if (before && !(awaits && before.status === 'effective')) return before;
  const given = { reason, certificate: certificate && systemCertificate(certificate) };
  const request = awaits
    ? fillTemplate(api.mapping.awaited.fence, { ...awaitedValues(api, operation), ...given })
    : fillTemplate(api.mapping.fence, { operation: hashToHex(operation.id), ...given });
  const { status, body } = await api.client.send(request);
  if (status >= 300) {
    throw new Fault(
      'system-unavailable',
      `${api.system} does not fence: ${textAt(body, api.mapping.refusal.message) ?? `HTTP ${status}`}`,
    );
  }
  const after = await find(api, operation);
  if (!after)
    throw new Fault('system-unavailable', `${api.system} took the fence and does not show it yet.`, {
      mayHaveHappened: true,
    });
  return after;
}

async function read(api: WebApi, query: ReadingQuery): Promise<Reading> {
  // The cursor first: what the positions may already contain is then read again, and nothing is missed.
  const cursor = await newestCursor(api);
  if (query.type === 'health') return { positions: [], cursor };
  const { request, list, account, positions, asset, balance, held } = api.mapping.accounts;
  const { status, body } = await api.client.send(fillTemplate(request, {}));
  if (status >= 300)
    throw new Fault('system-unavailable', `${api.system} does not show its accounts (HTTP ${status}).`);
  const rows = listAt(body, list).flatMap((one) =>
    listAt(one, positions).map((position) => ({
      account: textAt(one, account) ?? '',
      asset: textAt(position, asset) ?? '',
      balance: wholeNumber(api, textAt(position, balance)),
      held: wholeNumber(api, textAt(position, held)),
    })),
  );
  const { accounts } = query;
  return { positions: accounts ? rows.filter((row) => accounts.includes(row.account)) : rows, cursor };
}

function wholeNumber({ system }: WebApi, text = '0'): bigint {
  if (!/^-?[0-9]{1,40}$/.test(text))
    throw new Fault('system-unavailable', `${system} shows a position that is no whole number.`);
  return BigInt(text);
}

async function newestCursor(api: WebApi): Promise<string> {
  const { request, newest, next } = api.mapping.events;
  const { body } = await api.client.send(
    fillTemplate(request, { after: String(Number.MAX_SAFE_INTEGER), waitMs: '0' }),
  );
  return textAt(body, newest) ?? textAt(body, next) ?? '';
}

/** What the system says happened. Whatever does not fit the operation's own settlement or verb is added, so that it cannot look regular. */
function effect(api: WebApi, operation: Operation, body: unknown, at: TermsMapping): Observation {
  const verb = textAt(body, at.verb);
  const settlement = textAt(body, at.settlement);
  const terms = {
    ...termsAt(api, body, at),
    ...(verb !== undefined && verb !== operation.verb ? { verb } : {}),
    ...(settlement !== undefined && settlement !== hashToHex(operation.settlement)
      ? { settlement: hashFromHex(settlement) }
      : {}),
  };
  return {
    operation: operation.id,
    status: 'effective',
    terms,
    reason: '',
    transaction: textAt(body, at.booking) ?? '',
  };
}

function operationValues(api: WebApi, operation: Operation) {
  const { terms } = operation;
  const moved = api.assets.toSystem(terms);
  const values = {
    operation: hashToHex(operation.id),
    settlement: hashToHex(operation.settlement),
    hold: holdOf(operation),
    from: terms['from'] === undefined ? undefined : nameInSystem(terms['from']),
    to: terms['to'] === undefined ? undefined : nameInSystem(terms['to']),
    asset: moved?.asset,
    amount: moved?.amount,
  };
  return values satisfies TemplateValues;
}

function holdOf(operation: Operation): string | undefined {
  const hold = operation.terms['hold'];
  return hold !== undefined && /^sha256:[0-9a-f]{64}$/.test(hold) ? `0x${hold.slice('sha256:'.length)}` : undefined;
}
