import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';

import type { JournalEntry } from './journal.ts';
import { openJournal } from './journal.ts';

const genesis = 'sha256:00';
const entries: readonly JournalEntry[] = [
  { transactions: ['0x01', '0x02'], timestamp: 1_700_000_001, parent: '0xa0' },
  { transactions: [], timestamp: 1_700_000_002, parent: '0xa1' },
  { transactions: ['0x03'], timestamp: null, parent: '0xa2' },
];

let folder: string;
let path: string;
before(() => void (folder = mkdtempSync(join(tmpdir(), 'fcy-journal-'))));
beforeEach(() => void (path = join(mkdtempSync(join(folder, 'case-')), 'journal.jsonl')));
after(() => rmSync(folder, { recursive: true }));

test('what was appended is there when it is opened again', async () => {
  await writeEntries(entries);
  assert.deepEqual(reopen(), entries);
  await writeEntries([{ transactions: ['0x04'], timestamp: 1, parent: '0xa3' }]);
  assert.equal(reopen().length, entries.length + 1);
});

test('wherever the file was torn, the whole entries before that remain, and more can be appended', async () => {
  await writeEntries(entries);
  const whole = readFileSync(path);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
      writeFileSync(path, whole);
      truncateSync(path, length);
      const intactLines = whole.subarray(0, length).toString().split('\n').length - 1;
      assert.deepEqual(reopen(), entries.slice(0, Math.max(0, intactLines - 1)));
    }),
    { seed: 3, numRuns: 200 },
  );
  writeFileSync(path, whole);
  truncateSync(path, whole.length - 3);
  await writeEntries(entries.slice(2));
  assert.deepEqual(reopen(), entries);
});

test('a last line of garbage, such as blocks of zeros, is cut off; in the middle it is damage', async () => {
  await writeEntries(entries);
  appendFileSync(path, '\0\0\0\0\n');
  assert.deepEqual(reopen(), entries);
  appendFileSync(path, '\0\0\0\0\n{"transactions":[],"timestamp":1,"parent":"0xa3"}\n');
  assert.throws(reopen, /damaged in line 5/);
});

test('a line that is JSON but no entry is damage, wherever it is', async () => {
  await writeEntries(entries);
  appendFileSync(path, '{"transactions":[7],"timestamp":1,"parent":"0xa3"}\n');
  assert.throws(reopen, /damaged in line 5/);
});

test('a journal of another genesis, and a file that is none, are refused', async () => {
  await writeEntries(entries);
  assert.throws(() => openJournal(path, 'sha256:01'), /another configuration/);
  writeFileSync(path, '{"some":"thing"}\n');
  assert.throws(reopen, /is not a journal/);
});

async function writeEntries(some: readonly JournalEntry[]): Promise<void> {
  const journal = openJournal(path, genesis);
  for (const entry of some) await journal.append(entry);
  journal.close();
}

function reopen(): readonly JournalEntry[] {
  const journal = openJournal(path, genesis);
  journal.close();
  return journal.entries;
}
