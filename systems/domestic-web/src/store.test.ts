import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { reconcile } from './reconcile.ts';
import { openStore } from './store.ts';
import {
  assertRefused,
  configFor,
  holdOf,
  id,
  MEMBERS,
  position,
  signed,
  startFor,
  temporaryDir,
} from './test-support.ts';

test('the tables themselves refuse what must not be', async (t) => {
  const web = await startFor(t);
  const executor = await web.as('executor');
  await executor.post('/holds', holdOf('a'));
  await executor.post('/holds', holdOf('b'));
  await executor.post(`/holds/${id('b')}/execute`, {
    operation: id('x'),
    certificate: signed({ operations: [id('b')] }),
  });
  await executor.post(`/operations/${id('f')}/fence`, { reason: 'TIMO' });
  await web.close();
  const database = new DatabaseSync(join(web.dataDir, 'books.sqlite'));
  t.after(() => database.close());
  const insert = (verb: string, values: string) =>
    `INSERT INTO bookings (verb, operation, hold, payer, payee, asset, amount, time) VALUES ('${verb}', ${values}, 0)`;
  const terms = `'0042', '0099', 'JPY', 1`;
  const refused: Record<string, [string, RegExp]> = {
    'an id twice': [insert('hold', `'${id('a')}', NULL, ${terms}`), /UNIQUE/],
    'an effect under a fenced id': [insert('hold', `'${id('f')}', NULL, ${terms}`), /UNIQUE/],
    'a second end of a hold': [insert('release', `NULL, '${id('b')}', ${terms}`), /UNIQUE/],
    'an execution of no hold': [insert('execute', `'${id('y')}', NULL, ${terms}`), /CHECK/],
    'a hold without id': [insert('hold', `NULL, NULL, ${terms}`), /CHECK/],
    'a DvP without a trade': [insert('dvp', `NULL, NULL, ${terms}`), /CHECK/],
    'a negative free amount': [`UPDATE positions SET free = -1 WHERE account = '0042'`, /CHECK/],
    'a negative held amount': [`UPDATE positions SET held = -1 WHERE account = '0042'`, /CHECK/],
    'a changed booking': [`UPDATE bookings SET amount = 1 WHERE verb = 'hold'`, /final/],
    'a removed booking': [`DELETE FROM bookings`, /final/],
    'a changed entry': [`UPDATE entries SET amount = 1`, /final/],
    'a removed entry': [`DELETE FROM entries`, /final/],
  };
  for (const [name, [sql, reason]] of Object.entries(refused)) assert.throws(() => database.exec(sql), reason, name);
});

test('reconciliation finds a changed position and a booking that does not sum to zero', async (t) => {
  const web = await startFor(t);
  await web.close();
  const database = new DatabaseSync(join(web.dataDir, 'books.sqlite'), { readBigInts: true });
  t.after(() => database.close());
  database.exec('BEGIN');
  database.exec(`UPDATE positions SET held = held + 1 WHERE account = '0099'`);
  assert.deepEqual(reconcile(database), ["the position of 0099 in JPY is not its entries'"]);
  database.exec('ROLLBACK; BEGIN');
  database.exec(`INSERT INTO entries VALUES (1, 3, '*issue', 'issued', 'JPY', 5)`);
  assert.deepEqual(reconcile(database), ['booking 1 does not sum to zero']);
  database.exec('ROLLBACK');
});

test('opening positions are booked once, also for an account that comes later', async (t) => {
  const web = await startFor(t);
  await (await web.as('executor')).post('/holds', holdOf('a'));
  const later = { id: '0100', name: 'New Bank', operators: [], positions: { JPY: '5' } };
  for (let start = 0; start < 2; start++) {
    await web.restart({ accounts: [...configFor(web.dataDir).accounts, later] });
    const reader = await web.as('reader');
    assert.deepEqual(await position(reader, '0042'), { free: '900', held: '100' });
    assert.deepEqual(await position(reader, '0100'), { free: '5', held: '0' });
  }
});

test('data is opened by one server at a time, and for the system and network that it belongs to', async (t) => {
  const web = await startFor(t);
  const { config } = web;
  await assertRefused(config, new RegExp(`is in use by another process \\(process ${process.pid}\\)\\.$`));
  await web.close();
  await assertRefused({ ...config, name: 'csd' }, /belongs to rtgs, not to csd\.$/);
  const otherNetwork = { ...config.certificates, network: id('other') };
  await assertRefused({ ...config, certificates: otherNetwork }, /another network or other signers\.$/);
  const signers = MEMBERS.slice(0, 2).map((each) => each.address);
  const otherSigners = { ...config.certificates, signers };
  await assertRefused({ ...config, certificates: otherSigners }, /another network or other signers\.$/);
  await web.restart();
});

test('books that do not balance are not opened', async (t) => {
  const web = await startFor(t);
  await web.close();
  const database = new DatabaseSync(join(web.dataDir, 'books.sqlite'));
  database.exec(`UPDATE positions SET free = free + 1 WHERE account = '0099'`);
  database.close();
  await assertRefused(web.config, /do not balance: the position of 0099 in JPY is not its entries'\.$/);
  const repaired = new DatabaseSync(join(web.dataDir, 'books.sqlite'));
  repaired.exec(`UPDATE positions SET free = free - 1 WHERE account = '0099'`);
  repaired.close();
});

test('a commit is on the disk before it is answered', (t) => {
  const database = openStore(join(temporaryDir(t), 'data'));
  t.after(() => database.close());
  const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.deepEqual(['journal_mode', 'synchronous', 'locking_mode'].map(setting), ['wal', 2n, 'exclusive']);
});

test('data that cannot be used is refused with a sentence', (t) => {
  const dir = temporaryDir(t);
  writeFileSync(join(dir, 'file'), '');
  assert.throws(() => openStore(join(dir, 'file', 'data')), {
    name: 'StartError',
    message: /cannot be written: ENOTDIR/,
  });
  mkdirSync(join(dir, 'other'));
  writeFileSync(join(dir, 'other', 'books.sqlite'), 'no database at all, but long enough to be looked at. '.repeat(40));
  assert.throws(() => openStore(join(dir, 'other')), { name: 'StartError', message: /is no database\.$/ });
  const database = openStore(join(dir, 'newer'));
  database.exec('PRAGMA user_version = 7');
  database.close();
  assert.throws(() => openStore(join(dir, 'newer')), {
    name: 'StartError',
    message: /of version 7, this program reads 2/,
  });
});
