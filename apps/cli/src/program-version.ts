import { readFileSync } from 'node:fs';
import { isObject } from './failure.ts';

/** The version in the package of this program, such as `0.1.0`. */
export function programVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed) || typeof parsed['version'] !== 'string') throw new Error('package.json has no version');
  return parsed['version'];
}
