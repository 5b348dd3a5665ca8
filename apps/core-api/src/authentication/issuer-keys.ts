import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Fault } from '@linkspan/protocol';
import { readPrivateJson } from './private-file.ts';

/** An Ed25519 key as a JSON Web Key (RFC 8037), with its private part. */
export type IssuerKey = {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly d: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
};

/**
 * The development issuer's keys, from its file `{ "keys": [JWK, …] }`; the first one signs. Where there is no file yet one is made, for its owner alone.
 * Throws a Fault `configuration-invalid` where it cannot be used.
 */
export function readOrMakeIssuerKeys(path: string): readonly [IssuerKey, ...IssuerKey[]] {
  const document = readPrivateJson(path, 'key file');
  if (!document) return [makeIssuerKey(path)];
  const keys: unknown[] = Array.isArray(document['keys']) ? document['keys'] : [];
  const [first, ...rest] = keys.map((key) => {
    if (isIssuerKey(key)) return key;
    throw new Fault('configuration-invalid', `${path} holds something else than Ed25519 keys.`);
  });
  if (!first) throw new Fault('configuration-invalid', `${path} holds no key.`);
  return [first, ...rest];
}

function makeIssuerKey(path: string): IssuerKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const key: unknown = { kty: 'OKP', crv: 'Ed25519', x, d, kid: randomUUID(), alg: 'EdDSA', use: 'sig' };
  if (!isIssuerKey(key)) throw new TypeError('an exported key has the form of one');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${JSON.stringify({ keys: [key] }, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (cause) {
    throw new Fault('configuration-invalid', `The keys of the issuer cannot be written to ${path}.`, { cause });
  }
  return key;
}

function isIssuerKey(value: unknown): value is IssuerKey {
  if (typeof value !== 'object' || value === null) return false;
  const { kty, crv, x, d, kid, alg, use }: Partial<Record<keyof IssuerKey, unknown>> = value;
  const texts = [x, d, kid].every((text) => typeof text === 'string' && text !== '');
  return texts && kty === 'OKP' && crv === 'Ed25519' && alg === 'EdDSA' && use === 'sig';
}
