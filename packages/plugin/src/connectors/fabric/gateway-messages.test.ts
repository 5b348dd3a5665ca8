import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitStatusRequest, heightOfChainInfo } from './gateway-messages.ts';

test('the height of a channel is read from the first field', () => {
  assert.equal(heightOfChainInfo(Uint8Array.of(8, 1, 18, 0)), 1);
  assert.equal(heightOfChainInfo(Uint8Array.of(8, 0xac, 2)), 300);
  assert.equal(heightOfChainInfo(Uint8Array.of(8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3)), 2 ** 44 - 1);
  assert.throws(() => heightOfChainInfo(Uint8Array.of(8, 0xac)), /breaks off/);
  assert.throws(() => heightOfChainInfo(new Uint8Array()), /no height/);
});

test('the question for a transaction names it, the channel and who asks, whatever their lengths', () => {
  const request = commitStatusRequest('ch', 'tx', { mspId: 'me', credentials: new Uint8Array(200).fill(7) });
  // Written out from gateway.proto and identities.proto: each field is its number times 8 plus 2, a length, and the bytes.
  const identity = [0x0a, 2, 0x6d, 0x65, 0x12, 0xc8, 0x01, ...Buffer.alloc(200, 7)];
  const inner = [0x0a, 2, 0x74, 0x78, 0x12, 2, 0x63, 0x68, 0x1a, 0xcf, 0x01, ...identity];
  assert.deepEqual([...request], [0x0a, 0xda, 0x01, ...inner]);
});
