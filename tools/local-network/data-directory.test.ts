import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { CannotRun } from './cannot-run.ts';
import { type DataDirectory, openDataDirectory } from './data-directory.ts';
import { isAlive } from './is-alive.ts';

let path = '';
beforeEach(() => (path = join(mkdtempSync(join(tmpdir(), 'linkspan-data-')), 'var')));
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

test('a directory is made, has one owner at a time, and says whether it has data', async () => {
  {
    using data = await open();
    assert.equal(data.continues, false);
    data.note(new Map([['rtgs', 1]]));
    writeFileSync(join(path, 'genesis.json'), '{}');
    await assert.rejects(
      open(),
      (error) => error instanceof CannotRun && error.message.includes(`(process ${process.pid})`),
    );
  }
  using again = await open();
  assert.equal(again.continues, true);
});

test('forgetting removes what is named and nothing else; in a directory that was not ours it removes nothing', async () => {
  mkdirSync(join(path, 'csd'), { recursive: true });
  writeFileSync(join(path, 'csd/foreign'), '');
  {
    using data = await open();
    data.forget(['csd']);
    assert.ok(existsSync(join(path, 'csd/foreign')));
    mkdirSync(join(path, 'other'));
  }
  using data = await open();
  data.forget(['csd', 'genesis.json']);
  assert.ok(!existsSync(join(path, 'csd')));
  assert.ok(existsSync(join(path, 'other')));
});

test('processes that a killed start left behind are waited for and named', async () => {
  const orphan = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  await once(orphan, 'spawn');
  mkdirSync(path);
  writeFileSync(join(path, 'running.json'), JSON.stringify({ pid: process.pid, processes: { rtgs: orphan.pid } }));
  const said: string[] = [];
  const stop = new AbortController();
  using _ = await openDataDirectory(
    path,
    (line) => {
      said.push(line);
      orphan.kill('SIGKILL');
    },
    stop.signal,
  );
  assert.ok(orphan.pid !== undefined && !isAlive(orphan.pid));
  assert.deepEqual(said, ['The last start was killed; waiting for its processes to end: rtgs.']);
});

test('half a note of running processes is no obstacle', async () => {
  mkdirSync(path);
  writeFileSync(join(path, 'running.json'), '{"pid":1,"proc');
  using data = await open();
  assert.equal(data.path, path);
});

test('what cannot be a directory is said', async () => {
  writeFileSync(path, '');
  await assert.rejects(open(), { code: 'EEXIST' });
});

function open(): Promise<DataDirectory> {
  return openDataDirectory(path, () => assert.fail('nothing is to be said'), new AbortController().signal);
}
