import type { IncomingMessage, ServerResponse } from 'node:http';
import { SCOPE_NAMES } from '@linkspan/protocol';
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose';
import type { Adapter, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { readDevelopmentClients } from './development-clients.ts';
import { type IssuerKey, readOrMakeIssuerKeys } from './issuer-keys.ts';

/** An issuer of access tokens inside the API itself: for one's own machine, never for others. */
export type DevelopmentIssuer = {
  /** Its public keys, for whoever checks its tokens in this process. */
  readonly keys: JWTVerifyGetKey;
  /** What answers requests below its address. The first time this loads the library. */
  open(): Promise<(request: IncomingMessage, response: ServerResponse) => void>;
};

export type DevelopmentIssuerOptions = {
  readonly audience: string;
  readonly clientsFile: string;
  readonly keysFile: string;
  /** Its own address, which is known when the API listens. */
  readonly issuer: () => string;
};

/** Where the issuer is, below the address of its API. */
export const ISSUER_PATH = '/oauth';

/** How long its tokens live. */
export const TOKEN_SECONDS = 600;

/**
 * Reads clients and keys at once, so that a mistake is told at start, and loads the library when the first token is asked for: most starts of an API
 * are none of its business. Throws a Fault `configuration-invalid` for files that cannot be used.
 */
export function createDevelopmentIssuer(options: DevelopmentIssuerOptions): DevelopmentIssuer {
  const clients = readDevelopmentClients(options.clientsFile);
  const keys = readOrMakeIssuerKeys(options.keysFile);
  let opened: ReturnType<typeof open> | undefined;

  async function open() {
    const { Provider } = await import('oidc-provider');
    const provider = new Provider(options.issuer(), {
      adapter: REMEMBERS_NOTHING,
      clients: clients.map(({ id, secret, scopes }) => ({
        client_id: id,
        client_secret: secret,
        scope: scopes.join(' '),
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
      jwks: { keys: keys.map((key) => ({ ...key })) },
      scopes: [...SCOPE_NAMES],
      clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
      clientDefaults: { id_token_signed_response_alg: 'EdDSA' },
      ttl: { ClientCredentials: TOKEN_SECONDS },
      features: {
        ...ONLY_CLIENT_CREDENTIALS,
        resourceIndicators: {
          enabled: true,
          defaultResource: () => options.audience,
          getResourceServerInfo: (context) => {
            grantAllByDefault(context);
            return {
              scope: SCOPE_NAMES.join(' '),
              audience: options.audience,
              accessTokenFormat: 'jwt',
              accessTokenTTL: TOKEN_SECONDS,
              jwt: { sign: { alg: 'EdDSA', kid: keys[0].kid } },
            };
          },
        },
      },
      responseTypes: ['none'],
      routes: { token: '/token', jwks: '/jwks' },
      renderError: (context, error) => {
        context.type = 'json';
        context.body = error;
      },
    });
    const answer = provider.callback();
    return (request: IncomingMessage, response: ServerResponse): void => {
      // The library finds the issuer's own path by what the original address has before this one.
      Object.assign(request, { originalUrl: request.url, url: request.url?.slice(ISSUER_PATH.length) });
      void answer(request, response);
    };
  }

  return {
    keys: createLocalJWKSet({ keys: keys.map(publicPart) }),
    open: () => (opened ??= open()),
  };
}

const ONLY_CLIENT_CREDENTIALS: NonNullable<Configuration['features']> = {
  clientCredentials: { enabled: true },
  devInteractions: { enabled: false },
  dPoP: { enabled: false },
  pushedAuthorizationRequests: { enabled: false },
  rpInitiatedLogout: { enabled: false },
  userinfo: { enabled: false },
};

function publicPart({ kty, crv, x, kid, alg, use }: IssuerKey): Omit<IssuerKey, 'd'> {
  return { kty, crv, x, kid, alg, use };
}

/** RFC 6749 section 3.3: without a scope the issuer grants its default, which is all that the client may have. */
function grantAllByDefault({ oidc }: KoaContextWithOIDC): void {
  const scope = oidc.client?.scope;
  if (oidc.params && oidc.params['scope'] === undefined && scope) oidc.params['scope'] = scope;
}

/** Tokens of this kind prove themselves, so there is nothing to store. */
const REMEMBERS_NOTHING = class implements Adapter {
  async upsert(): Promise<void> {}
  async find(): Promise<undefined> {}
  async findByUserCode(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
};
