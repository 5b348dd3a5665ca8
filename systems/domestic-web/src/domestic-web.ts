import { Server as HttpsServer } from 'node:https';
import { Books } from './books.ts';
import { serverCloser } from './close-server.ts';
import { parseConfig } from './config.ts';
import type { DomesticWebConfig, Registry } from './config.ts';
import { Feed } from './feed.ts';
import { GroupCommit } from './group-commit.ts';
import { openJournal } from './journal.ts';
import { reconcile } from './reconcile.ts';
import { routesOf } from './routes.ts';
import { seed } from './seed.ts';
import { buildServer } from './server.ts';
import { StartError } from './start-error.ts';
import { openStore } from './store.ts';
import { followTls, readTls } from './tls.ts';
import type { TlsOptions } from './tls.ts';
import { Tokens } from './tokens.ts';
import { TradeBooks } from './trade-books.ts';

export type DomesticWeb = { url: string; close: () => Promise<void> };

export type DomesticWebOptions = {
  /** Milliseconds since 1970; it dates bookings and ends tokens, and decides nothing else. */
  now?: () => number;
  /** Learns of every fault that a caller was told of as 500 or 503 without its cause. */
  onFault?: (fault: unknown) => void;
};

/**
 * Starts one system (cash accounts, a securities depository, or both) on 127.0.0.1.
 * @throws StartError with one sentence when the configuration, the data directory or the port is unusable.
 */
export function startDomesticWeb(config: DomesticWebConfig, options: DomesticWebOptions = {}): Promise<DomesticWeb> {
  return startFromDocument(config, options);
}

/** The same for a configuration that nobody has looked at yet. */
export async function startFromDocument(document: unknown, options: DomesticWebOptions): Promise<DomesticWeb> {
  const { registry, tls } = checkDocument(document);
  const database = openStore(registry.dataDir);
  try {
    const now = options.now ?? Date.now;
    const journal = openJournal(database);
    seed(database, journal, registry, now());
    const faults = reconcile(database);
    if (faults.length > 0) {
      throw new StartError(`The books in ${registry.dataDir} do not balance: ${faults.join('; ')}.`);
    }
    const feed = new Feed();
    const commits = new GroupCommit(database, () => feed.announce());
    const books = new Books(registry, journal, now);
    const trades = new TradeBooks(registry, journal, now);
    const app = buildServer({
      name: registry.name,
      tokens: new Tokens(registry.clients, now),
      tls,
      routes: routesOf({ registry, journal, books, trades, commits, feed, now }),
      onFault: options.onFault ?? warn,
      onClose: () => feed.close(),
    });
    const closeServer = serverCloser(app, CLOSE_LIMIT_MS);
    const url = await listen(app, registry);
    const unfollow = followRenewals(app, registry, options.onFault ?? warn);
    const close = async () => {
      unfollow();
      await closeServer();
      database.close();
    };
    let closing: Promise<void> | undefined;
    return { url, close: () => (closing ??= close()) };
  } catch (cause) {
    database.close();
    throw cause;
  }
}

/** What a configuration says, with the files that it names. Throws StartError with one sentence that has every problem. */
export function checkDocument(document: unknown): { registry: Registry; tls: TlsOptions | undefined } {
  const parsed = parseConfig(document);
  if (!parsed.ok) throw new StartError(`The configuration is wrong: ${parsed.refusal.detail}.`);
  return { registry: parsed.value, tls: parsed.value.tls && readTls(parsed.value.tls) };
}

const CLOSE_LIMIT_MS = 5000;

type App = ReturnType<typeof buildServer>;

function warn(fault: unknown): void {
  process.emitWarning(fault instanceof Error ? fault : String(fault));
}

function followRenewals({ server }: App, { tls }: Registry, onFault: (fault: unknown) => void): () => void {
  return tls && server instanceof HttpsServer ? followTls(server, tls, onFault) : () => undefined;
}

async function listen(app: App, { port }: Registry): Promise<string> {
  try {
    return await app.listen({ host: '127.0.0.1', port });
  } catch (cause) {
    await app.close();
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EADDRINUSE') throw new StartError(`The port ${port} is in use by another process.`, { cause });
    throw new StartError(`The port ${port} cannot be listened on: ${String(code ?? cause)}.`, { cause });
  }
}
