import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, hashSchema } from '@linkspan/protocol';
import fc from 'fast-check';
import { readDocument } from './document-reader.ts';

function readAll(value: unknown) {
  const reader = readDocument(value);
  const name = reader.text('name', { pattern: /^[a-z]+$/, words: 'small letters' });
  const port = reader.integer('port', { min: 1, max: 10, otherwise: 7 });
  const mode = reader.choice('mode', ['one', 'two']);
  const hash = reader.parsed('hash', (one) => parse(hashSchema, one, 'request-invalid'));
  const inner = reader.object('inner');
  const list = inner.texts('list');
  return reader.finish('request-invalid', () => ({ name, port, mode, hash, list }));
}

const HASH = `sha256:${'a'.repeat(64)}`;

test('a right document is read', () => {
  const read = readAll({ name: 'abc', mode: 'two', hash: HASH, inner: { list: ['x'] } });
  assert.deepEqual(read, { ok: true, value: { name: 'abc', port: 7, mode: 'two', hash: HASH, list: ['x'] } });
});

test('every problem is reported at once, each with its pointer', () => {
  const read = readAll({ name: 'ABC', port: 11, hash: 'x', inner: { list: [1], more: 1 }, extra: true });
  assert.ok(!read.ok);
  const found = read.refusal.problems?.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
  assert.deepEqual(found, [
    '/extra member-unknown',
    '/hash type-wrong',
    '/inner/list/0 type-wrong',
    '/inner/more member-unknown',
    '/mode missing',
    '/name type-wrong',
    '/port type-wrong',
  ]);
});

test('anything at all is read without throwing, and what is not refused is well formed', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const read = readAll(value);
      if (read.ok) assert.match(read.value.name, /^[a-z]+$/);
    }),
  );
});
