import { accept, Fault, refuse, type Refused, type Result } from '@linkspan/protocol';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

/** What an accepted access token says. `expiresAt` is in UTC milliseconds. */
export type Access = {
  readonly client: string;
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  readonly expiresAt: number;
};

/**
 * Checks access tokens (RFC 9068). Refuses as `token-invalid` what is not signed by a key of the issuer, not made for the audience, not valid now, or not in
 * the form of the standard. Throws a Fault `issuer-unavailable` while the issuer's keys cannot be had.
 */
export type AccessTokens = { check(token: string): Promise<Result<Access>> };

export type AccessTokensOptions = {
  readonly issuer: () => string;
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  /** UTC milliseconds. */
  readonly now: () => number;
};

/** What was found valid is taken again for a minute without checking its signature, as long as it has not expired. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const known = new Map<string, { readonly access: Access; readonly untilMs: number }>();
  return {
    async check(token) {
      const nowMs = options.now();
      const before = known.get(token);
      if (before && nowMs < before.untilMs) return accept(before.access);
      known.delete(token);
      const checked = await checkToken(options, token);
      if (!checked.ok) return checked;
      known.set(token, { access: checked.value, untilMs: Math.min(nowMs + REMEMBERED_MS, checked.value.expiresAt) });
      const [oldest] = known.keys();
      if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
      return checked;
    },
  };
}

const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 1_000;

async function checkToken(
  { issuer, audience, keys, now }: AccessTokensOptions,
  token: string,
): Promise<Result<Access>> {
  let payload: JWTPayload;
  try {
    const verified = await jwtVerify(token, keys, {
      issuer: issuer(),
      audience,
      typ: 'at+jwt',
      algorithms: [...ALGORITHMS],
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now()),
    });
    ({ payload } = verified);
  } catch (error) {
    return refusalOf(error);
  }
  const { sub, client_id: client, scope = '', exp = 0 } = payload;
  if (!isName(sub) || !isName(client) || typeof scope !== 'string')
    return refuse('token-invalid', 'The access token names its client or subject in a form that cannot be recorded.');
  const scopes = new Set(scope.split(' ').filter(Boolean));
  return accept({ client, subject: sub, scopes, expiresAt: (exp + CLOCK_TOLERANCE_SECONDS) * 1000 });
}

/** Signatures that only the issuer can make: no shared secrets, and never none. */
const ALGORITHMS = ['EdDSA', 'ES256', 'PS256', 'RS256'] as const;

/** How far the issuer's clock may be from ours. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** What the ledger takes as an actor, and nothing that could steer a terminal. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]{1,140}$/.test(value);
}

function refusalOf(error: unknown): Refused {
  if (error instanceof Fault) throw error;
  if (error instanceof errors.JWTExpired) return refuse('token-invalid', 'The access token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return refuse('token-invalid', CLAIMS[error.claim] ?? NOT_A_TOKEN);
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey)
    return refuse('token-invalid', 'The access token is not signed by a key of the issuer.');
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refuse('token-invalid', `The access token must be signed with one of ${ALGORITHMS.join(', ')}.`);
  // Every other error of the library that has a name of its own is about the token's form.
  if (error instanceof errors.JOSEError && !ABOUT_KEYS.has(error.code)) return refuse('token-invalid', NOT_A_TOKEN);
  throw new Fault('issuer-unavailable', 'The keys of the issuer of access tokens cannot be had now.', { cause: error });
}

/** Codes of the library for a key set that cannot be fetched or read. */
const ABOUT_KEYS: ReadonlySet<string> = new Set([
  'ERR_JOSE_GENERIC',
  'ERR_JWKS_TIMEOUT',
  'ERR_JWKS_INVALID',
  'ERR_JWK_INVALID',
]);

const NOT_A_TOKEN = 'This is no access token in the form of RFC 9068.';

const CLAIMS: Readonly<Record<string, string>> = {
  aud: 'The access token was made for another audience than this API.',
  iss: 'The access token is of another issuer.',
  nbf: 'The access token is not valid yet.',
  typ: 'This is a token, but no access token (its type must be at+jwt).',
};
