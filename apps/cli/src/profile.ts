import { dirname, join, resolve } from 'node:path';
import { fail, isObject, type Outcome } from './failure.ts';

/** Where the APIs of a network are. The local network writes one when it starts. */
export type Profile = {
  readonly network: string;
  /** The organisation that speaks where none is named. */
  readonly default: string;
  readonly organisations: Readonly<Record<string, { readonly name: string; readonly api: string }>>;
};

/** Gives a file's text, or undefined where there is none; throws where it cannot be read. */
export type ReadFile = (path: string) => string | undefined;

/**
 * The profile that `LINKSPAN_PROFILE` names, or the nearest `var/profile.json` in this folder and those above it; undefined where there is none.
 * It holds `{ "network", "default", "organisations": { ID: { "name", "api": URL } } }`.
 */
export function findProfile(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
  readFile: ReadFile,
): Outcome<Profile | undefined> {
  const named = env['LINKSPAN_PROFILE'];
  if (named !== undefined && named !== '') {
    const path = resolve(folder, named);
    const text = readFile(path);
    return text === undefined
      ? fail('configuration-invalid', `LINKSPAN_PROFILE names ${path}, which does not exist.`)
      : parseProfile(path, text);
  }
  for (let at = resolve(folder); ; at = dirname(at)) {
    const path = join(at, 'var', 'profile.json');
    const text = readFile(path);
    if (text !== undefined) return parseProfile(path, text);
    if (dirname(at) === at) return { ok: true, value: undefined };
  }
}

function parseProfile(path: string, text: string): Outcome<Profile> {
  const profile = toProfile(parseJson(text));
  return profile ? { ok: true, value: profile } : fail('configuration-invalid', `${path} is no profile of a network.`);
}

function toProfile(value: unknown): Profile | undefined {
  if (!isObject(value)) return undefined;
  const { network, default: chosen, organisations } = value;
  if (typeof network !== 'string' || typeof chosen !== 'string' || !isObject(organisations)) return undefined;
  const known: Record<string, { name: string; api: string }> = {};
  for (const [id, organisation] of Object.entries(organisations)) {
    if (!isObject(organisation)) return undefined;
    const { name, api } = organisation;
    if (typeof name !== 'string' || typeof api !== 'string' || !URL.canParse(api)) return undefined;
    known[id] = { name, api };
  }
  return { network, default: chosen, organisations: known };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
