import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * By a draft that takes the name in one step: a crash or a full disk leaves no half of a file that a later start would trust. Only its owner reads it
 * unless the mode says otherwise.
 */
export function writeWhole(path: string, text: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.draft`;
  try {
    writeFileSync(draft, text, { mode });
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Writes a file with a secret and nothing else; gives its path. */
export function writeSecret(path: string, secret: string): string {
  writeWhole(path, `${secret}\n`);
  return path;
}

/** Writes a document that only its owner reads; gives its path. */
export function writeSecretJson(path: string, value: unknown): string {
  writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
  return path;
}
