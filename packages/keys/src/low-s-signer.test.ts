import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { lowSSigner } from './low-s-signer.ts';

const HALF_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n / 2n;

test('every signature verifies and has the smaller s, in the shortest DER', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = lowSSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  for (let i = 0; i < 200; i++) {
    const message = Buffer.from(`message ${i}`);
    const signature = Buffer.from(await sign(message));
    assert.ok(verify('sha256', message, publicKey, signature));
    const [r, s] = readIntegers(signature);
    assert.ok(r > 0n && s > 0n && s <= HALF_ORDER);
  }
});

test('a key of another kind is refused', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  assert.throws(() => lowSSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()), /P-256/);
});

function readIntegers(der: Buffer): [bigint, bigint] {
  assert.equal(der[0], 0x30);
  assert.equal(der[1], der.length - 2);
  const read = (at: number): [bigint, number] => {
    assert.equal(der[at], 0x02);
    const length = der[at + 1] ?? 0;
    const bytes = der.subarray(at + 2, at + 2 + length);
    assert.ok((bytes[0] ?? 0) < 128, 'not negative');
    assert.ok(bytes[0] !== 0 || (bytes[1] ?? 0) > 127, 'no byte too many');
    return [BigInt(`0x${bytes.toString('hex')}`), at + 2 + length];
  };
  const [r, next] = read(2);
  const [s, end] = read(next);
  assert.equal(end, der.length);
  return [r, s];
}
