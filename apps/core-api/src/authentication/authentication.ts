import { refuse, type Refusal, type Result, type Scope } from '@linkspan/protocol';
import { type Access, type AccessTokens, createAccessTokens } from './access-tokens.ts';
import type { AuthenticationConfig } from './authentication-config.ts';
import { createDevelopmentIssuer, type DevelopmentIssuer, ISSUER_PATH } from './development-issuer.ts';
import { createRemoteKeys } from './remote-keys.ts';

/** Who calls an organisation's API, by the access tokens of its issuer. */
export type Authentication = {
  /** Refusals: `token-missing`, `token-invalid`, `scope-missing`. Throws a Fault `issuer-unavailable` while no token can be checked. */
  check(authorization: string | undefined, scope: Scope): Promise<Result<Access>>;
  /** The issuer that the API itself is; development only. */
  readonly issuer: DevelopmentIssuer | undefined;
};

/** `baseUrl` is the API's own address, asked for when requests come. Throws a Fault `configuration-invalid` where a file cannot be used. */
export function openAuthentication(
  config: AuthenticationConfig,
  baseUrl: () => string,
  now: () => number,
): Authentication {
  const { audience } = config;
  if (config.kind === 'issuer') {
    const keys = createRemoteKeys(config.jwks);
    return authenticationBy(createAccessTokens({ issuer: () => config.issuer, audience, keys, now }), undefined);
  }
  const own = (): string => baseUrl() + ISSUER_PATH;
  const { clients: clientsFile, keys: keysFile } = config;
  const issuer = createDevelopmentIssuer({ audience, clientsFile, keysFile, issuer: own });
  return authenticationBy(createAccessTokens({ issuer: own, audience, keys: issuer.keys, now }), issuer);
}

function authenticationBy(tokens: AccessTokens, issuer: DevelopmentIssuer | undefined): Authentication {
  return {
    issuer,
    async check(authorization, scope) {
      const token = /^bearer +([\w.~+/-]+=*) *$/i.exec(authorization ?? '')?.[1];
      if (token === undefined)
        return refuse(
          'token-missing',
          `Send a header Authorization: Bearer and an access token with the scope ${scope}.`,
        );
      const access = await tokens.check(token);
      if (!access.ok || access.value.scopes.has(scope)) return access;
      const { client } = access.value;
      return refuse('scope-missing', `The access token of ${client} does not have the scope ${scope}.`, {
        details: { scope },
      });
    },
  };
}

/** The header `WWW-Authenticate` (RFC 6750 section 3) of a refusal by {@link Authentication}; undefined for one of another kind. */
export function challengeOf({ code, message }: Refusal, scope: Scope): string | undefined {
  const needed = `scope="${scope}"`;
  switch (code) {
    case 'token-missing':
      return `Bearer ${needed}`;
    case 'token-invalid':
      return `Bearer error="invalid_token", error_description="${message.replaceAll(/["\\]/g, '')}", ${needed}`;
    case 'scope-missing':
      return `Bearer error="insufficient_scope", ${needed}`;
    default:
      return undefined;
  }
}
