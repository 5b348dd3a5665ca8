import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
const LENGTH = 16;

/** The first 16 hexadecimal digits of a hash over all code that organisations must run alike, the same wherever it is installed. */
export function codeVersion(): string {
  const hash = createHash('sha256');
  for (const [part, url] of Object.entries(PARTS)) {
    const folder = dirname(fileURLToPath(url));
    const files = globSync('**/*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'));
    for (const file of files.toSorted()) {
      const content = readFileSync(join(folder, file));
      hash.update(`${part}/${file.replaceAll('\\', '/')} ${content.length}\n`).update(content);
    }
  }
  return hash.digest('hex').slice(0, LENGTH);
}
