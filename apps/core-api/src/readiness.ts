import type { Ledger } from '@linkspan/ledger';
import { PATHS } from '@linkspan/plugin';
import { accept, ENDPOINTS, Fault, refuse, type Result } from '@linkspan/protocol';
import { request } from 'undici';
import type { OrganisationConfig } from './config.ts';
import type { Directory } from './directory.ts';

/** What an organisation needs to settle. `addresses` are the APIs of all organisations, its own included. */
export type Needed = {
  readonly organisation: string;
  readonly ledger: Ledger;
  readonly directory: Directory;
  readonly systems: OrganisationConfig['systems'];
  readonly addresses: Readonly<Record<string, string>>;
};

export type Readiness = () => Promise<Result<{ readonly ready: true; readonly missing: readonly string[] }>>;

/**
 * Asks everything that settling needs: the ledger with its genesis, enough validators of each own system, and a quorum of organisations. Refused as
 * `not-ready` with all that is missing. What is asked within a second is asked once.
 */
export function createReadiness(needed: Needed, now: () => number): Readiness {
  let last: { readonly at: number; readonly answer: ReturnType<Readiness> } | undefined;
  return () => {
    if (last && now() - last.at < REMEMBERED_MS) return last.answer;
    last = { at: now(), answer: ask(needed) };
    return last.answer;
  };
}

const REMEMBERED_MS = 1_000;
const PATIENCE_MS = 2_000;

type Lack = { readonly words: string; readonly isNeeded: boolean };

async function ask(needed: Needed): ReturnType<Readiness> {
  const ledger = await lackOfLedger(needed);
  const others = ledger.length > 0 ? [] : [lackOfValidators(needed), lackOfOrganisations(needed)];
  const lacks = [...ledger, ...(await Promise.all(others)).flat()];
  const missing = lacks.map(({ words }) => words);
  if (!lacks.some(({ isNeeded }) => isNeeded)) return accept({ ready: true, missing });
  return refuse('not-ready', missing.join(' '), { details: { missing } });
}

async function lackOfLedger({ ledger, directory }: Needed): Promise<Lack[]> {
  try {
    await Promise.all([ledger.height(), directory.known()]);
    return [];
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return [{ words: error.message, isNeeded: true }];
  }
}

async function lackOfValidators({ directory, systems }: Needed): Promise<Lack[]> {
  const { register } = await directory.known();
  const lacks = systems.map(async ({ id, validators }): Promise<Lack[]> => {
    const threshold = register.systems.find((system) => system.id === id)?.validators.threshold ?? validators.length;
    const answering = (await Promise.all(validators.map(({ url }) => answers(url, PATHS.health)))).filter(
      Boolean,
    ).length;
    if (answering === validators.length) return [];
    const words = `${answering} of ${validators.length} validators of ${id} answer, ${threshold} are needed.`;
    return [{ words, isNeeded: answering < threshold }];
  });
  return (await Promise.all(lacks)).flat();
}

async function lackOfOrganisations({ organisation, directory, addresses }: Needed): Promise<Lack[]> {
  const { genesis } = await directory.known();
  const others = genesis.organisations.map(({ id }) => id).filter((id) => id !== organisation);
  const silent = (
    await Promise.all(others.map(async (id) => ((await answers(addresses[id], ENDPOINTS.health.path)) ? [] : [id])))
  ).flat();
  const isNeeded = genesis.organisations.length - silent.length < genesis.quorum;
  return silent.map((id) => ({ words: `The API of ${id} gives no answer.`, isNeeded }));
}

async function answers(url: string | undefined, path: string): Promise<boolean> {
  if (url === undefined) return false;
  try {
    const { statusCode, body } = await request(url.replace(/\/$/, '') + path, {
      headersTimeout: PATIENCE_MS,
      bodyTimeout: PATIENCE_MS,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await body.dump();
    return statusCode < 300;
  } catch {
    // Whatever the reason, it gives no answer now.
    return false;
  }
}
