import { accountOf, answerOf, awaitedOf, eventOf, holdOf, lodgedOf, outcomeOf } from './answers.ts';
import { awaitedUnder } from './awaited.ts';
import type { Awaited } from './awaited.ts';
import type { Booked, Books, ClosingVerb } from './books.ts';
import { readSignedEpoch } from './certificate.ts';
import type { Client, Registry } from './config.ts';
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
  readTradeKey,
  readTransferRequest,
  readTryRequest,
} from './requests.ts';
import type { EventsQuery } from './requests.ts';
import { ASKS_NOTHING, route } from './route.ts';
import type { Answer, Route } from './server.ts';
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
  return [...accountRoutes(parts), ...holdRoutes(parts), ...operationRoutes(parts), ...tradeRoutes(parts)];
}

function accountRoutes(parts: RouteParts): Route[] {
  const { registry, journal, books, commits } = parts;
  const get = { ...ASKS_NOTHING, method: 'GET' } as const;
  return [
    route({ ...get, url: '/assets', summary: 'What the system keeps', answers: { 200: 'Assets' } }, () =>
      done({ assets: [...registry.assets.values()] }),
    ),
    route(
      { ...get, url: '/accounts', summary: 'Accounts that the client may read', answers: { 200: 'Accounts' } },
      (client) => done({ accounts: readableAccounts(parts, client) }),
    ),
    route(
      {
        ...get,
        url: '/accounts/:id',
        summary: 'One account with its positions',
        params: readAccountParameter,
        answers: { 200: 'Account' },
      },
      (client, { params }) => oneAccount(parts, client, params),
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: '/transfers',
        summary: 'Move free cash or securities at once',
        body: readTransferRequest,
        answers: { 200: 'Transfer', 201: 'Transfer' },
      },
      async (client, { body }) => created(await commits.run(() => books.transfer(client, body))),
    ),
    route(
      {
        ...get,
        url: '/transfers/:id',
        summary: 'One of the client’s own transfers',
        params: readIdParameter,
        answers: { 200: 'Transfer' },
      },
      (client, { params }) => found(oneTransfer(journal, client, params)),
    ),
  ];
}

function holdRoutes({ journal, books, commits }: RouteParts): Route[] {
  const close = (verb: ClosingVerb, summary: string) =>
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: `/holds/:id/${verb}`,
        summary,
        params: readIdParameter,
        body: readCloseRequest,
        answers: { 200: 'Closed' },
      },
      async (client, { params: hold, body }) => {
        const closed = await commits.run(() => books.close(client, verb, { ...body, hold }));
        return map(closed, ({ booking }) => ({ status: 200, body: answerOf(booking) }));
      },
    );
  return [
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: '/holds',
        summary: 'Earmark free cash or securities for a beneficiary, without limit of time',
        body: readHoldRequest,
        answers: { 200: 'Held', 201: 'Held' },
      },
      async (client, { body }) => created(await commits.run(() => books.hold(client, body))),
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'GET',
        url: '/holds/:id',
        summary: 'One hold, and what closed it',
        params: readIdParameter,
        answers: { 200: 'Hold' },
      },
      (_client, { params }) => found(oneHold(journal, params)),
    ),
    close('execute', 'Move held cash to its beneficiary, under a commit certificate'),
    close('deliver', 'Move held securities to their beneficiary, under a commit certificate'),
    close('release', 'Free what is held, under an abort certificate'),
  ];
}

function operationRoutes(parts: RouteParts): Route[] {
  const { journal, books, trades, commits, now } = parts;
  return [
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: '/operations/:id/fence',
        summary: 'Kill an id that took no effect; says what became of it',
        params: readIdParameter,
        body: readFenceRequest,
        answers: { 200: 'Fenced', 202: 'Awaited' },
      },
      async (client, { params: operation, body: { key, ...body } }) => {
        const wanted = { ...body, operation };
        if (key !== undefined) {
          return awaitedAnswer(operation, key, await commits.run(() => trades.withdraw(client, { ...wanted, key })));
        }
        const fenced = await commits.run(() => books.fence(client, wanted));
        return map(fenced, ({ booking }) => ({ status: 200, body: outcomeOf(booking) }));
      },
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'GET',
        url: '/operations/:id',
        summary: 'What became of an operation id',
        params: readIdParameter,
        answers: { 200: 'Outcome' },
      },
      (_client, { params }) => found(oneOperation(journal, params)),
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'GET',
        url: '/events',
        summary: 'Every change in order, from a cursor on; waits for a change where there is none',
        query: readEventsQuery,
        answers: { 200: 'Events' },
      },
      (client, { query, signal }) => events(parts, client, query, signal),
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: '/epochs',
        summary: 'Install the next epoch of certificate signers, signed by a quorum of the last one',
        body: readSignedEpoch,
        answers: { 200: 'Epoch', 201: 'Epoch' },
      },
      (_client, { body }) => commits.run(() => installEpoch(parts, body, now())),
    ),
  ];
}

function tradeRoutes({ journal, trades, commits }: RouteParts): Route[] {
  return [
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: '/dvp',
        summary: 'Lodge one side’s delivery versus payment',
        body: readLodgeRequest,
        answers: { 200: 'Lodged', 201: 'Lodged' },
      },
      async (client, { body }) =>
        map(await commits.run(() => trades.lodge(client, body)), (lodged) => ({
          status: lodged.isNew ? 201 : 200,
          body: lodgedOf(lodged),
        })),
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'POST',
        url: '/dvp/try',
        summary: 'Have a delivery versus payment tried that was lodged on hold, under a proceed certificate',
        body: readTryRequest,
        answers: { 200: 'Awaited', 202: 'Awaited' },
      },
      async (client, { body }) => {
        const { operation, trade, from, to } = body;
        const tried = await commits.run(() => trades.attempt(client, body));
        return awaitedAnswer(operation, { filter: 'dvp', trade, from, to }, tried);
      },
    ),
    route(
      {
        ...ASKS_NOTHING,
        method: 'GET',
        url: '/awaited/:id',
        summary: 'What happened under a business key',
        params: readIdParameter,
        query: readTradeKey,
        answers: { 200: 'Awaited', 202: 'Awaited' },
      },
      (client, { params, query }) => oneAwaited(journal, client, params, query),
    ),
  ];
}

function found(result: Result<object>): Result<Answer> {
  return map(result, (body) => ({ status: 200, body }));
}

function readableAccounts({ registry, journal }: RouteParts, client: Client): object[] {
  const { accounts, assets } = registry;
  return Array.from(accounts.values())
    .filter((account) => mayRead(registry, client, account.id))
    .map((account) => accountOf(account, assets.values(), journal.positions(account.id)));
}

function oneAccount({ registry, journal }: RouteParts, client: Client, id: string): Result<Answer> {
  const account = registry.accounts.get(id);
  if (account === undefined || !mayRead(registry, client, id)) {
    return refuse('account-not-found', `There is no account ${id} that this client may read.`);
  }
  return done(accountOf(account, registry.assets.values(), journal.positions(id)));
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
function oneAwaited(journal: Journal, client: Client, operation: string, key: TradeKey): Result<Answer> {
  if (!client.roles.has('executor') && !client.roles.has('reader')) {
    return refuse('role-missing', 'Participants see what happens on their own accounts.');
  }
  return awaitedAnswer(operation, key, { ok: true, value: awaitedUnder(journal, key, operation) });
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
