import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentsWithExamples, readDocuments } from './documents.ts';
import { examplesIn, fillExamples } from './fill-examples.ts';

test('every example in a document is as it is made today', async () => {
  const written = readDocuments();
  for (const [path, text] of Object.entries(await documentsWithExamples())) {
    assert.ok(written.get(path) === text, `${path} has a stale example: run node tools/generate.ts`);
  }
});

test('an example is replaced in its place, and one that nobody makes is refused', () => {
  const document = 'before\n<!-- example: one -->\n```json\n{ "old": 1 }\n```\nafter\n';
  assert.deepEqual(examplesIn(document), ['one']);
  const filled = fillExamples(document, { one: { language: 'text', text: 'new' } });
  assert.equal(filled, 'before\n<!-- example: one -->\n```text\nnew\n```\nafter\n');
  assert.equal(fillExamples(filled, { one: { language: 'text', text: 'new' } }), filled);
  const empty = '<!-- example: one -->\n```json\n```\nkept\n```\nkept too\n```\n';
  assert.equal(
    fillExamples(empty, { one: { language: 'text', text: 'new' } }),
    '<!-- example: one -->\n```text\nnew\n```\nkept\n```\nkept too\n```\n',
  );
  assert.throws(() => fillExamples(document, {}), /no example one/);
});
