import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Sources } from './faults-page.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Every TypeScript file of the code and its tests, by its path in the repository, in order. */
export function readSources(): Sources {
  const paths = ['apps', 'packages', 'systems', 'test', 'tools'].flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .map((file) => `${folder}/${file}`.replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.ts') && !/(^|\/)(node_modules|compiled|var)\//.test(file)),
  );
  return new Map(paths.toSorted().map((path) => [path, readFileSync(`${ROOT}${path}`, 'utf8')]));
}
