import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { type Certificate, type CertificateKind, Fault, hashOf } from '@linkspan/protocol';
import { openSigningJournal, type SigningJournal } from './journal.ts';

test('what was signed may be signed again, in this life and the next', (t) => {
  const path = temporaryPath(t);
  for (let life = 0; life < 2; life++) {
    using journal = openSigningJournal(path);
    assert.ok(journal.write(7, 'root', [certificate('commit'), certificate('proceed', 'other')]).ok);
    assert.ok(journal.write(7, 'root', [certificate('commit'), certificate('proceed', 'other')]).ok);
  }
});

test('a journal of another version is not used, since what it forbids would not be seen', (t) => {
  const path = temporaryPath(t);
  const database = new DatabaseSync(path);
  database.exec('CREATE TABLE signed_decision (settlement TEXT PRIMARY KEY, kind TEXT NOT NULL)');
  database.close();
  assert.throws(
    () => openSigningJournal(path),
    (error) => error instanceof Fault && error.code === 'configuration-invalid' && error.message.includes('version 0'),
  );
});

test('a block is signed with one content for ever', (t) => {
  const path = temporaryPath(t);
  written(path, (journal) => assert.ok(journal.write(7, 'root', [certificate('proceed')]).ok));
  written(path, (journal) => refused(journal, 7, 'another root', [certificate('proceed')]));
});

for (const [first, second] of [
  ['commit', 'abort'],
  ['abort', 'commit'],
] as const) {
  test(`after ${first} of a settlement, ${second} of it is never signed, and nothing that comes with it`, (t) => {
    const path = temporaryPath(t);
    written(path, (journal) => assert.ok(journal.write(7, 'root', [certificate(first)]).ok));
    written(path, (journal) => {
      refused(journal, 8, 'next', [certificate('commit', 'other'), certificate(second)]);
      // What was refused was not written either.
      assert.ok(journal.write(9, 'later', [certificate('abort', 'other')]).ok);
      assert.ok(journal.write(10, 'again', [certificate(first)]).ok);
    });
  });
}

test('proceed and fence decide nothing, so either decision may follow', (t) => {
  written(temporaryPath(t), (journal) => {
    assert.ok(journal.write(1, 'one', [certificate('proceed')]).ok);
    assert.ok(journal.write(2, 'two', [certificate('fence')]).ok);
    assert.ok(journal.write(3, 'three', [certificate('abort')]).ok);
  });
});

test('the checkpoint is 0 at first, and then where it was left', (t) => {
  const path = temporaryPath(t);
  written(path, (journal) => {
    assert.equal(journal.checkpoint(), 0);
    journal.saveCheckpoint(12);
    journal.saveCheckpoint(64);
  });
  written(path, (journal) => assert.equal(journal.checkpoint(), 64));
});

test('two that have one journal open never sign both decisions', (t) => {
  const path = temporaryPath(t);
  using one = openSigningJournal(path);
  using other = openSigningJournal(path);
  assert.ok(one.write(7, 'root', [certificate('commit')]).ok);
  refused(other, 8, 'next', [certificate('abort')]);
  refused(other, 7, 'another root', [certificate('proceed', 'other')]);
});

test('a journal that cannot be opened is a fault, not an empty journal', () => {
  assert.throws(
    () => openSigningJournal(join(tmpdir(), 'no such folder', 'journal')),
    (error) => {
      return error instanceof Fault && error.code === 'storage-unavailable';
    },
  );
});

function temporaryPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-journal-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'journal');
}

function written(path: string, use: (journal: SigningJournal) => void): void {
  using journal = openSigningJournal(path);
  use(journal);
}

function refused(journal: SigningJournal, block: number, root: string, certificates: readonly Certificate[]): void {
  const result = journal.write(block, root, certificates);
  assert.equal(result.ok ? 'written' : result.refusal.code, 'certificate-refused');
}

function certificate(kind: CertificateKind, settlement = 'one'): Certificate {
  const network = hashOf('network');
  return {
    network,
    settlement: hashOf(settlement),
    kind,
    scenario: hashOf('s'),
    head: hashOf('h'),
    count: 3,
    epoch: 1,
    operations: [],
  };
}
