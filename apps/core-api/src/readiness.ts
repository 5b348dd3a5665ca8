import { basename } from 'node:path';
import type { Ledger } from '@linkspan/ledger';
import type { FilesState } from '@linkspan/keys';
import { type HttpPool, openValidatorPool, PATHS } from '@linkspan/plugin';
import { accept, Fault, refuse, type Result } from '@linkspan/protocol';
import type { OrganisationConfig } from './config.ts';
import type { Directory } from './directory.ts';
import type { HttpPeers } from './http-peers.ts';

/** What an organisation needs to settle. */
export type Needed = {
  readonly organisation: string;
  readonly ledger: Ledger;
  readonly directory: Directory;
  readonly systems: OrganisationConfig['systems'];
  readonly peers: Pick<HttpPeers, 'answers'>;
  /** The files that may be renewed, where there are any. */
  readonly files: (() => FilesState) | undefined;
  /** The certificates that the organisation presents; the process may have others, of other organisations. */
  readonly certificateFiles: readonly string[];
};

type Ready = { readonly ready: true; readonly missing: readonly string[] };

export type Readiness = () => Promise<Result<Ready>>;

/**
 * Asks everything that settling needs: the ledger with its genesis, enough validators of each own system, and a quorum of organisations. Refused as
 * `not-ready` with all that is missing. Certificates that end soon and files that could not be renewed are named, and are nothing that is missing
 * yet. What is asked within a second is asked once. Closes its connections when disposed.
 */
export function createReadiness(needed: Needed, now: () => number): AsyncDisposable & { readonly ask: Readiness } {
  const validators = needed.systems.flatMap((system) => system.validators);
  // A validator that is asked under two keys is one.
  const endpoints = new Map(validators.map((one) => [one.url, one]));
  const pools = new Map([...endpoints].map(([url, one]) => [url, openValidatorPool(one, 1)]));
  let last: { readonly at: number; readonly answer: Promise<Result<Ready>> } | undefined;
  return {
    ask() {
      if (last && now() - last.at < REMEMBERED_MS) return last.answer;
      last = { at: now(), answer: ask(needed, pools, now()) };
      return last.answer;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

const REMEMBERED_MS = 1_000;
const PATIENCE_MS = 2_000;
const DAY_MS = 86_400_000;
/** Long enough for people to renew a certificate in working hours. */
const SOON_MS = 14 * DAY_MS;

type Pools = ReadonlyMap<string, HttpPool>;

type Lack = { readonly words: string; readonly isNeeded: boolean };

async function ask(needed: Needed, pools: Pools, nowMs: number): Promise<Result<Ready>> {
  const ledger = await lackOfLedger(needed);
  const others = ledger.length > 0 ? [] : [lackOfValidators(needed, pools), lackOfOrganisations(needed)];
  const lacks = [...ledger, ...(await Promise.all(others)).flat(), ...troubleWithFiles(needed, nowMs)];
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

async function lackOfValidators({ directory, systems }: Needed, pools: Pools): Promise<Lack[]> {
  const { register } = await directory.known();
  const lacks = systems.map(async ({ id, validators }): Promise<Lack[]> => {
    const threshold = register.systems.find((system) => system.id === id)?.validators.threshold ?? validators.length;
    const urls = [...new Set(validators.map(({ url }) => url))];
    const asked = await Promise.all(urls.map((url) => answers(pools.get(url))));
    const answering = asked.filter(Boolean).length;
    if (answering === urls.length) return [];
    const words = `${answering} of ${urls.length} validators of ${id} answer, ${threshold} are needed.`;
    return [{ words, isNeeded: answering < threshold }];
  });
  return (await Promise.all(lacks)).flat();
}

async function lackOfOrganisations({ organisation, ledger, peers }: Needed): Promise<Lack[]> {
  const network = await ledger.evaluate('network', {});
  if (!network.ok || !network.value) return [{ words: 'The ledger has no genesis yet.', isNeeded: true }];
  const { current } = network.value;
  const others = current.members.map((member) => member.organisation).filter((id) => id !== organisation);
  const silent = (await Promise.all(others.map(async (id) => ((await peers.answers(id)) ? [] : [id])))).flat();
  const isNeeded = current.members.length - silent.length < current.quorum;
  return silent.map((id) => ({ words: `The API of ${id} gives no answer.`, isNeeded }));
}

/**
 * A certificate that is presented in several places is named once. Anybody may ask whether the process is ready, so the log alone says where the
 * files lie.
 */
export function troubleWithFiles(
  { files, certificateFiles }: Pick<Needed, 'files' | 'certificateFiles'>,
  nowMs: number,
): Lack[] {
  const { broken = [], certificates = [] } = files?.() ?? {};
  const ends = new Map(certificates.map(({ file, endsAtMs }) => [file, endsAtMs]));
  const words = certificateFiles
    .map((file) => ({ file, endsAtMs: ends.get(file) ?? Infinity }))
    .filter(({ endsAtMs }) => endsAtMs - nowMs < SOON_MS)
    .map(({ file, endsAtMs }) => {
      const days = Math.max(0, Math.floor((endsAtMs - nowMs) / DAY_MS));
      return `The certificate ${basename(file)} ends in ${days} days, on ${new Date(endsAtMs).toISOString()}: renew it.`;
    });
  if (broken.length > 0) words.push('A renewed file cannot be used and the former one stays in use: the log says why.');
  return words.map((each) => ({ words: each, isNeeded: false }));
}

async function answers(pool: HttpPool | undefined): Promise<boolean> {
  try {
    const response = await pool?.request({
      path: PATHS.health,
      method: 'GET',
      headersTimeout: PATIENCE_MS,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await response?.body.dump();
    return response !== undefined && response.statusCode < 300;
  } catch {
    // Whatever the reason, it gives no answer now.
    return false;
  }
}
