import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { ArchiveStore } from './archive-store.ts';

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linkspan-archive-store-'));
  file = join(folder, 'archive.sqlite');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** What a store gives for some blocks, as numbers and what is in them. */
function kept(store: ArchiveStore, numbers: readonly number[]): string[] {
  return store.blocks(numbers).map(({ number, content }) => `${number} ${Buffer.from(content).toString()}`);
}

function keep(store: ArchiveStore, number: number, content: string, isConfiguration = false): void {
  const proof = { content: Buffer.from(content), isConfiguration };
  store.append({ number: BigInt(number), transactions: [], proof });
}

test('blocks come with every configuration up to the last of them, and with none after it', () => {
  using store = new ArchiveStore(file);
  keep(store, 0, 'genesis', true);
  keep(store, 1, 'one');
  keep(store, 2, 'change', true);
  store.append({ number: 3n, transactions: [], proof: undefined });
  keep(store, 4, 'four');
  keep(store, 5, 'later change', true);
  assert.deepEqual(kept(store, [4, 1]), ['0 genesis', '1 one', '2 change', '4 four']);
  assert.deepEqual(kept(store, [1]), ['0 genesis', '1 one']);
  assert.deepEqual(kept(store, []), []);
  assert.equal(store.next(), 6n);
});

test('what was read is there again after a restart, and a file of an earlier version is made again from the first block', () => {
  {
    using store = new ArchiveStore(file);
    keep(store, 0, 'genesis', true);
  }
  {
    using store = new ArchiveStore(file);
    assert.equal(store.next(), 1n);
    assert.deepEqual(kept(store, [0]), ['0 genesis']);
  }
  {
    using old = new DatabaseSync(file);
    old.exec('PRAGMA user_version = 0');
  }
  using store = new ArchiveStore(file);
  assert.equal(store.next(), 0n);
  assert.deepEqual(kept(store, [0]), []);
});
