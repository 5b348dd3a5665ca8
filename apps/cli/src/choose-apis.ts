import { givenToken, isPrivateWay, type TokenSource } from './access-token.ts';
import { createApiClient } from './api-client.ts';
import type { NamedApi, Options } from './command.ts';
import { fail, type Failure, type Outcome } from './failure.ts';
import { dispatcherOf, findProfile, type ProfileOrganisation, type ReadFile, tokensOf } from './profile.ts';

export type Choice = { readonly api: NamedApi['api']; readonly all: readonly NamedApi[] };
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whom to ask: the API that was named, the organisation that was named, or the profile's default; and for what concerns all, all of them. `--as`
 * says as which client of the profile; without it, and for an API that was named, `LINKSPAN_TOKEN` is the access token.
 */
export function chooseApis(
  options: Options,
  { env, folder, readFile }: { readonly env: Environment; readonly folder: string; readonly readFile: ReadFile },
): Outcome<Choice> {
  const { api: url, organisation, as, profile: named } = options;
  if (typeof url === 'string') {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      return fail('request-invalid', `"${url}" is no address of an API, such as http://127.0.0.1:9100.`);
    if (as !== undefined)
      return fail('request-invalid', '--as names a client of a profile, and --api is asked without one.');
    if (as !== undefined)
      return fail(
        'request-invalid',
        'Clients stand in a profile, and --api asks without one: --as does not go with it.',
      );
    const tokens = tokenIn(env, url);
    if (!tokens.ok) return tokens;
    const api = createApiClient(url, { tokens: tokens.value });
    return { ok: true, value: { api, all: [{ organisation: url, name: url, api }] } };
  }
  const found = findProfile(env, folder, readFile, typeof named === 'string' ? named : env['LINKSPAN_PROFILE']);
  if (!found.ok) return found;
  const profile = found.value;
  if (!profile)
    return fail(
      'ledger-unavailable',
      'Start the local network with `npm start`, or name an API with --api URL.',
      'There is no profile of a network',
    );
  const speaker = typeof organisation === 'string' ? organisation : profile.default;
  const known = Object.entries(profile.organisations);
  if (!known.some(([id]) => id === speaker))
    return fail(
      'not-found',
      `The profile has ${known.map(([id]) => id).join(', ')}.`,
      `The profile has no organisation ${speaker}`,
    );
  const all: NamedApi[] = [];
  for (const [id, entry] of known) {
    if (organisation !== undefined && id !== speaker) continue;
    const client = clientOf(id, entry, { as: typeof as === 'string' ? as : undefined, speaks: id === speaker }, env);
    if (!client.ok) return client;
    all.push({ organisation: id, name: entry.name, api: client.value });
  }
  const api = all.find((each) => each.organisation === speaker)?.api;
  if (!api) throw new Error('the organisation that speaks is among those that are known');
  return { ok: true, value: { api, all } };
}

function clientOf(
  id: string,
  entry: ProfileOrganisation,
  { as, speaks }: { readonly as: string | undefined; readonly speaks: boolean },
  env: Environment,
): Outcome<NamedApi['api']> {
  const dispatcher = dispatcherOf(entry);
  if (!dispatcher.ok) return dispatcher;
  // A token is as good as a password: it is shown to the organisation that it was given for, and to no other one.
  const given = as === undefined && speaks ? tokenIn(env, entry.api) : undefined;
  const isKnown = as !== undefined && Object.hasOwn(entry.access?.clients ?? {}, as);
  const client = speaks || isKnown ? as : undefined;
  const tokens = given && (!given.ok || given.value) ? given : tokensOf(id, entry, client, env, dispatcher.value);
  if (!tokens.ok) return tokens;
  return { ok: true, value: createApiClient(entry.api, { tokens: tokens.value, dispatcher: dispatcher.value }) };
}

/** The token that `LINKSPAN_TOKEN` holds, where there is one. */
function tokenIn(env: Environment, url: string): Outcome<TokenSource | undefined> {
  const token = env['LINKSPAN_TOKEN'];
  if (token === undefined || token === '') return { ok: true, value: undefined };
  return isPrivateWay(url)
    ? { ok: true, value: givenToken(token) }
    : fail('configuration-invalid', `LINKSPAN_TOKEN is not sent to ${url}: an access token needs https.`);
}

/** Whoever is asked gives the reason why there is nobody to ask. */
export function withoutApi(failed: { readonly ok: false; readonly failure: Failure }): Choice {
  const none = async (): Promise<typeof failed> => failed;
  return { api: { url: '', get: none, post: none, open: none, token: none }, all: [] };
}
