import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vectors } from './vectors.ts';

/** Writes `test/vectors/audit` anew: node tools/audit-vectors/write.ts */
const folder = fileURLToPath(new URL('../../test/vectors/audit', import.meta.url));
rmSync(folder, { recursive: true, force: true });
for (const [name, text] of vectors()) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
