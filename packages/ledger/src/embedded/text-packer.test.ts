import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import fc from 'fast-check';
import { DICTIONARY_TABLE, TextPacker } from './text-packer.ts';

function openNew(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(DICTIONARY_TABLE);
  return db;
}

// Short ones, ones that DEFLATE takes and ones that it does not; of few words, so that something repeats.
const text = fc
  .tuple(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }), { maxLength: 60 }), fc.constantFrom(1, 3, 60))
  .map(([words, times]) => JSON.stringify(words).repeat(times));
const entry = fc.tuple(fc.constantFrom('a/', 'b/', ''), text);

test('what was packed is unpacked as it was, whatever was learnt in between and by whom', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), fc.array(entry, { maxLength: 8 }), (before, after) => {
      using db = openNew();
      const packer = new TextPacker(db);
      const early = before.map(([name, each]) => packer.pack(name, each));
      packer.learnt(packer.learn(8));
      const late = after.map(([name, each]) => packer.pack(name, each));
      for (const reader of [packer, new TextPacker(db)]) {
        assert.deepEqual(
          [...early, ...late].map(({ form, body }) => reader.unpack(form, body)),
          [...before, ...after].map(([, each]) => each),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('a dictionary makes alike texts smaller, once it is durable and not before', () => {
  using db = openNew();
  const packer = new TextPacker(db);
  const alike = (i: number): string =>
    JSON.stringify(Object.fromEntries(Array.from({ length: 40 }, (_, j) => [`name-${j}`, i + j])));
  const alone = packer.pack('a/', alike(1));
  const learnt = packer.learn(64);
  assert.equal(packer.pack('a/', alike(2)).form, alone.form);
  packer.learnt(learnt);
  const packed = packer.pack('a/', alike(3));
  assert.ok(packed.body.length < 0.8 * alone.body.length, `${packed.body.length} against ${alone.body.length}`);
  assert.equal(packer.pack('b/', alike(4)).form, alone.form, 'another class does not know it');
  assert.deepEqual(packer.learn(65), [], 'dictionaries are learnt at few blocks');
});

test('what was never packed is corrupt storage', () => {
  using db = openNew();
  const packer = new TextPacker(db);
  const { form, body } = packer.pack('a/', 'text '.repeat(100));
  for (const [strange, bytes] of [
    [form, body.subarray(0, -3)],
    [99, body],
    [1, body],
  ] as const) {
    assert.throws(
      () => packer.unpack(strange, bytes),
      (error: unknown) => error instanceof Fault && error.code === 'storage-corrupt',
    );
  }
});
