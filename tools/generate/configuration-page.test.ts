import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configurationPage, describedPointers } from './configuration-page.ts';
import { CONFIGURATION_WORDS } from './configuration-words.ts';

test('every member that a reader asks for has words, and no other', () => {
  for (const [document, pointers] of Object.entries(describedPointers())) {
    const words = Object.entries(CONFIGURATION_WORDS).find(([name]) => name === document)?.[1] ?? {};
    assert.deepEqual(Object.keys(words).toSorted(), pointers.toSorted(), document);
  }
});

test('what is needed outside development alone is told from what is needed always', () => {
  const lines = configurationPage().split('\n');
  const neededOf = (member: string): string =>
    lines.find((line) => line.includes(`\`${member}\``))?.split(' | ')[3] ?? '';
  assert.equal(neededOf('/organisations/*/listen/tls'), 'outside development');
  assert.equal(neededOf('/organisations/*/client'), 'outside development');
  assert.equal(neededOf('/organisations/*/authentication'), 'yes');
  assert.equal(neededOf('/organisations/*/listen/host'), '');
});
