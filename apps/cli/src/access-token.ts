import { type Dispatcher, request } from 'undici';
import { fail, isObject, type Outcome } from './failure.ts';
import { nothingListens } from './nothing-listens.ts';

/** A client of an issuer of access tokens: OAuth 2.0 client credentials (RFC 6749 section 4.4). */
export type ClientCredentials = {
  readonly clientId: string;
  /** Asked for when a token is needed, not before. */
  readonly secret: () => Outcome<string>;
  /** Where tokens are given; where it is undefined, `issuer` tells it (RFC 8414). */
  readonly tokenEndpoint?: string | undefined;
  readonly issuer?: string | undefined;
  readonly dispatcher?: Dispatcher | undefined;
};

/** Gives access tokens. One is used until shortly before its end; while a request for one is under way, everybody waits for that one. */
export type TokenSource = {
  /** A scope asks for a token of its own, with no more than that. */
  token(scope?: string): Promise<Outcome<string>>;
  /** Whoever checked a token did not accept it: the next one is a new one. */
  refused(token: string): void;
  /** Whether another token may be had after one was refused. */
  readonly renews: boolean;
};

export function createTokenSource(credentials: ClientCredentials, now: () => number = Date.now): TokenSource {
  let known: Token | undefined;
  let asking: Promise<Outcome<Token>> | undefined;
  return {
    renews: true,
    async token(scope) {
      if (scope !== undefined) {
        const narrow = await askToken(credentials, now, scope);
        return narrow.ok ? { ok: true, value: narrow.value.text } : narrow;
      }
      if (known && now() < known.renewAtMs) return { ok: true, value: known.text };
      asking ??= askToken(credentials, now).finally(() => (asking = undefined));
      const answer = await asking;
      if (!answer.ok) return answer;
      known = answer.value;
      return { ok: true, value: known.text };
    },
    refused(token) {
      if (known?.text === token) known = undefined;
    },
  };
}

/** A token that somebody else got. */
export function givenToken(text: string): TokenSource {
  return { renews: false, token: async () => ({ ok: true, value: text }), refused: () => undefined };
}

/** Secrets and tokens are sent by TLS, or to this machine itself. */
export function isPrivateWay(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

type Token = { readonly text: string; readonly renewAtMs: number };

const TIMEOUT_MS = 10_000;
/** For how long a token is taken that says nothing of its life. */
const UNSAID_SECONDS = 60;
const LARGEST_ANSWER_BYTES = 256 * 1024;

async function askToken(credentials: ClientCredentials, now: () => number, scope?: string): Promise<Outcome<Token>> {
  const endpoint = await tokenEndpointOf(credentials);
  if (!endpoint.ok) return endpoint;
  if (!isPrivateWay(endpoint.value))
    return fail('configuration-invalid', `${endpoint.value} is asked for tokens with a secret, so it needs https.`);
  const secret = credentials.secret();
  if (!secret.ok) return secret;
  const askedAtMs = now();
  const answer = await exchange(credentials, endpoint.value, {
    method: 'POST',
    headers: { authorization: basic(credentials.clientId, secret.value), 'content-type': FORM },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope === undefined ? {} : { scope }),
    }).toString(),
  });
  if (!answer.ok) return answer;
  const { status, body } = answer.value;
  const { access_token: text, expires_in: seconds, error_description: why } = body;
  if (status !== 200 || typeof text !== 'string')
    return fail(
      'token-missing',
      typeof why === 'string' ? `It says: ${why}.` : `It answered HTTP ${status}.`,
      `The issuer at ${endpoint.value} gives no access token to ${credentials.clientId}`,
    );
  // Renewed with a fifth of its life left, so that no request meets its end.
  const lifeMs = (typeof seconds === 'number' && seconds > 0 ? seconds : UNSAID_SECONDS) * 800;
  return { ok: true, value: { text, renewAtMs: askedAtMs + lifeMs } };
}

const FORM = 'application/x-www-form-urlencoded';

/** RFC 6749 section 2.3.1: both parts are encoded as in a form before they are joined. */
function basic(clientId: string, secret: string): string {
  const encoded = [clientId, secret].map((part) => new URLSearchParams({ '': part }).toString().slice(1)).join(':');
  return `Basic ${Buffer.from(encoded).toString('base64')}`;
}

async function tokenEndpointOf(credentials: ClientCredentials): Promise<Outcome<string>> {
  const { tokenEndpoint, issuer } = credentials;
  if (tokenEndpoint !== undefined) return { ok: true, value: tokenEndpoint };
  if (issuer === undefined) return fail('configuration-invalid', 'The profile names no issuer of access tokens.');
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const addresses = [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
  for (const address of addresses) {
    const answer = await exchange(credentials, address, { method: 'GET' });
    if (!answer.ok) return answer;
    const { token_endpoint: endpoint, issuer: said } = answer.value.body;
    // RFC 8414 section 3.3: a document that names another issuer could have been put there by that one.
    if (answer.value.status === 200 && typeof endpoint === 'string' && said === issuer)
      return { ok: true, value: endpoint };
  }
  return fail(
    'issuer-unavailable',
    `It has no document at ${addresses.join(' or ')}.`,
    `${issuer} is no issuer of tokens`,
  );
}

type Exchanged = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

async function exchange(
  { dispatcher }: ClientCredentials,
  address: string,
  options: { readonly method: 'GET' | 'POST'; readonly headers?: Record<string, string>; readonly body?: string },
): Promise<Outcome<Exchanged>> {
  try {
    const { statusCode, body } = await request(address, {
      ...options,
      ...(dispatcher ? { dispatcher } : {}),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    let text = '';
    for await (const chunk of body.setEncoding('utf8')) {
      text += String(chunk);
      if (text.length > LARGEST_ANSWER_BYTES) throw new RangeError('the answer is too large');
    }
    return { ok: true, value: { status: statusCode, body: parseObject(text) } };
  } catch (error) {
    const refused = nothingListens(address, error, 'issuer-unavailable');
    if (refused) return { ok: false, failure: refused };
    const why = error instanceof Error ? error.message : String(error);
    return fail('issuer-unavailable', `${address}: ${why}.`, 'The issuer of access tokens gave no answer');
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
