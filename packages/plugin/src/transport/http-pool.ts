import type { Live, TlsCredentials } from '@linkspan/protocol';
import { type Dispatcher, Pool } from 'undici';
import { traceHeaders } from '../trace-context.ts';
import { expectName } from './peer-names.ts';

/** A request with its headers by name. */
export type HttpRequest = Omit<Dispatcher.RequestOptions, 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>;
};

/** Connections to one server. Requests carry the trace on within which they are made. `close` ends them at once, whatever is under way. */
export type HttpPool = {
  request(options: HttpRequest): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
};

export type HttpPoolOptions = {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly tls?: Live<TlsCredentials> | undefined;
  /** The name that the server's certificate must have; the host of the origin where none is given. */
  readonly serverName?: string | undefined;
  readonly connectTimeoutMs: number;
  readonly pool: Omit<Pool.Options, 'connect' | 'factory'>;
};

/** What is under way over connections with former credentials may take so long to end. */
const DRAIN_MS = 60_000;

/**
 * Keeps connections to one server. When the credentials are exchanged, new requests go over new connections; those under way end over the old ones,
 * which are closed behind them.
 */
export function createHttpPool(options: HttpPoolOptions): HttpPool {
  const { tls } = options;
  const retired = new Set<Pool>();
  let pool = openPool(options, tls?.current());
  const stop = tls?.onChange((credentials) => {
    const former = pool;
    pool = openPool(options, credentials);
    retired.add(former);
    const timer = setTimeout(() => void former.destroy(), DRAIN_MS).unref();
    void former.close().finally(() => {
      clearTimeout(timer);
      retired.delete(former);
    });
  });
  return {
    request: (request) => pool.request({ ...request, headers: { ...request.headers, ...traceHeaders() } }),
    async close() {
      stop?.();
      await Promise.all([pool, ...retired].map((each) => each.destroy()));
    },
  };
}

function openPool({ origin, serverName, connectTimeoutMs, pool }: HttpPoolOptions, tls?: TlsCredentials): Pool {
  const identity = serverName === undefined ? {} : { checkServerIdentity: expectName(serverName) };
  // Nothing is resumed: each connection proves itself by the certificates of its day.
  const secure = { maxCachedSessions: 0, minVersion: 'TLSv1.2' as const, ...tls, ...identity };
  return new Pool(origin, { ...pool, connect: { timeout: connectTimeoutMs, ...secure } });
}
