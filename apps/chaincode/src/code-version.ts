import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What decides on the ledger: the words, the settlement machine, the contract, which signatures hold, and how it is run for a peer. */
const CONTRACT = import.meta.resolve('@linkspan/contract');
const PARTS = {
  protocol: import.meta.resolve('@linkspan/protocol'),
  // What only the contract uses lies beside it.
  scenario: new URL('../../scenario/src/index.ts', CONTRACT).href,
  contract: CONTRACT,
  keys: import.meta.resolve('@linkspan/keys'),
  chaincode: import.meta.url,
};
/** What of others it is run with, each found from the part that loads it. */
const PACKAGES = [
  { name: 'zod', entry: 'zod', from: PARTS.protocol },
  { name: '@noble/hashes', entry: '@noble/hashes/sha2.js', from: PARTS.protocol },
  { name: 'secp256k1', entry: 'secp256k1', from: PARTS.keys },
  { name: 'fabric-shim', entry: 'fabric-shim', from: PARTS.chaincode },
] as const;
const LENGTH = 16;

/**
 * The first 16 hexadecimal digits of a hash over all that organisations must run alike, the same wherever it is installed: this code, the versions of the
 * packages that it loads, and Node's major version. What those packages load themselves is fixed by their versions and the lock file, and not looked at.
 */
export function codeVersion(): string {
  const hash = createHash('sha256');
  for (const { name, content } of codeParts()) hash.update(`${name} ${content.length}\n`).update(content);
  return hash.digest('hex').slice(0, LENGTH);
}

/** Everything that a version stands for, by name. */
export function codeParts(): readonly { readonly name: string; readonly content: Uint8Array }[] {
  const files = Object.entries(PARTS).flatMap(([part, url]) => {
    const folder = dirname(fileURLToPath(url));
    return globSync('**/*.ts', { cwd: folder })
      .filter((file) => !file.endsWith('.test.ts') && basename(file) !== TEST_HELPER)
      .toSorted()
      .map((file) => ({ name: `${part}/${file.replaceAll('\\', '/')}`, content: readFileSync(join(folder, file)) }));
  });
  const versions = PACKAGES.map(({ name, entry, from }) => ({
    name,
    content: Buffer.from(versionOf(name, entry, from)),
  }));
  const [major = ''] = process.versions.node.split('.');
  return [...files, ...versions, { name: 'node', content: Buffer.from(major) }];
}

const TEST_HELPER = 'fake-peer.ts';

/** Most packages do not let their package.json be resolved, so it is looked for above what they do. */
function versionOf(name: string, entry: string, from: string): string {
  const resolved = createRequire(from).resolve(entry);
  for (let folder = dirname(resolved); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    const found: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
    if (typeof found !== 'object' || found === null || !('name' in found) || found.name !== name) continue;
    if ('version' in found && typeof found.version === 'string') return found.version;
  }
  throw new TypeError(`${name} is installed without a version`);
}
