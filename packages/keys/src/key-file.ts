import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type CertificateKey, Fault, type PublicKey, type Signer, type SigningKey } from '@linkspan/protocol';
import { ed25519Signer } from './ed25519.ts';
import { readGuardedFile } from './guarded-file.ts';
import { secp256k1Signer } from './secp256k1.ts';

/** What a key file gives: signers, never the private keys themselves, so that nothing can print them. */
export type KeyFile = {
  readonly ed25519?: Signer<SigningKey>;
  readonly secp256k1?: Signer<CertificateKey>;
};

/** Private keys of 64 hexadecimal digits. */
export type PrivateKeys = { readonly ed25519?: string; readonly secp256k1?: string };

/**
 * Reads `{ "schema": "keys/1", "ed25519": { "key", "privateKey" }, "secp256k1": { "key", "privateKey" } }`, each key where there is one.
 * Throws a Fault `configuration-invalid` where the file is missing, is not of that form, can be read or written by others than its owner,
 * or names a public key that is not the private key's.
 */
export function readKeyFile(path: string): KeyFile {
  const document = parseObject(path, readGuardedFile(path, 'key file', 'secret'));
  const unknown = Object.keys(document).find((name) => !['schema', 'ed25519', 'secp256k1'].includes(name));
  if (unknown !== undefined) throw invalid(path, `has an unknown member "${unknown}"`);
  if (document['schema'] !== 'keys/1') throw invalid(path, 'is not of schema keys/1');
  const ed25519 = readEntry(path, 'ed25519', document['ed25519'], ed25519Signer);
  const secp256k1 = readEntry(path, 'secp256k1', document['secp256k1'], secp256k1Signer);
  if (!ed25519 && !secp256k1) throw invalid(path, 'holds no key');
  return { ...(ed25519 ? { ed25519 } : {}), ...(secp256k1 ? { secp256k1 } : {}) };
}

/**
 * Writes a new key file that only its owner can read, whole or not at all, and gives its signers. Throws a Fault `configuration-invalid`
 * where the path is taken: keys are never overwritten.
 */
export function writeKeyFile(path: string, keys: PrivateKeys): KeyFile {
  const ed25519 = keys.ed25519 === undefined ? undefined : ed25519Signer(keys.ed25519);
  const secp256k1 = keys.secp256k1 === undefined ? undefined : secp256k1Signer(keys.secp256k1);
  if (!ed25519 && !secp256k1) throw new Fault('configuration-invalid', 'A key file needs at least one key.');
  const document = {
    schema: 'keys/1',
    ...(ed25519 ? { ed25519: { key: ed25519.key, privateKey: keys.ed25519 } } : {}),
    ...(secp256k1 ? { secp256k1: { key: secp256k1.key, privateKey: keys.secp256k1 } } : {}),
  };
  writeNewFile(path, `${JSON.stringify(document, null, 2)}\n`);
  return { ...(ed25519 ? { ed25519 } : {}), ...(secp256k1 ? { secp256k1 } : {}) };
}

function writeNewFile(path: string, text: string): void {
  const draft = `${path}.${randomUUID()}.new`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // A link fails where the name is taken; a rename would silently replace somebody's keys.
    linkSync(draft, path);
    syncFolder(path);
  } catch (cause) {
    throw new Fault('configuration-invalid', `The key file ${path} cannot be written as a new file.`, { cause });
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A new name is durable once its folder is; Windows cannot open folders and does this by itself. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(`${path.slice(0, path.lastIndexOf('/') + 1)}.`, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function parseObject(path: string, text: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Without its cause: the parser's message quotes the text, and the text is secret.
    throw invalid(path, 'is not JSON');
  }
  if (!isObject(document)) throw invalid(path, 'is not a JSON object');
  return document;
}

function readEntry<K extends PublicKey>(
  path: string,
  name: string,
  entry: unknown,
  signerOf: (privateKey: string) => Signer<K>,
) {
  if (entry === undefined) return undefined;
  if (!isObject(entry)) throw invalid(path, `has no object at "${name}"`);
  const { key, privateKey } = entry;
  if (typeof key !== 'string' || typeof privateKey !== 'string' || Object.keys(entry).length !== 2) {
    throw invalid(path, `has not exactly "key" and "privateKey", both text, at "${name}"`);
  }
  const signer = signerOf(privateKey);
  if (signer.key !== key)
    throw invalid(path, `names ${key} at "${name}", but the private key there is of ${signer.key}`);
  return signer;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, what: string): Fault {
  return new Fault('configuration-invalid', `The key file ${path} ${what}.`);
}
