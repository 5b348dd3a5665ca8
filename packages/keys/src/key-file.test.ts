import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import { Fault } from '@linkspan/protocol';
import { ed25519Signer, generateEd25519PrivateKey } from './ed25519.ts';
import { readKeyFile, writeKeyFile } from './key-file.ts';
import { generateSecp256k1PrivateKey, secp256k1Signer } from './secp256k1.ts';

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'linkspan-keys-'));
  path = join(directory, 'organisation.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('what was written is read, and only its owner may read it', () => {
  const keys = { ed25519: generateEd25519PrivateKey(), secp256k1: generateSecp256k1PrivateKey() };
  const written = writeKeyFile(path, keys);
  const read = readKeyFile(path);
  assert.equal(written.ed25519?.key, ed25519Signer(keys.ed25519).key);
  assert.equal(read.ed25519?.key, written.ed25519?.key);
  assert.equal(read.secp256k1?.key, secp256k1Signer(keys.secp256k1).key);
  assert.equal(read.ed25519?.sign(Uint8Array.of(1)), ed25519Signer(keys.ed25519).sign(Uint8Array.of(1)));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ['organisation.json'], 'no draft is left');
});

test('a validator has one key', () => {
  const { ed25519, secp256k1 } = writeKeyFile(path, { ed25519: generateEd25519PrivateKey() });
  assert.equal(readKeyFile(path).ed25519?.key, ed25519?.key);
  assert.equal(secp256k1, undefined);
  assert.equal(readKeyFile(path).secp256k1, undefined);
  assert.throws(() => writeKeyFile(join(directory, 'none.json'), {}), configurationInvalid(/at least one key/));
});

test('a file that others can use is refused, whichever right they have', () => {
  writeKeyFile(path, { ed25519: generateEd25519PrivateKey() });
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666]) {
    chmodSync(path, mode);
    assert.throws(() => readKeyFile(path), configurationInvalid(/chmod 600/));
  }
  chmodSync(path, 0o400);
  assert.ok(readKeyFile(path).ed25519);
});

test('keys are never overwritten', () => {
  writeKeyFile(path, { ed25519: generateEd25519PrivateKey() });
  const before = readFileSync(path, 'utf8');
  assert.throws(() => writeKeyFile(path, { ed25519: generateEd25519PrivateKey() }), configurationInvalid(/new file/));
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.deepEqual(readdirSync(directory), ['organisation.json']);
});

test('a file of any other form is refused without showing its secrets', () => {
  const secret = generateEd25519PrivateKey();
  const { key } = ed25519Signer(secret);
  const right = { schema: 'keys/1', ed25519: { key, privateKey: secret } };
  const wrong: [unknown, RegExp][] = [
    [`{"schema":"keys/1","ed25519":{"privateKey":"${secret}"`, /is not JSON/],
    [[right], /not a JSON object/],
    [{ ...right, schema: 'keys/2' }, /not of schema/],
    [{ ...right, more: 1 }, /unknown member "more"/],
    [{ schema: 'keys/1' }, /holds no key/],
    [{ ...right, ed25519: secret }, /no object at "ed25519"/],
    [{ ...right, ed25519: { key } }, /exactly "key" and "privateKey"/],
    [{ ...right, ed25519: { key, privateKey: secret, more: 1 } }, /exactly "key" and "privateKey"/],
    [{ ...right, ed25519: { key, privateKey: generateEd25519PrivateKey() } }, /the private key there is of/],
    [{ ...right, ed25519: { key, privateKey: `${secret}00` } }, /not 64 lower-case/],
  ];
  for (const [content, message] of wrong) {
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    assert.throws(
      () => readKeyFile(path),
      (fault: unknown) => configurationInvalid(message)(fault) && !inspect(fault).includes(secret),
    );
  }
  assert.throws(() => readKeyFile(join(directory, 'missing.json')), configurationInvalid(/cannot be read/));
});

function configurationInvalid(message: RegExp) {
  return (fault: unknown) =>
    fault instanceof Fault && fault.code === 'configuration-invalid' && message.test(fault.message);
}
