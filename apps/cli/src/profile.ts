import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readGuardedFile } from '@linkspan/keys';
import { Fault } from '@linkspan/protocol';
import { Agent, type Dispatcher } from 'undici';
import { createTokenSource, isPrivateWay, type TokenSource } from './access-token.ts';
import { fail, isObject, type Outcome } from './failure.ts';

/** Where the APIs of a network are and as whom they are asked. The local network writes one when it starts. */
export type Profile = {
  readonly network: string;
  /** The organisation that speaks where none is named. */
  readonly default: string;
  readonly organisations: Readonly<Record<string, ProfileOrganisation>>;
};

export type ProfileOrganisation = {
  readonly name: string;
  readonly api: string;
  readonly access?: ProfileAccess | undefined;
  readonly tls?: ProfileTls | undefined;
};

/** Clients of an issuer of access tokens by their ids, each with the file or the environment variable that holds its secret. */
export type ProfileAccess = {
  readonly issuer?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  /** Who acts where nobody is named. */
  readonly clientId: string;
  readonly clients: Readonly<Record<string, { readonly secretFile: string } | { readonly secretEnv: string }>>;
};

/** Authorities that are believed besides those of every program, and what is presented where the API or its issuer asks for a certificate. */
export type ProfileTls = { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };

/** Gives a file's text, or undefined where there is none; throws where it cannot be read. */
export type ReadFile = (path: string) => string | undefined;
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The profile that is named, or that `LINKSPAN_PROFILE` names, or the nearest `var/profile.json` in this folder and those above it; undefined where
 * there is none. It holds `{ "network", "default", "organisations": { ID: { "name", "api": URL, "access"?: { "issuer": URL | "tokenEndpoint": URL,
 * "clientId", "clients": { ID: { "secretFile": FILE } | { "secretEnv": NAME } } }, "tls"?: { "caFile"?, "certFile"?, "keyFile"? } } } }`. Files are
 * relative to its folder; it holds no secret itself.
 */
export function findProfile(
  env: Environment,
  folder: string,
  readFile: ReadFile,
  named: string | undefined = env['LINKSPAN_PROFILE'],
): Outcome<Profile | undefined> {
  if (named !== undefined && named !== '') {
    const path = resolve(folder, named);
    const text = readFile(path);
    return text === undefined
      ? fail('configuration-invalid', `There is no profile ${path}.`)
      : parseProfile(path, text);
  }
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, 'var', 'profile.json');
    const text = readFile(path);
    if (text !== undefined) return parseProfile(path, text);
    if (dirname(at) === at) return { ok: true, value: undefined };
  }
}

/** The way to an organisation's API and its issuer, where it has certificates of its own. */
export function dispatcherOf({ tls }: ProfileOrganisation): Outcome<Dispatcher | undefined> {
  if (!tls) return { ok: true, value: undefined };
  const { caFile, certFile, keyFile } = tls;
  return reading(() => ({
    ok: true,
    value: new Agent({
      connect: {
        ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }),
        ...(certFile === undefined ? {} : { cert: readFileSync(certFile, 'utf8') }),
        ...(keyFile === undefined ? {} : { key: readGuardedFile(keyFile, 'private key', 'secret') }),
      },
    }),
  }));
}

/** Access tokens for an organisation's API as one of its clients; undefined where the profile knows none. */
export function tokensOf(
  organisation: string,
  { access, api }: ProfileOrganisation,
  actAs: string | undefined,
  env: Environment,
  dispatcher?: Dispatcher,
): Outcome<TokenSource | undefined> {
  if (!access) {
    if (actAs === undefined) return { ok: true, value: undefined };
    return fail('request-invalid', `The profile has no clients of ${organisation}, so nobody can act as ${actAs}.`);
  }
  if (!isPrivateWay(api)) return fail('configuration-invalid', `Access tokens are sent to ${api}, so it needs https.`);
  const clientId = actAs ?? access.clientId;
  const client = Object.hasOwn(access.clients, clientId) ? access.clients[clientId] : undefined;
  if (!client)
    return fail(
      'not-found',
      `The profile has ${Object.keys(access.clients).join(', ')}.`,
      `${organisation} has no client ${clientId}`,
    );
  const secret = (): Outcome<string> => readSecret(client, env);
  const { issuer, tokenEndpoint } = access;
  return { ok: true, value: createTokenSource({ clientId, secret, issuer, tokenEndpoint, dispatcher }) };
}

