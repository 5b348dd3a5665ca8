import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { test } from 'node:test';

const MAIN = new URL('main.ts', import.meta.url).pathname;

test('the program prints results on standard output, errors on standard error, and ends with the exit code', async () => {
  const help = await start(['help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^linkspan - /);
  assert.deepEqual([help.error, help.out.includes('\u001b')], ['', false]);
  const silent = await start(['settlements', '--api', 'http://127.0.0.1:1']);
  assert.deepEqual([silent.code, silent.out], [6, '']);
  assert.match(silent.error, /^Nothing listens at .*: is `npm start` running\?\n/);
});

type Ended = { readonly code: number; readonly out: string; readonly error: string };

function start(args: readonly string[]): Promise<Ended> {
  const { INIT_CWD: _, LINKSPAN_PROFILE: __, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd: tmpdir(), env }, (failure, out, error) => {
      resolve({ code: typeof failure?.code === 'number' ? failure.code : 0, out, error });
    });
  });
}
