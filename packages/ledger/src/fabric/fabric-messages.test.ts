import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { sampleNetwork } from '@linkspan/testkit';
import { parseCalls, writeCalls } from './fabric-messages.ts';

const calls = sampleNetwork().setUp();

test('calls come out of a transaction as they went in, packed or as text', () => {
  const packed = writeCalls(calls);
  const text = Buffer.from(JSON.stringify(calls));
  assert.deepEqual(parseCalls(packed), calls);
  assert.deepEqual(parseCalls(text), calls);
  assert.ok(packed.length < text.length / 2, 'packing is worth it');
});

test('what cannot be unpacked, or would fill the memory, is no list of calls', () => {
  const packed = writeCalls(calls);
  const broken = [packed.subarray(0, 1), packed.subarray(0, packed.length - 1), Buffer.from('x'), Buffer.alloc(0)];
  const bomb = deflateSync(`[${' '.repeat(80 * 2 ** 20)}]`);
  for (const bytes of [...broken, bomb]) assert.throws(() => parseCalls(bytes), SyntaxError);
});
