import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutEnd, cutMiddle, pad, widthOf } from './text-width.ts';

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
