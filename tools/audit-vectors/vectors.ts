import { invalidFiles } from './invalid-files.ts';
import { validFiles } from './valid-files.ts';

/**
 * Every vector with its path below `test/vectors/audit`. Each evidence file is as the verifier takes it; `expect.json` beside them says what
 * was done to it, which network the reader trusts and what must be answered.
 */
export function vectors(): Map<string, string> {
  const files = new Map<string, string>();
  const valid: Record<string, object> = {};
  for (const [name, { what, verdict, evidence }] of Object.entries(validFiles())) {
    files.set(`valid/${name}.json`, `${JSON.stringify(evidence)}\n`);
    valid[name] = { what, network: evidence.network, verdict };
  }
  const invalid: Record<string, object> = {};
  for (const [name, { what, text, network, expect }] of Object.entries(invalidFiles)) {
    files.set(`invalid/${name}.json`, `${text}\n`);
    invalid[name] = { what, network, ...expect };
  }
  files.set('expect.json', `${JSON.stringify({ valid, invalid }, null, 2)}\n`);
  return files;
}
