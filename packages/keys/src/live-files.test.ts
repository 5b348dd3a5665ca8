import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import { createLiveFiles, type LiveFiles } from './live-files.ts';

let directory = '';
let path = '';
let broken: string[] = [];
let files: LiveFiles;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'linkspan-files-'));
  path = join(directory, 'secret');
  broken = [];
  files = createLiveFiles({ now: Date.now, onBroken: (message) => broken.push(message) });
});
afterEach(() => {
  files[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

test('a secret is the one line of its file, and prints nowhere', () => {
  write('hunter2\n');
  const secret = open();
  assert.equal(secret.current(), 'hunter2');
  assert.ok(!inspect(secret, { depth: 9, showHidden: true }).includes('hunter2'));
});

test('what others can use, or is no one line, is refused with what mends it', () => {
  for (const mode of [0o640, 0o604, 0o660, 0o666]) {
    write('x', mode);
    const { ok, message } = refusalOf();
    assert.ok(
      !ok && message.includes(`has mode 0${mode.toString(8)}: others can use it. Run: chmod 600 ${path}`),
      message,
    );
  }
  write('two\nlines');
  assert.match(refusalOf().message, /not one line/);
  write('');
  assert.match(refusalOf().message, /not one line/);
  rmSync(path);
  assert.match(refusalOf().message, /cannot be read \(ENOENT\)/);
  const folder = files.secret(directory);
  assert.ok(!folder.ok && /no regular file/.test(folder.refusal.message));
});

test('a program library is taken where nobody else can write it, however large it is', () => {
  write('x'.repeat(5 * 1024 * 1024), 0o755);
  assert.deepEqual(files.library(path), { ok: true, value: path });
  chmodSync(path, 0o775);
  const open = files.library(path);
  assert.ok(!open.ok && /program library .* has mode 0775: others can write it/.test(open.refusal.message));
  const none = files.library(`${path}.so`);
  assert.ok(!none.ok && /cannot be read \(ENOENT\)/.test(none.refusal.message));
  assert.ok(!files.secret(path).ok, 'a secret has no such size');
});

test('a renewed secret is in use at once when asked, and its listeners learn of it', () => {
  write('first');
  const secret = open();
  const heard: string[] = [];
  const stop = secret.onChange((value) => heard.push(value));
  write('second');
  files.reread();
  assert.deepEqual([secret.current(), heard], ['second', ['second']]);
  stop();
  write('third');
  files.reread();
  assert.deepEqual([secret.current(), heard], ['third', ['second']]);
});

test('what cannot be used leaves the former in use, is told once, and is taken as soon as it is mended', () => {
  write('first');
  const secret = open();
  write('second', 0o644);
  for (let i = 0; i < 3; i++) files.reread();
  assert.equal(secret.current(), 'first');
  assert.equal(broken.length, 1);
  assert.match(broken[0] ?? '', /the former content stays in use.*chmod 600/);
  assert.deepEqual(files.state().broken, broken);
  chmodSync(path, 0o600);
  files.reread();
  assert.equal(secret.current(), 'second');
  assert.deepEqual(files.state().broken, []);
});

test('without being asked, it is noticed by itself', async () => {
  write('first');
  const secret = open();
  files.watch();
  const { promise, resolve } = Promise.withResolvers<string>();
  secret.onChange(resolve);
  // What watches does not keep a process alive; the test has to.
  const alive = setTimeout(() => resolve('too late'), 15_000);
  write('second');
  assert.equal(await promise, 'second');
  clearTimeout(alive);
});

function write(text: string, mode = 0o600): void {
  rmSync(path, { force: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

function open() {
  const secret = files.secret(path);
  assert.ok(secret.ok);
  return secret.value;
}

function refusalOf(): { readonly ok: boolean; readonly message: string } {
  const secret = files.secret(path);
  return { ok: secret.ok, message: secret.ok ? '' : secret.refusal.message };
}
