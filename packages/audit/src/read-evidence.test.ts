import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readEvidence } from './read-evidence.ts';

const right = readFileSync(new URL('../../../test/vectors/audit/valid/settled.json', import.meta.url), 'utf8');

test('a right file is read, however it is spaced', () => {
  assert.ok(readEvidence(right).ok);
  assert.ok(readEvidence(JSON.stringify(JSON.parse(right), null, 2)).ok);
});

test('a member that is there twice is refused, since readers differ in which of the two they see', () => {
  for (const member of ['"schema":"audit/1"', '"phase":"cancelled"', '"amount":"1.00"', '"pha\\u0073e":"cancelled"']) {
    const name = JSON.parse(member.slice(0, member.indexOf(':')));
    const doubled = right.replace(new RegExp(`"${name}"\\s*:`), (found) => `${member},${found}`);
    assert.notEqual(doubled, right, name);
    assert.deepEqual(JSON.parse(doubled), JSON.parse(right));
    const read = readEvidence(doubled);
    assert.ok(!read.ok, name);
    assert.match(read.finding.message, /same member twice/);
  }
});

test('quotes, backslashes and colons inside of texts are no members', () => {
  const text = right.replace(/"proves"\s*:\s*"/, (found) => `${found}a\\\\\\": \\" :: \\\\`);
  assert.notEqual(text, right);
  assert.ok(readEvidence(text).ok);
});
