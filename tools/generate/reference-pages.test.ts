import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ENDPOINTS, ERRORS, PROBLEMS } from '@linkspan/protocol';
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
