import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { Fault, hashBytes, refuse } from '@linkspan/protocol';
import { textHash } from './block.ts';
import { verifyChain } from './check-ledger.ts';
import { type ContractCode, type EmbeddedLedger, openEmbeddedLedger } from './open-embedded-ledger.ts';
import { smallCall, smallContract } from './small-contract.ts';
import { TextPacker } from './text-packer.ts';

/** A closed ledger of 100 blocks, and one as a killed process leaves it: its last blocks are in SQLite's log only. Tests damage copies. */
let root = '';
let closed = '';
let killed = '';
let copies = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'linkspan-corrupt-'));
  closed = join(root, 'closed');
  killed = join(root, 'killed');
  const ledger = await open(closed);
  for (let i = 0; i < 60; i++)
    await ledger.submit([smallCall(`put key-${i} value-${i}-${'v'.repeat(200)}`), smallCall('count n')]);
  for (let i = 0; i < 40; i++) await ledger.submit([smallCall(`event e-${i}`), smallCall(`delete key-${i}`)]);
  await cp(closed, killed, { recursive: true });
  await ledger[Symbol.asyncDispose]();
});
after(() => rm(root, { recursive: true }));

function open(directory: string, contract = smallContract): Promise<EmbeddedLedger> {
  return openEmbeddedLedger({ directory, contract, verify: () => false, now: Date.now });
}

test('both ledgers are whole before they are damaged', async () => {
  for (const source of [closed, killed]) {
    const directory = await copy(source);
    assert.deepEqual([verifyChain(directory).blocks, verifyChain(directory).keys], [100, 21]);
    await using ledger = await open(directory);
    assert.equal(await ledger.height(), 100);
  }
});

const DAMAGED_FILES: Record<string, (directory: string) => Promise<unknown>> = {
  'the file is no database': (directory) =>
    writeFile(join(directory, 'ledger.db'), 'not a database at all'.repeat(500)),
  'the file is empty': (directory) => truncate(join(directory, 'ledger.db'), 0),
  'the file is cut in half': async (directory) =>
    truncate(
      join(directory, 'ledger.db'),
      Math.floor((await readFile(join(directory, 'ledger.db'))).length / 8192) * 4096,
    ),
  'the file is gone': (directory) => rm(join(directory, 'ledger.db')),
  'the witness is gone': (directory) => rm(join(directory, 'head')),
  'the witness is unreadable': (directory) => writeFile(join(directory, 'head'), 'x'.repeat(300)),
};

for (const [title, damage] of Object.entries(DAMAGED_FILES)) {
  test(`F49 refuses to open: ${title}`, async () => {
    const directory = await copy(closed);
    await damage(directory);
    await assert.rejects(open(directory), isCorrupt);
    assert.throws(() => verifyChain(directory), isFaultOfStorage);
  });
}

const DAMAGED_LOGS: Record<string, (log: string) => Promise<unknown>> = {
  'is gone': (log) => rm(log),
  'is cut off': async (log) => truncate(log, (await readFile(log)).length - 20_000),
  'has a torn last page': async (log) => truncate(log, (await readFile(log)).length - 100),
  'has one wrong bit': async (log) => {
    const bytes = await readFile(log);
    bytes[bytes.length - 30_000] = (bytes[bytes.length - 30_000] ?? 0) ^ 1;
    await writeFile(log, bytes);
  },
};

for (const [title, damage] of Object.entries(DAMAGED_LOGS)) {
  test(`F49 refuses to open a ledger that was answered for: its log ${title}`, async () => {
    const directory = await copy(killed);
    // The index of the log is as after a loss of power: gone.
    await rm(join(directory, 'ledger.db-shm'), { force: true });
    await damage(join(directory, 'ledger.db-wal'));
    await assert.rejects(open(directory), isCorrupt);
  });
}

const DAMAGED_ROWS: Record<string, { readonly sql: string; readonly foundOnOpening: boolean }> = {
  'a late call': {
    sql: "UPDATE blocks SET body = edited(form, body, 'calls', 'count', 'COUNT'), form = 0 WHERE number = 60",
    foundOnOpening: true,
  },
  'an early call': {
    sql: "UPDATE blocks SET body = edited(form, body, 'calls', 'count', 'COUNT'), form = 0 WHERE number = 10",
    foundOnOpening: false,
  },
  'a time': { sql: 'UPDATE blocks SET time = time + 1 WHERE number = 90', foundOnOpening: true },
  'an early time': { sql: 'UPDATE blocks SET time = time - 1 WHERE number = 2', foundOnOpening: false },
  'a result': {
    sql: "UPDATE blocks SET body = edited(form, body, 'results', '55', '56'), form = 0 WHERE number = 55",
    foundOnOpening: true,
  },
  'an event': {
    sql: "UPDATE blocks SET body = edited(form, body, 'events', 'e-16', 'e-17'), form = 0 WHERE number = 77",
    foundOnOpening: true,
  },
  'the writes': {
    sql: "UPDATE blocks SET body = edited(form, body, 'writes', 'null', '\"\"'), form = 0 WHERE number = 99",
    foundOnOpening: true,
  },
  'a text too many': {
    sql: "UPDATE blocks SET body = edited(form, body, 'writes', ']', ']\n'), form = 0 WHERE number = 99",
    foundOnOpening: true,
  },
  'a packed byte': {
    sql: "UPDATE blocks SET body = CAST(substr(body, 1, 50) || X'00' || substr(body, 52) AS BLOB) WHERE number = 99",
    foundOnOpening: true,
  },
  'an unknown form': { sql: 'UPDATE blocks SET form = 99 WHERE number = 99', foundOnOpening: true },
  'the dictionaries': { sql: "UPDATE dictionary SET body = CAST('anything' AS BLOB)", foundOnOpening: true },
  'the last hash': {
    sql: 'UPDATE blocks SET hash = zeroblob(32) WHERE number = 100',
    foundOnOpening: true,
  },
  'the last block gone': { sql: 'DELETE FROM blocks WHERE number = 100', foundOnOpening: true },
  'a late block gone': { sql: 'DELETE FROM blocks WHERE number = 98', foundOnOpening: true },
  'the first block gone': { sql: 'DELETE FROM blocks WHERE number = 1', foundOnOpening: false },
  'all blocks gone': { sql: 'DELETE FROM blocks', foundOnOpening: true },
  'a late value changed': {
    sql: `UPDATE value SET body = edited(form, body, '', 'v', 'w'), form = 0 WHERE ${idOf('key-59')}`,
    foundOnOpening: true,
  },
  'an early value changed': {
    sql: `UPDATE value SET body = edited(form, body, '', 'v', 'w'), form = 0 WHERE ${idOf('n')}`,
    foundOnOpening: true,
  },
  'a value and its hash changed': {
    sql: `UPDATE value SET body = CAST('{"value":"1000"}' AS BLOB), sum = sum_of('{"value":"1000"}') WHERE ${idOf('n')}`,
    foundOnOpening: true,
  },
  'a value gone': { sql: "DELETE FROM state WHERE key = 'key-59'", foundOnOpening: true },
  'a deleted value back': {
    sql: "INSERT INTO state SELECT 'key-39', id FROM state WHERE key = 'n'",
    foundOnOpening: true,
  },
  'a value that nobody wrote': {
    sql: "INSERT INTO state SELECT 'strange', id FROM state WHERE key = 'n'",
    foundOnOpening: false,
  },
};

