import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutEnd, cutMiddle, pad, widthOf, wrap } from './text-width.ts';

test('wide characters take two columns, combining marks none', () => {
  const widths = ['', 'abc', '日本銀行', 'ｱ', '한국', 'e\u0301', '👩‍👩‍👧', '（株）', 'Zürich', '…'].map(widthOf);
  assert.deepEqual(widths, [0, 3, 8, 1, 4, 1, 2, 6, 6, 1]);
});

test('what is cut fits, and keeps what tells ids apart', () => {
  assert.deepEqual([cutEnd('日本銀行', 5), cutEnd('日本銀行', 8), cutEnd('abc', 0)], ['日本…', '日本銀行', '']);
  assert.equal(cutMiddle('2026-11-24-AB-000317', 12), '2026-1…00317');
  assert.equal(cutMiddle('2026-11-24', 6), '2026-…');
});

test('no text, cut or filled up, is wider than it may be', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 30 }), (written, width) => {
      for (const cut of [cutEnd, cutMiddle]) {
        assert.ok(widthOf(cut(written, width)) <= width);
        assert.equal(widthOf(pad(cut(written, width), width)), width);
      }
      if (widthOf(written) <= width) assert.equal(cutMiddle(written, width), written);
    }),
  );
});

test('a text is broken between words, and nothing of it is lost', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('sha256:4b1f and more', 8), ['sha256:4b1f', 'and more']);
  assert.deepEqual(wrap('all on one line', Infinity), ['all on one line']);
  const words = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { minLength: 1 });
  fc.assert(
    fc.property(words, fc.integer({ min: 1, max: 30 }), (written, width) => {
      const text = written.join(' ');
      const lines = wrap(text, width);
      assert.equal(lines.join(' '), text);
      for (const line of lines) assert.ok(widthOf(line) <= width || !line.includes(' '));
    }),
  );
});
