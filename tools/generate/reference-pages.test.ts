import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ENDPOINTS, ERRORS, PROBLEMS } from '@linkspan/protocol';
import { FAULT_CATALOGUE } from './fault-catalogue.ts';
import { faultTests } from './faults-page.ts';
import { readSources } from './read-sources.ts';
import { referencePages } from './reference-pages.ts';

const pages = referencePages();

test('every reference page is as its tables make it', () => {
  for (const [path, text] of Object.entries(pages)) {
    const written = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    assert.ok(written === text, `${path} is stale: run node tools/generate.ts`);
  }
});

test('the pages name every endpoint and every code', () => {
  const api = pages['docs/reference/api.md'] ?? '';
  for (const { method, path } of Object.values(ENDPOINTS)) assert.ok(api.includes(`\`${method} ${path}\``), path);
  const errors = pages['docs/reference/errors.md'] ?? '';
  for (const code of [...Object.keys(ERRORS), ...Object.keys(PROBLEMS)])
    assert.ok(errors.includes(`| \`${code}\` |`), code);
});

test('a fault that a test shows is described: what the product does, and whether it may have happened', () => {
  const shown = new Set(faultTests(readSources()).flatMap(({ rows }) => rows));
  for (const { row, outcome, mayHaveHappened } of FAULT_CATALOGUE) {
    if (shown.has(row))
      assert.ok(outcome !== '' && mayHaveHappened !== '', `F${row} has a test and no outcome in the catalogue`);
    else assert.equal(outcome, '', `F${row} has an outcome in the catalogue and no test that names it`);
    shown.delete(row);
  }
  assert.deepEqual([...shown], [], 'tests name rows that the catalogue does not have');
});
