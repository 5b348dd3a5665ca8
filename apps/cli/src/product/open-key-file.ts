import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  generateEd25519PrivateKey,
  generateSecp256k1PrivateKey,
  type KeyFile,
  readKeyFile,
  writeKeyFile,
} from '@linkspan/keys';

/** Reads a key file, made with new keys where there is none. */
export function openKeyFile(path: string, kinds: readonly ('ed25519' | 'secp256k1')[]): KeyFile {
  if (existsSync(path)) return readKeyFile(path);
  mkdirSync(dirname(path), { recursive: true });
  return writeKeyFile(path, {
    ...(kinds.includes('ed25519') ? { ed25519: generateEd25519PrivateKey() } : {}),
    ...(kinds.includes('secp256k1') ? { secp256k1: generateSecp256k1PrivateKey() } : {}),
  });
}
