import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockNumber, endOfBlock, fabricBlockOf } from './block-number.ts';
import { allBytes, bytesAt, bytesField, numberAt, readFields } from './protobuf.ts';

test('fields of any length are read as they were written, in their order', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 })), (contents) => {
      const message = Buffer.concat(contents.map((content) => bytesField(3, content)));
      assert.deepEqual(
        allBytes(message, 3).map((bytes) => Buffer.from(bytes)),
        contents.map((bytes) => Buffer.from(bytes)),
      );
    }),
  );
});

test('the examples of the encoding’s own description are read', () => {
  assert.equal(numberAt(Buffer.from('089601', 'hex'), 1), 150n);
  assert.equal(Buffer.from(bytesAt(Buffer.from('120774657374696e67', 'hex'), 2)).toString(), 'testing');
  assert.equal(numberAt(bytesAt(Buffer.from('1a03089601', 'hex'), 3), 1), 150n);
  assert.equal(numberAt(Buffer.alloc(0), 1), 0n);
  assert.equal(numberAt(Buffer.from('08ffffffffffffffffff01', 'hex'), 1), 2n ** 64n - 1n);
  const fixed = readFields(Buffer.from('0d01000000110100000000000000', 'hex'));
  assert.deepEqual([...fixed.keys()], [1, 2]);
});

test('bytes that are no message are refused and never read beyond', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        readFields(bytes);
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
    }),
  );
  for (const broken of ['08', '0a05ff', '0b', '08ffffffffffffffffffffff01'])
    assert.throws(() => readFields(Buffer.from(broken, 'hex')), RangeError);
});

test('places keep their order across blocks, and lead back to them', () => {
  const place = fc.tuple(fc.bigInt({ min: 0n, max: 800_000_000_000n }), fc.nat(9999));
  fc.assert(
    fc.property(place, place, ([blockA, placeA], [blockB, placeB]) => {
      const [a, b] = [blockNumber(blockA, placeA), blockNumber(blockB, placeB)];
      assert.ok(Number.isSafeInteger(a));
      assert.equal(fabricBlockOf(a), blockA);
      assert.equal(a < b, blockA < blockB || (blockA === blockB && placeA < placeB));
      assert.ok(endOfBlock(blockA) >= a);
      assert.equal(fabricBlockOf(endOfBlock(blockA)), blockA);
    }),
  );
  assert.throws(() => blockNumber(1n, 10_000));
});
