import { readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bad, type Finding, good, warning } from './finding.ts';

const NODE_NEEDED = 24;
const MEBIBYTE = 1_048_576;
const LITTLE_SPACE = 1024 * MEBIBYTE;
const NO_SPACE = 128 * MEBIBYTE;

export function checkNode(version: string): Finding {
  return Number(version.split('.')[0]) >= NODE_NEEDED
    ? good('node', `Node ${version}`)
    : bad(
        'node',
        'configuration-invalid',
        `Node ${version} is too old.`,
        `Install Node ${NODE_NEEDED} or newer, then npm ci.`,
      );
}

/** The disk and the secret files of a data directory on this machine. */
export function checkFolder(folder: string): Finding[] {
  return [checkSpace(folder), ...checkSecrets(folder)];
}

function checkSpace(folder: string): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const words = `${Math.floor(free / MEBIBYTE).toLocaleString('en')} MiB are free where ${folder} is.`;
  const todo = 'A ledger that cannot write stops settling: make room, or move the data to a larger disk.';
  if (free < NO_SPACE) return bad('disk', 'storage-unavailable', words, todo);
  return free < LITTLE_SPACE ? warning('disk', words, todo) : good('disk', words);
}

/** Files that only their owner may read; what somebody else can read is no secret. */
function checkSecrets(folder: string): Finding[] {
  const secrets = filesIn(folder, DEEPEST).filter((file) => SECRET.test(file));
  if (secrets.length === 0) return [];
  const open = secrets.filter((file) => (statSync(file).mode & OTHERS) !== 0);
  if (open.length === 0)
    return [good('secrets', `${secrets.length} secret files in ${folder} can be read by their owner alone.`)];
  return [
    bad(
      'secrets',
      'configuration-invalid',
      `${open.length} of ${secrets.length} secret files can be read by others than their owner.`,
      ...open.map((file) => `chmod 600 ${file}`),
      'Whoever could read a key may have it: replace the keys if anyone else uses this machine.',
    ),
  ];
}

/** Any permission of the group or of others. */
const OTHERS = 0o077;
const DEEPEST = 3;
const SECRET =
  /(^|[/\\])(keys\.json|[^/\\]*\.keys\.json|secret|[^/\\]*\.secret|[^/\\]*\.key|[^/\\]*-key\.pem)$|[/\\]secrets[/\\]/;

function filesIn(folder: string, deepest: number): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return deepest > 0 ? filesIn(path, deepest - 1) : [];
      return entry.isFile() ? [path] : [];
    });
  } catch {
    // What this user may not look into holds no secret that this user must guard.
    return [];
  }
}

/** Where the local network keeps its ledger, below the folder of its profile; undefined where there is none. */
export function localLedger(profileFile: string): string | undefined {
  const ledger = join(dirname(profileFile), 'core-api', 'ledger');
  try {
    return statSync(join(ledger, 'ledger.db')).isFile() ? ledger : undefined;
  } catch {
    return undefined;
  }
}
