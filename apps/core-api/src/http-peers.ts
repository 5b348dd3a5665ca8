import type { Peers } from '@linkspan/coordinator';
import {
  createHttpPool,
  currentTrace,
  type HttpPool,
  traceHeaders,
  traceOfSettlement,
  withinTrace,
} from '@linkspan/plugin';
import { ENDPOINTS, Fault, type Hash, type Live, parse, type Result, type TlsCredentials } from '@linkspan/protocol';

/** The other organisations' APIs over HTTP; closes its connections when disposed. */
export type HttpPeers = Peers &
  AsyncDisposable & {
    /** Whether an organisation's API gives an answer now. */
    answers(organisation: string): Promise<boolean>;
  };

export type HttpPeersOptions = {
  /** What is presented to the others, and the authorities that are believed. */
  readonly tls?: Live<TlsCredentials> | undefined;
  /** The name that an organisation's certificate must have; the host of its address where none is given. */
  readonly names?: Readonly<Record<string, string>>;
};

/**
 * Reaches other organisations at the base URLs of their APIs, by organisation id; addresses may be added later. Every call throws a Fault
 * `peer-unavailable` where there is no answer, none in time, or another one than the endpoint table promises.
 */
export function createHttpPeers(urls: Readonly<Record<string, string>>, options: HttpPeersOptions = {}): HttpPeers {
  const pools = new Map<string, HttpPool>();

  function poolOf(organisation: string): HttpPool {
    const known = pools.get(organisation);
    if (known) return known;
    const url = urls[organisation];
    if (url === undefined) throw new Fault('peer-unavailable', `No address of ${organisation} is known.`);
    const pool = openPool(organisation, url, options);
    pools.set(organisation, pool);
    return pool;
  }

  async function post<T>(
    organisation: string,
    path: string,
    body: object,
    read: (answer: unknown) => Result<T>,
  ): Promise<T> {
    const pool = poolOf(organisation);
    const answer = await exchange(pool, organisation, path, JSON.stringify(body));
    const parsed = read(answer);
    if (!parsed.ok)
      throw new Fault(
        'peer-unavailable',
        `${organisation} answered ${path} with what it should not: ${parsed.refusal.message}`,
      );
    return parsed.value;
  }

  return {
    async sendShares(organisation, proposal, shares) {
      const { path, answer } = ENDPOINTS['send-shares'];
      const trace = traceOfSettlement(shares[0]?.certificate.settlement ?? proposal);
      await withinTrace(trace, () =>
        post(organisation, path, { proposal, shares }, (body) => parse(answer, body, 'peer-unavailable')),
      );
    },
    async sendStatements(organisation, proposal, statements) {
      const { path, answer } = ENDPOINTS['send-statements'];
      const trace = traceOfSettlement(statements[0]?.statement.settlement ?? proposal);
      await withinTrace(trace, () =>
        post(organisation, path, { proposal, statements }, (body) => parse(answer, body, 'peer-unavailable')),
      );
    },
    async askShares(organisation: string, proposal: Hash) {
      const { path, answer } = ENDPOINTS['ask-shares'];
      const { shares } = await withinTrace(currentTrace() ?? traceOfSettlement(proposal), () =>
        post(organisation, path, { proposal }, (body) => parse(answer, body, 'peer-unavailable')),
      );
      return shares;
    },
    async answers(organisation) {
      try {
        const { statusCode, body } = await poolOf(organisation).request({
          path: ENDPOINTS.health.path,
          method: 'GET',
          headersTimeout: PATIENCE_MS,
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        await body.dump();
        return statusCode < 300;
      } catch {
        // Whatever the reason, it gives no answer now.
        return false;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

const CONNECTIONS = 16;
const TIMEOUT_MS = 5_000;
const WHOLE_MS = 3 * TIMEOUT_MS;
const PATIENCE_MS = 2_000;
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;

function openPool(organisation: string, url: string, { tls, names }: HttpPeersOptions): HttpPool {
  if (!URL.canParse(url)) throw new Fault('configuration-invalid', `The address of ${organisation} is no URL: ${url}`);
  return createHttpPool({
    origin: new URL(url).origin,
    tls,
    serverName: names?.[organisation],
    connectTimeoutMs: TIMEOUT_MS,
    pool: {
      connections: CONNECTIONS,
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: MAXIMUM_ANSWER_BYTES,
    },
  });
}

async function exchange(pool: HttpPool, organisation: string, path: string, body: string): Promise<unknown> {
  try {
    const headers = { 'content-type': 'application/json', ...traceHeaders() };
    return await pool.exchange({ path, method: 'POST', headers, body }, WHOLE_MS, async (response) => {
      if (response.statusCode < 300) return response.body.json();
      const text = await response.body.text();
      throw new Error(`HTTP ${response.statusCode} ${text.slice(0, 200)}`);
    });
  } catch (cause) {
    // Shares and statements prove themselves and count once, so it does not matter whether they came.
    throw new Fault('peer-unavailable', `${organisation} gave no answer to ${path}.`, { cause, mayHaveHappened: true });
  }
}
