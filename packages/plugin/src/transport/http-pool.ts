import type { Live, TlsCredentials } from '@linkspan/protocol';
import { type Dispatcher, Pool } from 'undici';
import { traceHeaders } from '../trace-context.ts';
import { expectName } from './peer-names.ts';

/** A request with its headers by name. */
export type HttpRequest = Omit<Dispatcher.RequestOptions, 'headers' | 'signal'> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/** Connections to one server. Requests carry the trace on within which they are made. `close` ends them at once, whatever is under way. */
export type HttpPool = {
  /** For streams, which have no end: the caller reads the body for as long as it lasts. */
  request(options: HttpRequest): Promise<Dispatcher.ResponseData>;
  /**
   * A request and the reading of its whole answer within `wholeMs`, connecting included. The limits of the connection are about silence: without this one an
   * answer that comes byte by byte would last for ever, and so would a request that the client library has lost. Rejects with the code `ETIMEDOUT` then.
   */
  exchange<T>(
    options: HttpRequest,
    wholeMs: number,
    read: (response: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T>;
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
  const underWay = new Set<(error: Error) => void>();
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

  function send(request: HttpRequest): Promise<Dispatcher.ResponseData> {
    return pool.request({ ...request, headers: { ...request.headers, ...traceHeaders() } });
  }

  async function exchange<T>(
    request: HttpRequest,
    wholeMs: number,
    read: (response: Dispatcher.ResponseData) => Promise<T>,
  ): Promise<T> {
    const ended = new AbortController();
    const late = Promise.withResolvers<never>();
    const end = (error: Error): void => {
      late.reject(error);
      ended.abort(error);
    };
    const { signal: given } = request;
    const giveUp = (): void => end(new Error('the request was given up'));
    const timer = setTimeout(() => end(tooLate(wholeMs)), wholeMs);
    underWay.add(end);
    given?.addEventListener('abort', giveUp, { once: true });
    try {
      if (given?.aborted) giveUp();
      const whole = send({ ...request, signal: ended.signal }).then(read);
      return await Promise.race([whole, late.promise]);
    } finally {
      clearTimeout(timer);
      underWay.delete(end);
      given?.removeEventListener('abort', giveUp);
    }
  }

  return {
    request: send,
    exchange,
    async close() {
      stop?.();
      for (const end of underWay) end(new Error('the connections were closed'));
      await Promise.all([pool, ...retired].map((each) => each.destroy()));
    },
  };
}

function tooLate(wholeMs: number): Error {
  return Object.assign(new Error(`no whole answer within ${wholeMs} ms`), { code: 'ETIMEDOUT' });
}

function openPool({ origin, serverName, connectTimeoutMs, pool }: HttpPoolOptions, tls?: TlsCredentials): Pool {
  const identity = serverName === undefined ? {} : { checkServerIdentity: expectName(serverName) };
  // Nothing is resumed: each connection proves itself by the certificates of its day.
  const secure = { maxCachedSessions: 0, minVersion: 'TLSv1.2' as const, ...tls, ...identity };
  return new Pool(origin, { ...pool, connect: { timeout: connectTimeoutMs, ...secure } });
}
