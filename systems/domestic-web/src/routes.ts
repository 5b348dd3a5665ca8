import type { FastifyRequest } from 'fastify';
import { accountOf, answerOf, awaitedOf, eventOf, holdOf, lodgedOf, outcomeOf } from './answers.ts';
import { awaitedUnder } from './awaited.ts';
import type { Awaited } from './awaited.ts';
import type { Booked, Books, ClosingVerb } from './books.ts';
import { readSignedEpoch } from './certificate.ts';
import type { Client, Registry } from './config.ts';
import { decode } from './decode.ts';
import { installEpoch } from './epochs.ts';
import type { Feed } from './feed.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Booking, Journal, TradeKey } from './journal.ts';
import { refuse } from './refusal.ts';
import type { Result } from './refusal.ts';
import {
  readAccountParameter,
  readCloseRequest,
  readEventsQuery,
  readFenceRequest,
  readHoldRequest,
  readIdParameter,
  readLodgeRequest,
  readNoQuery,
  readTradeKey,
  readTransferRequest,
  readTryRequest,
} from './requests.ts';
import type { EventsQuery } from './requests.ts';
import type { Answer, Handler, Route } from './server.ts';
import type { TradeBooks } from './trade-books.ts';

export type RouteParts = {
  registry: Registry;
  journal: Journal;
  books: Books;
  trades: TradeBooks;
  commits: GroupCommit;
  feed: Feed;
  now: () => number;
};

/** Every endpoint behind a token. What writes goes through the group commit; what reads sees committed data only. */
export function routesOf(parts: RouteParts): Route[] {
  const { registry, journal, books, trades, commits, now } = parts;
  const book = <T>(work: () => Result<T>) => commits.run(work);
  const get = (url: string, handle: Handler): Route => ({ method: 'GET', url, handle });
  const post = (url: string, handle: Handler): Route => ({ method: 'POST', url, handle: withoutQuery(handle) });
  const close = (verb: ClosingVerb) =>
    post(`/holds/:id/${verb}`, async (client, request) => {
      const hold = decode(request.params, readIdParameter);
      if (!hold.ok) return hold;
      return then(decode(request.body, readCloseRequest), async (body) => {
        const closed = await book(() => books.close(client, verb, { ...body, hold: hold.value }));
        return map(closed, ({ booking }) => ({ status: 200, body: answerOf(booking) }));
      });
    });
  return [
    get(
      '/assets',
      withoutQuery(() => done({ assets: [...registry.assets.values()] })),
    ),
    get(
      '/accounts',
      withoutQuery((client) => done({ accounts: readableAccounts(parts, client) })),
    ),
    get(
      '/accounts/:id',
      withoutQuery((client, request) => oneAccount(parts, client, request)),
    ),
    post('/holds', (client, request) =>
      then(decode(request.body, readHoldRequest), async (body) => created(await book(() => books.hold(client, body)))),
    ),
    get(
      '/holds/:id',
      withoutQuery((_client, request) => readOne(request, (id) => oneHold(journal, id))),
    ),
    close('execute'),
    close('deliver'),
    close('release'),
    post('/transfers', (client, request) =>
      then(decode(request.body, readTransferRequest), async (body) =>
        created(await book(() => books.transfer(client, body))),
      ),
    ),
    get(
      '/transfers/:id',
      withoutQuery((client, request) => readOne(request, (id) => oneTransfer(journal, client, id))),
    ),
    post('/operations/:id/fence', async (client, request) => {
      const operation = decode(request.params, readIdParameter);
      if (!operation.ok) return operation;
      return then(decode(request.body, readFenceRequest), async ({ key, ...body }) => {
        const wanted = { ...body, operation: operation.value };
        if (key !== undefined) {
          return awaitedAnswer(wanted.operation, key, await book(() => trades.withdraw(client, { ...wanted, key })));
        }
        const fenced = await book(() => books.fence(client, wanted));
        return map(fenced, ({ booking }) => ({ status: 200, body: outcomeOf(booking) }));
      });
    }),
    get(
      '/operations/:id',
      withoutQuery((_client, request) => readOne(request, (id) => oneOperation(journal, id))),
    ),
    post('/dvp', (client, request) =>
      then(decode(request.body, readLodgeRequest), async (body) =>
        map(await book(() => trades.lodge(client, body)), (lodged) => ({
          status: lodged.isNew ? 201 : 200,
          body: lodgedOf(lodged),
        })),
      ),
    ),
    post('/dvp/try', (client, request) =>
      then(decode(request.body, readTryRequest), async (body) => {
        const { operation, trade, from, to } = body;
        const tried = await book(() => trades.attempt(client, body));
        return awaitedAnswer(operation, { filter: 'dvp', trade, from, to }, tried);
      }),
    ),
    get('/awaited/:id', (client, request) => oneAwaited(journal, client, request)),
    get('/events', (client, request) =>
      then(decode(request.query, readEventsQuery), (query) => events(parts, client, query, request.signal)),
    ),
    post('/epochs', (_client, request) =>
      then(decode(request.body, readSignedEpoch), (body) => book(() => installEpoch(parts, body, now()))),
    ),
  ];
}

function withoutQuery(handle: Handler): Handler {
  return (client, request) => then(decode(request.query, readNoQuery), () => handle(client, request));
}

