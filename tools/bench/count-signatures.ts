import crypto from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

/** Cryptographic work of one process: what a memo answered is not in it. */
export type SignatureCounts = {
  /** Ed25519: calls of organisations and statements of validators, each over a whole batch. */
  ed25519Signed: number;
  /** secp256k1: one for all certificates of a block. */
  secp256k1Signed: number;
  ed25519Verified: number;
  secp256k1Verified: number;
};

/** Where a process of the local network writes its counts when it is asked by SIGUSR2; unset in every other process. */
export const COUNTS_FOLDER = 'LINKSPAN_BENCH_COUNTS';

let isCounting = false;
const counts: SignatureCounts = { ed25519Signed: 0, secp256k1Signed: 0, ed25519Verified: 0, secp256k1Verified: 0 };

/** Counts from now on, in this process: it stands between the code under measurement and the two libraries that sign and verify. */
export function countSignatures(): Readonly<SignatureCounts> {
  if (isCounting) return counts;
  isCounting = true;
  const require = createRequire(new URL('../../packages/keys/package.json', import.meta.url));
  wrap(crypto, 'sign', 'ed25519Signed');
  wrap(crypto, 'verify', 'ed25519Verified');
  syncBuiltinESMExports();
  const secp256k1: unknown = require('secp256k1');
  if (typeof secp256k1 !== 'object' || secp256k1 === null) throw new Error('secp256k1 has another form');
  wrap(secp256k1, 'ecdsaSign', 'secp256k1Signed');
  wrap(secp256k1, 'ecdsaRecover', 'secp256k1Verified');
  return counts;
}

function wrap(library: object, name: string, counter: keyof SignatureCounts): void {
  const original: unknown = Reflect.get(library, name);
  if (typeof original !== 'function') throw new Error(`there is no ${name}`);
  const counted = (...values: unknown[]): unknown => {
    counts[counter] += 1;
    return Reflect.apply(original, library, values);
  };
  Reflect.set(library, name, counted);
}

const folder = process.env[COUNTS_FOLDER];
if (folder !== undefined) {
  countSignatures();
  process.on('SIGUSR2', () => writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(counts)));
}
