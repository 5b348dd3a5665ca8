import type { Peers } from '@linkspan/coordinator';
import { ENDPOINTS, Fault, type Hash, parse, type Result } from '@linkspan/protocol';
import { Pool } from 'undici';

/** The other organisations' APIs over HTTP; closes its connections when disposed. */
export type HttpPeers = Peers & AsyncDisposable;

/**
 * Reaches other organisations at the base URLs of their APIs, by organisation id; addresses may be added later. Every call throws a Fault
 * `peer-unavailable` where there is no answer, none in time, or another one than the endpoint table promises.
 */
export function createHttpPeers(urls: Readonly<Record<string, string>>): HttpPeers {
  const pools = new Map<string, Pool>();

  function poolOf(organisation: string): Pool {
    const known = pools.get(organisation);
    if (known) return known;
    const url = urls[organisation];
    if (url === undefined) throw new Fault('peer-unavailable', `No address of ${organisation} is known.`);
    const pool = openPool(organisation, url);
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
      await post(organisation, path, { proposal, shares }, (body) => parse(answer, body, 'peer-unavailable'));
    },
    async sendStatements(organisation, proposal, statements) {
      const { path, answer } = ENDPOINTS['send-statements'];
      await post(organisation, path, { proposal, statements }, (body) => parse(answer, body, 'peer-unavailable'));
    },
    async askShares(organisation: string, proposal: Hash) {
      const { path, answer } = ENDPOINTS['ask-shares'];
      const { shares } = await post(organisation, path, { proposal }, (body) =>
        parse(answer, body, 'peer-unavailable'),
      );
      return shares;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

const CONNECTIONS = 16;
const TIMEOUT_MS = 5_000;
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;

function openPool(organisation: string, url: string): Pool {
  try {
    return new Pool(new URL(url).origin, {
      connections: CONNECTIONS,
      connect: { timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: MAXIMUM_ANSWER_BYTES,
    });
  } catch (cause) {
    throw new Fault('configuration-invalid', `The address of ${organisation} is no URL: ${url}`, { cause });
  }
}

async function exchange(pool: Pool, organisation: string, path: string, body: string): Promise<unknown> {
  try {
    const response = await pool.request({
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (response.statusCode < 300) return await response.body.json();
    const text = await response.body.text();
    throw new Error(`HTTP ${response.statusCode} ${text.slice(0, 200)}`);
  } catch (cause) {
    // Shares and statements prove themselves and count once, so it does not matter whether they came.
    throw new Fault('peer-unavailable', `${organisation} gave no answer to ${path}.`, { cause, mayHaveHappened: true });
  }
}
