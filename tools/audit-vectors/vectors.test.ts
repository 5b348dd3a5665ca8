import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { verifyEvidenceText } from '@linkspan/audit';
import { createVerify } from '@linkspan/keys';
import { hashSchema, PHASES } from '@linkspan/protocol';
import { z } from 'zod';
import { vectors } from './vectors.ts';

const folder = fileURLToPath(new URL('../../test/vectors/audit/', import.meta.url));
const expected = z
  .strictObject({
    valid: z.record(
      z.string(),
      z.strictObject({ what: z.string(), network: hashSchema, verdict: z.enum(['complete', 'incomplete']) }),
    ),
    invalid: z.record(
      z.string(),
      z.strictObject({ what: z.string(), network: hashSchema, code: z.string(), where: z.string() }),
    ),
  })
  .parse(JSON.parse(read('expect.json')));

for (const [name, { what, network, verdict }] of Object.entries(expected.valid)) {
  test(`${name} is ${verdict}: ${what}`, () => {
    const found = verifyEvidenceText(read(`valid/${name}.json`), { verify: createVerify({ memoize: 0 }), network });
    assert.ok(found.verdict !== 'refused', JSON.stringify(found));
    assert.equal(found.verdict, verdict);
    const asked = found.settlements.filter(({ role }) => role === 'asked');
    assert.ok(asked.length > 0 && asked.every(({ phase }) => PHASES.includes(phase)));
    assert.equal(asked.flatMap(({ missing }) => missing).length > 0, verdict === 'incomplete');
  });
}

for (const [name, { what, network, code, where }] of Object.entries(expected.invalid)) {
  test(`${name} is refused (${code}): ${what}`, () => {
    const found = verifyEvidenceText(read(`invalid/${name}.json`), { verify: createVerify({ memoize: 0 }), network });
    assert.equal(found.verdict, 'refused');
    assert.ok(found.verdict === 'refused');
    assert.deepEqual({ code: found.first.code, where: found.first.where }, { code, where }, found.first.message);
  });
}

test('at least 30 files are tampered with, and each of them breaks a good one', () => {
  assert.ok(Object.keys(expected.invalid).length >= 30);
  assert.deepEqual(
    Object.values(expected.invalid).filter(({ what }, i, all) => all.findIndex((other) => other.what === what) !== i),
    [],
  );
});

test('the files are those that are written today', () => {
  const stored = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replaceAll('\\', '/'));
  const today = vectors();
  assert.deepEqual(stored.toSorted(), [...today.keys()].toSorted());
  for (const [name, text] of today) assert.equal(read(name), text, `${name}: run node tools/audit-vectors/write.ts`);
});

function read(name: string): string {
  return readFileSync(folder + name, 'utf8');
}
