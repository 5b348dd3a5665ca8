import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Fault } from '@linkspan/protocol';

/** Fabric's programs that a network needs, by the folder that holds them. */
const PROGRAMS = ['configtxgen', 'configtxlator', 'orderer', 'peer'] as const;
export type FabricProgram = (typeof PROGRAMS)[number];
export type FabricPrograms = { readonly [P in FabricProgram]: string };

/** The release that `tools/fabric/go.mod` pins. */
const VERSION = 'v3.1.1';
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const BUILD_TIMEOUT_MS = 30 * 60_000;
const LOOK_EVERY_MS = 200;
const NEITHER =
  'A Fabric network needs Fabric 3.1: set FABRIC_BIN to a folder with its programs, or install Go (https://go.dev), with which they are built here.';

/** Where built programs are kept, unless a test keeps its own. */
const CACHE = join(ROOT, 'node_modules/.cache/linkspan/fabric', `${VERSION}-${process.platform}-${process.arch}`);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fabric's programs: from `FABRIC_BIN` where it is set, otherwise built once with Go from the pinned source and kept in
 * `node_modules/.cache`. Throws a Fault `configuration-invalid` with one sentence where there is neither.
 */
export async function fabricPrograms(
  env: Environment,
  say: (line: string) => void,
  cache: string = CACHE,
): Promise<FabricPrograms> {
  const given = env['FABRIC_BIN'];
  if (given) {
    const missing = missingPrograms(given);
    if (missing.length === 0) return programsIn(given);
    throw new Fault('configuration-invalid', `FABRIC_BIN names ${given}, which lacks ${missing.join(', ')}.`);
  }
  if (missingPrograms(cache).length === 0) return programsIn(cache);
  if (!(await hasGo(env))) throw new Fault('configuration-invalid', NEITHER);
  say(`Building Fabric ${VERSION} with Go, once; this takes a minute or two.`);
  await build(cache, env);
  return programsIn(cache);
}

/** Whether programs are there or could be built. */
export async function canHavePrograms(env: Environment): Promise<boolean> {
  const folder = env['FABRIC_BIN'] ?? CACHE;
  return missingPrograms(folder).length === 0 || (!env['FABRIC_BIN'] && (await hasGo(env)));
}

async function hasGo(env: Environment): Promise<boolean> {
  try {
    await promisify(execFile)('go', ['version'], { env: { ...env } });
    return true;
  } catch {
    return false;
  }
}

/** Builds beside the cache and moves the result there whole, so that a build that was interrupted leaves nothing that looks finished. */
async function build(cache: string, env: Environment): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const lock = await lockBuild(cache);
  if (lock === undefined) return;
  const folder = `${cache}.${process.pid}`;
  try {
    await promisify(execFile)('go', ['build', '-trimpath', '-o', `${folder}/`, 'tool'], {
      cwd: join(ROOT, 'tools/fabric'),
      env: { ...env, CGO_ENABLED: '0' },
      timeout: BUILD_TIMEOUT_MS,
      maxBuffer: 2 ** 26,
    });
    for (const program of PROGRAMS) renameSync(join(folder, program), join(cache, program));
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    const last = said.split('\n').slice(-3).join(' ');
    throw new Fault('configuration-invalid', `Go could not build Fabric ${VERSION}: ${last}`, { cause });
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(lock, { recursive: true, force: true });
  }
}

/** Lets one process build and the others wait for it; undefined once another one has built. */
async function lockBuild(cache: string): Promise<string | undefined> {
  const lock = `${cache}.lock`;
  for (;;) {
    try {
      mkdirSync(lock);
      if (missingPrograms(cache).length > 0) return lock;
      rmSync(lock, { recursive: true });
      return undefined;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const ageMs = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (ageMs > BUILD_TIMEOUT_MS) rmSync(lock, { recursive: true, force: true });
    await delay(LOOK_EVERY_MS);
  }
}

function programsIn(folder: string): FabricPrograms {
  const at = (program: FabricProgram): string => join(folder, program);
  return {
    configtxgen: at('configtxgen'),
    configtxlator: at('configtxlator'),
    orderer: at('orderer'),
    peer: at('peer'),
  };
}

function missingPrograms(folder: string): FabricProgram[] {
  return PROGRAMS.filter((program) => !existsSync(join(folder, program)));
}
