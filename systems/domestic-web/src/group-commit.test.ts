import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { GroupCommit, QueueFull, StorageUnavailable } from './group-commit.ts';
import { temporaryDir } from './test-support.ts';

test('work that arrives together shares one transaction and is answered after its commit', async (t) => {
  const { database, insert } = openNumbers(t);
  let commits = 0;
  const group = new GroupCommit(database, () => commits++);
  const results = await Promise.all([1, 2, 3, 4].map((number) => group.run(() => insert(number))));
  assert.deepEqual(results, [1, 2, 3, 4]);
  assert.equal(commits, 1);
  assert.ok(!database.isTransaction);
});

test('work that fails by a mistake fails alone', async (t) => {
  const { database, insert, numbers } = openNumbers(t);
  const group = new GroupCommit(database, () => undefined);
  const results = await Promise.allSettled([
    group.run(() => insert(1)),
    group.run(() => {
      insert(2);
      throw new RangeError('a mistake');
    }),
    group.run(() => insert(1)),
    group.run(() => insert(3)),
  ]);
  assert.deepEqual(
    results.map((each) => each.status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  assert.ok(results[1]?.status === 'rejected' && results[1].reason instanceof RangeError);
  assert.deepEqual(numbers(), [1n, 3n]);
});

test('when the storage is full everything in the transaction fails, and later work goes on', async (t) => {
  const { database, insert, numbers } = openNumbers(t);
  const group = new GroupCommit(database, () => undefined);
  await group.run(() => insert(1));
  database.exec('PRAGMA max_page_count = 3');
  const big = () => database.exec('INSERT INTO blobs VALUES (zeroblob(100000))');
  const results = await Promise.allSettled([group.run(() => insert(2)), group.run(big), group.run(() => insert(3))]);
  for (const each of results) assert.ok(each.status === 'rejected' && each.reason instanceof StorageUnavailable);
  assert.deepEqual(numbers(), [1n]);
  await group.run(() => insert(4));
  assert.deepEqual(numbers(), [1n, 4n]);
});

test('the queue has an end', async (t) => {
  const { database } = openNumbers(t);
  const group = new GroupCommit(database, () => undefined);
  const waiting = Array.from({ length: 10_000 }, () => group.run(() => 'done'));
  await assert.rejects(
    group.run(() => 'too much'),
    QueueFull,
  );
  assert.ok((await Promise.all(waiting)).every((each) => each === 'done'));
  assert.equal(await group.run(() => 'again'), 'again');
});

function openNumbers(t: TestContext) {
  const database = new DatabaseSync(join(temporaryDir(t), 'numbers.sqlite'), { readBigInts: true });
  t.after(() => database.close());
  database.exec('CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT; CREATE TABLE blobs (bytes BLOB)');
  const statement = database.prepare('INSERT INTO numbers VALUES (?)');
  const insert = (number: number) => {
    statement.run(number);
    return number;
  };
  const numbers = () =>
    database
      .prepare('SELECT number FROM numbers')
      .all()
      .map((row) => row['number']);
  return { database, insert, numbers };
}
