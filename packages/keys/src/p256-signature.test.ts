import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowSDer } from './p256-signature.ts';

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const HALF = ORDER / 2n;

test('of both values of s it is the smaller one, in the shortest DER', () => {
  for (const [r, s, hex] of [
    [1n, 1n, '3006020101020101'],
    [1n, ORDER - 1n, '3006020101020101'],
    [0x7fn, ORDER - 0x80n, '300702017f02020080'],
    [0x80n, 0x1234n, '30080202008002021234'],
  ] as const)
    assert.equal(Buffer.from(lowSDer(raw(r, s))).toString('hex'), hex);
  assert.deepEqual(lowSDer(raw(5n, HALF + 1n)), lowSDer(raw(5n, HALF)), 'one more than half is the half');
  assert.equal(lowSDer(raw(ORDER - 1n, HALF)).length, 2 + 35 + 34, 'the largest there is');
});

test('a signature of another size is none on this curve', () => {
  for (const size of [0, 63, 65, 96]) assert.throws(() => lowSDer(new Uint8Array(size)), RangeError);
});

function raw(r: bigint, s: bigint): Uint8Array {
  return Buffer.from([r, s].map((each) => each.toString(16).padStart(64, '0')).join(''), 'hex');
}