function readOne(request: FastifyRequest, find: (id: string) => Result<object>): Result<Answer> {
  const id = decode(request.params, readIdParameter);
  return id.ok ? map(find(id.value), (body) => ({ status: 200, body })) : id;
}

function readableAccounts({ registry, journal }: RouteParts, client: Client): object[] {
  const { accounts, assets } = registry;
  return Array.from(accounts.values())
    .filter((account) => mayRead(registry, client, account.id))
    .map((account) => accountOf(account, assets.values(), journal.positions(account.id)));
}

function oneAccount({ registry, journal }: RouteParts, client: Client, request: FastifyRequest): Result<Answer> {
  const id = decode(request.params, readAccountParameter);
  if (!id.ok) return id;
  const account = registry.accounts.get(id.value);
  if (account === undefined || !mayRead(registry, client, id.value)) {
    return refuse('account-not-found', `There is no account ${id.value} that this client may read.`);
  }
  return done(accountOf(account, registry.assets.values(), journal.positions(id.value)));
}

function oneHold(journal: Journal, id: string): Result<object> {
  const hold = journal.byOperation(id);
  if (hold?.verb === 'hold') return { ok: true, value: holdOf(hold, journal.closingOf(id)) };
  const isDead = hold?.verb === 'fence';
  const detail = isDead ? 'This hold was fenced before it took effect.' : `There is no hold ${id}.`;
  return refuse('hold-unknown', detail, { outcome: isDead ? 'dead' : 'unknown' }, hold?.reason);
}

function oneOperation(journal: Journal, id: string): Result<object> {
  const booking = journal.byOperation(id);
  if (booking !== undefined) return { ok: true, value: outcomeOf(booking) };
  return refuse('operation-unknown', 'Nothing is known of this id, which proves nothing.', { outcome: 'unknown' });
}

/** What has become of an awaited event; for those only who wait for other people's events. */
function oneAwaited(journal: Journal, client: Client, request: FastifyRequest): Result<Answer> {
  const operation = decode(request.params, readIdParameter);
  if (!operation.ok) return operation;
  const key = decode(request.query, readTradeKey);
  if (!key.ok) return key;
  if (!client.roles.has('executor') && !client.roles.has('reader')) {
    return refuse('role-missing', 'Participants see what happens on their own accounts.');
  }
  const awaited = awaitedUnder(journal, key.value, operation.value);
  return awaitedAnswer(operation.value, key.value, { ok: true, value: awaited });
}

/** 202 while nothing is final. */
function awaitedAnswer(operation: string, key: TradeKey, awaited: Result<Awaited>): Result<Answer> {
  return map(awaited, (value) => ({
    status: value.status === 'open' ? 202 : 200,
    body: awaitedOf(operation, key, value),
  }));
}

function oneTransfer(journal: Journal, client: Client, id: string): Result<object> {
  const booking = journal.byReference(client.id, id);
  if (booking !== undefined) return { ok: true, value: answerOf(booking) };
  return refuse('transfer-unknown', `This client has made no transfer ${id}.`, { outcome: 'unknown' });
}

/**
 * One page of the feed, waiting for something new when there is nothing. `next` is the cursor to go on from: it also
 * passes what this client may not read, so a page can be empty and yet advance.
 */
async function events(
  { registry, journal, feed }: RouteParts,
  client: Client,
  query: EventsQuery,
  disconnected: AbortSignal,
): Promise<Result<Answer>> {
  const { after, limit, waitMs } = query;
  const newest = journal.newest();
  if (after > newest) return refuse('cursor-ahead', `The feed ends at ${newest}, before this cursor.`, { newest });
  const signal = AbortSignal.any([disconnected, AbortSignal.timeout(waitMs)]);
  let next = after;
  for (;;) {
    const page = journal.after(next, limit);
    next = page.at(-1)?.booking ?? next;
    const shown = page.filter((booking) => mayReadBooking(registry, client, booking));
    const isOver = shown.length > 0 || page.length === limit || signal.aborted || feed.isClosed || waitMs === 0;
    if (isOver) return done({ events: shown.map(eventOf), next });
    await feed.changed(signal);
  }
}

/** Participants see the accounts that they operate; everyone else who has a token sees all. */
function mayRead({ accounts }: Registry, client: Client, account: string): boolean {
  if (client.roles.has('executor') || client.roles.has('reader')) return true;
  return accounts.get(account)?.operators.has(client.id) ?? false;
}

function mayReadBooking(registry: Registry, client: Client, { terms }: Booking): boolean {
  if (terms === undefined) return true;
  return mayRead(registry, client, terms.from) || mayRead(registry, client, terms.to);
}

function created(result: Result<Booked>): Result<Answer> {
  return map(result, ({ booking, isNew }) => ({ status: isNew ? 201 : 200, body: answerOf(booking) }));
}

function done(body: object): Result<Answer> {
  return { ok: true, value: { status: 200, body } };
}

function map<T, U>(result: Result<T>, to: (value: T) => U): Result<U> {
  return result.ok ? { ok: true, value: to(result.value) } : result;
}

function then<T>(result: Result<T>, next: (value: T) => Result<Answer> | Promise<Result<Answer>>) {
  return result.ok ? next(result.value) : result;
}