function readSecret(client: ProfileAccess['clients'][string], env: Environment): Outcome<string> {
  if ('secretFile' in client)
    return reading(() => ({ ok: true, value: readGuardedFile(client.secretFile, 'secret', 'secret').trimEnd() }));
  const value = env[client.secretEnv];
  return value === undefined || value === ''
    ? fail('configuration-invalid', `The secret is expected in the environment variable ${client.secretEnv}.`)
    : { ok: true, value };
}

function reading<T>(read: () => Outcome<T>): Outcome<T> {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault || (error instanceof Error && 'code' in error))
      return fail('configuration-invalid', error.message);
    throw error;
  }
}

function parseProfile(path: string, text: string): Outcome<Profile> {
  const profile = toProfile(parseJson(text), dirname(path));
  return profile ? { ok: true, value: profile } : fail('configuration-invalid', `${path} is no profile of a network.`);
}

function toProfile(value: unknown, folder: string): Profile | undefined {
  if (!isObject(value)) return undefined;
  const { network, default: chosen, organisations } = value;
  if (typeof network !== 'string' || typeof chosen !== 'string' || !isObject(organisations)) return undefined;
  const known: Record<string, ProfileOrganisation> = {};
  for (const [id, organisation] of Object.entries(organisations)) {
    const read = toOrganisation(organisation, folder);
    if (!read) return undefined;
    known[id] = read;
  }
  return { network, default: chosen, organisations: known };
}

function toOrganisation(value: unknown, folder: string): ProfileOrganisation | undefined {
  if (!isObject(value)) return undefined;
  const { name, api, access, tls } = value;
  if (typeof name !== 'string' || typeof api !== 'string' || !isAddress(api)) return undefined;
  const [readAccess, readTls] = [toAccess(access, folder), toTls(tls, folder)];
  if ((access !== undefined && !readAccess) || (tls !== undefined && !readTls)) return undefined;
  return { name, api, ...(readAccess ? { access: readAccess } : {}), ...(readTls ? { tls: readTls } : {}) };
}

function toAccess(value: unknown, folder: string): ProfileAccess | undefined {
  if (!isObject(value)) return undefined;
  const { issuer, tokenEndpoint, clientId, clients } = value;
  const address = tokenEndpoint ?? issuer;
  if (typeof address !== 'string' || !isAddress(address) || typeof clientId !== 'string' || !isObject(clients))
    return undefined;
  const known: Record<string, ProfileAccess['clients'][string]> = {};
  for (const [id, client] of Object.entries(clients)) {
    if (!isObject(client)) return undefined;
    const { secretFile, secretEnv } = client;
    if (typeof secretFile === 'string') known[id] = { secretFile: resolve(folder, secretFile) };
    else if (typeof secretEnv === 'string') known[id] = { secretEnv };
    else return undefined;
  }
  return typeof tokenEndpoint === 'string'
    ? { tokenEndpoint, clientId, clients: known }
    : { issuer: address, clientId, clients: known };
}

function toTls(value: unknown, folder: string): ProfileTls | undefined {
  if (!isObject(value)) return undefined;
  const files = Object.entries(value);
  if (files.some(([name, file]) => !['caFile', 'certFile', 'keyFile'].includes(name) || typeof file !== 'string'))
    return undefined;
  return Object.fromEntries(files.map(([name, file]) => [name, resolve(folder, String(file))]));
}

function isAddress(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