for (const [title, { sql, foundOnOpening }] of Object.entries(DAMAGED_ROWS)) {
  test(`finds ${title}${foundOnOpening ? ', already on opening' : ' in a full check'}`, async () => {
    const directory = await copy(closed);
    change(directory, sql);
    assert.throws(() => verifyChain(directory), isCorrupt);
    if (foundOnOpening) await assert.rejects(open(directory), isCorrupt);
  });
}

test('F49 a wrong bit in a value that is read later stops the ledger instead of being believed', async () => {
  const directory = await copy(closed);
  await using ledger = await open(directory);
  change(
    directory,
    `UPDATE value SET body = edited(form, body, '', 'value-50', 'value-51'), form = 0 WHERE ${idOf('key-50')}`,
  );
  await assert.rejects(ledger.submit([smallCall('get key-50')]), isCorrupt);
  await assert.rejects(ledger.submit([smallCall('count n')]), isCorrupt);
  await assert.rejects(ledger.evaluate('network', {}), isCorrupt);
});

test('a contract that takes a failed read for a broken call does not hide it', async () => {
  const directory = await copy(closed);
  const forgiving: ContractCode = {
    ...smallContract,
    applyCalls: (world, calls) => {
      try {
        return smallContract.applyCalls(world, calls);
      } catch {
        return calls.map(() => refuse('call-broken', 'The call broke.'));
      }
    },
  };
  await using ledger = await open(directory, forgiving);
  change(
    directory,
    `UPDATE value SET body = edited(form, body, '', 'value-50', 'value-51'), form = 0 WHERE ${idOf('key-50')}`,
  );
  await assert.rejects(ledger.submit([smallCall('get key-50')]), isCorrupt);
});

for (const version of [1, 3]) {
  test(`F48 a ledger of version ${version} is left alone, with a sentence that says what to do`, async () => {
    const directory = await copy(closed);
    change(directory, `PRAGMA user_version = ${version}`);
    await assert.rejects(
      open(directory),
      (error: unknown) =>
        error instanceof Fault &&
        error.code === 'configuration-invalid' &&
        error.message.endsWith(
          `is of version ${version} and this program reads version 2; use the program that wrote it.`,
        ),
    );
  });
}

test('a witness that is behind, as after a loss of power, is no harm; one that is torn leaves the one before', async () => {
  const directory = await copy(closed);
  const head = await readFile(join(directory, 'head'));
  // The block of the number 100 is in the first slot, that of 99 in the second.
  head.fill(0, 0, 40);
  await writeFile(join(directory, 'head'), head);
  await using ledger = await open(directory);
  assert.equal(await ledger.height(), 100);
});

async function copy(source: string): Promise<string> {
  const directory = join(root, `copy-${copies++}`);
  await cp(source, directory, { recursive: true });
  return directory;
}

function change(directory: string, sql: string): void {
  using db = new DatabaseSync(join(directory, 'ledger.db'));
  const packer = new TextPacker(db);
  // One of a block's four texts, or a value, with something else in it; as plain text.
  db.function('edited', (form, body, part, from, to) => {
    assert.ok(body instanceof Uint8Array);
    const texts = packer.unpack(Number(form), body).split('\n');
    const place = Math.max(0, ['events', 'writes', 'results', 'calls'].indexOf(String(part)));
    const edited = texts.map((text, i) => (i === place ? text.replaceAll(String(from), String(to)) : text));
    assert.notDeepEqual(edited, texts);
    return Buffer.from(edited.join('\n'));
  });
  db.function('sum_of', (text) => hashBytes(textHash(String(text))).subarray(0, 16));
  db.exec(sql);
}

function idOf(key: string): string {
  return `id = (SELECT id FROM state WHERE key = '${key}')`;
}

function isCorrupt(error: unknown): boolean {
  return error instanceof Fault && error.code === 'storage-corrupt';
}

/** A missing file cannot be opened for reading, which is not the same as damaged. */
function isFaultOfStorage(error: unknown): boolean {
  return isCorrupt(error) || (error instanceof Fault && error.code === 'storage-unavailable');
}
