import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';

const root = new URL('../../../', import.meta.url);
const vectors = below('test/vectors').filter((file) => file.endsWith('.json'));
/** Files that are one vector each stand in folders `valid` and `invalid`; all others hold vectors of both kinds. */
const alone = vectors.filter((file) => /\/(in)?valid\//.test(file));
const tables = vectors.filter(
  (file) => !alone.includes(file) && !alone.some((other) => other.startsWith(folderOf(file))),
);

test('every table of vectors is plain JSON with some that are valid and some that are not', () => {
  assert.ok(tables.length > 10);
  for (const file of tables) {
    const text = readFileSync(new URL(file, root), 'utf8');
    const { valid, invalid } = z
      .looseObject({ valid: z.array(z.json()), invalid: z.array(z.json()) })
      .parse(JSON.parse(text), { error: () => file });
    assert.ok(valid.length > 0 && invalid.length > 0, file);
  }
});

test('every folder of vectors has some that are valid and some that are not', () => {
  const folders = new Set(alone.map((file) => file.replace(/(in)?valid\/[^/]*$/, '')));
  for (const folder of folders) {
    for (const kind of ['valid', 'invalid'])
      assert.ok(
        alone.some((file) => file.startsWith(`${folder}${kind}/`)),
        folder + kind,
      );
  }
});

test('every vector is read by a test', () => {
  const tests = ['packages', 'apps', 'systems', 'test', 'tools']
    .flatMap(below)
    .filter((file) => file.endsWith('.test.ts'));
  const text = tests.map((file) => readFileSync(new URL(file, root), 'utf8')).join('\n');
  const named = [...tables, ...new Set(alone.map((file) => file.replace(/\/(in)?valid\/[^/]*$/, '')))];
  assert.deepEqual(
    named.filter((name) => !text.includes(name)),
    [],
  );
});

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf('/') + 1);
}

function below(folder: string): string[] {
  const entries = readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' });
  return entries
    .map((entry) => `${folder}/${entry.replaceAll('\\', '/')}`)
    .filter((file) => !file.includes('/node_modules/'));
}
