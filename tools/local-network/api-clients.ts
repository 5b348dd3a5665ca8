import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenSource } from '../../apps/cli/src/access-token.ts';
import { OPERATOR } from '../../apps/cli/src/product/api-clients.ts';
import { findProfile, tokensOf } from '../../apps/cli/src/profile.ts';

/** Gives an access token, or throws a {@link NoToken} where its issuer gives no answer. */
export type Tokens = () => Promise<string>;

/** The issuer of access tokens gave no answer, perhaps because its process was taken down: it may be asked again. */
export class NoToken extends Error {
  override readonly name = 'NoToken';
}

/** Access tokens of an organisation of the local network, as any client gets them: by the profile in the data directory. */
export function apiTokens(data: string, organisation: string, client = OPERATOR): Tokens {
  let source: TokenSource | undefined;
  return async () => {
    source ??= openSource(data, organisation, client);
    const token = await source.token();
    if (token.ok) return token.value;
    const { title, detail } = token.failure;
    throw new NoToken(`${title}. ${detail}`);
  };
}

function openSource(data: string, organisation: string, client: string): TokenSource {
  const path = join(data, 'profile.json');
  const profile = findProfile({}, data, (file) => readFileSync(file, 'utf8'), path);
  const known = profile.ok ? profile.value?.organisations[organisation] : undefined;
  const tokens = known && tokensOf(organisation, known, client, {});
  if (!tokens?.ok || !tokens.value) throw new Error(`${path} has no client ${client} of ${organisation}.`);
  return tokens.value;
}
