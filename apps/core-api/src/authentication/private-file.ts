import { existsSync } from 'node:fs';
import { readGuardedFile } from '@linkspan/keys';
import { Fault } from '@linkspan/protocol';

/**
 * The JSON object in a file that nobody but its owner can use; undefined where there is no such file. Throws a Fault `configuration-invalid` where others
 * can use it, or it is no JSON object. Messages never quote the content.
 */
export function readPrivateJson(path: string, what: string): Readonly<Record<string, unknown>> | undefined {
  if (!existsSync(path)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readGuardedFile(path, what, 'secret'));
  } catch (error) {
    if (error instanceof Fault) throw error;
    // Without its cause: the parser's message quotes the text, and the text is secret.
    throw new Fault('configuration-invalid', `The ${what} ${path} is not JSON.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault('configuration-invalid', `The ${what} ${path} holds no JSON object.`);
  return { ...value };
}
