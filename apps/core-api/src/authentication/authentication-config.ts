import { type ConfigurationContext, type DocumentReader, readUrl } from '@linkspan/plugin';

/** Whose access tokens an organisation's API accepts, and for which audience they must be made. */
export type AuthenticationConfig =
  | { readonly kind: 'issuer'; readonly issuer: string; readonly audience: string; readonly jwks: string }
  | { readonly kind: 'development'; readonly audience: string; readonly clients: string; readonly keys: string };

/**
 * Reads the member `authentication` of an organisation: `{ kind: "issuer", issuer: URL, audience, jwks: URL }`, or in development
 * `{ kind: "development", clients: FILE, keys: FILE, audience? }`, where the API issues its own tokens to the clients of a file and keeps its keys
 * in another. Outside development the issuer must be another program, reached by TLS.
 */
export function readAuthentication(
  reader: DocumentReader,
  context: Pick<ConfigurationContext, 'mode' | 'at'>,
  organisation: string,
): AuthenticationConfig {
  const { mode, at } = context;
  const kind = reader.choice('kind', ['issuer', 'development']);
  if (kind === 'development') {
    if (mode !== 'development')
      reader.fail(
        'kind',
        'The development issuer keeps the secrets of all its clients in one file: it runs in development only. Name the issuer of this organisation with "issuer", "audience" and "jwks".',
      );
    const audience = reader.optionalText('audience') ?? `urn:linkspan:${organisation}`;
    return { kind, audience, clients: at(reader.text('clients')), keys: at(reader.text('keys')) };
  }
  return {
    kind,
    issuer: readUrl(reader, 'issuer', context),
    audience: reader.text('audience'),
    jwks: readUrl(reader, 'jwks', context),
  };
}
