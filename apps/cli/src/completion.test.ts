import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { call, startTestApi, type TestApi } from './test-support.ts';

const MAIN = new URL('main.ts', import.meta.url).pathname;

let api: TestApi;

before(async () => {
  api = await startTestApi();
  const file = api.write('trade.json', api.instruction('2026-11-24:AB-000317'.replace(':', '/')));
  const lodged = await call(api.folder, ['instruct', file, '--key', 'tab']);
  assert.equal(lodged.exit, 0, lodged.error);
  mkdirSync(join(api.folder, 'bin'));
  writeFileSync(join(api.folder, 'bin', 'linkspan'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(join(api.folder, 'bin', 'linkspan'), 0o755);
});

after(() => api[Symbol.asyncDispose]());

async function completions(...words: readonly string[]): Promise<string[]> {
  const { exit, out, error } = await call(api.folder, ['__complete', ...words]);
  assert.deepEqual([exit, error], [0, '']);
  return out.split('\n').filter((line) => line !== '');
}

test('commands, options and fixed words are completed from the table of commands', async () => {
  assert.deepEqual(await completions('st'), ['status']);
  assert.deepEqual(await completions('help', 'exit'), ['exit-codes']);
  assert.deepEqual(await completions('settlements', '--p'), ['--party', '--phase', '--profile']);
  assert.deepEqual(await completions('settlements', '--phase', 'c'), ['cancelled', 'committed']);
  assert.deepEqual(await completions('settlements', '--limit', ''), []);
  assert.deepEqual(await completions('audit', ''), ['export', 'verify']);
  assert.deepEqual(await completions('resolve', 'A', 'deliver/bond', ''), ['dead', 'effective']);
  assert.deepEqual(await completions('instruct', ''), [], 'files are the shell’s to complete');
  assert.deepEqual(await completions('nothing', ''), []);
});

test('trade ids, scenarios, systems and organisations come from the network and the profile', async () => {
  assert.deepEqual(await completions('status', '2026'), ['2026-11-24/AB-000317']);
  assert.deepEqual(await completions('audit', 'export', ''), ['2026-11-24/AB-000317']);
  assert.ok((await completions('scenario', 'show', 'dvp')).includes('dvp-buyer-overseas@1'));
  assert.ok((await completions('settlements', '--system', '')).includes('rtgs'));
  assert.deepEqual(await completions('status', '--organisation', 'c'), ['central-bank-a', 'central-bank-b', 'csd-b']);
  assert.deepEqual(await completions('status', '--organisation', 'csd-b', '2026'), ['2026-11-24/AB-000317']);
});

test('where nobody answers nothing is completed and nothing is said', async () => {
  assert.deepEqual(await completions('status', '--api', 'http://127.0.0.1:1', ''), []);
  assert.deepEqual(await completions('status', '--api', 'nonsense', ''), []);
  const outside = await call('/', ['__complete', 'status', '']);
  assert.deepEqual([outside.exit, outside.out, outside.error], [0, '', '']);
});

/** What Bash itself would offer for a line, with the script loaded and the cursor at its end. */
function inBash(line: string): string[] {
  const words = line.split(/([\s@:=])/).filter((word) => word.trim() !== '');
  if (/[\s@:=]$/.test(line) && /\s$/.test(line)) words.push('');
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `
    source <(linkspan completion bash)
    COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDS=(${quoted}) COMP_CWORD=${words.length - 1}
    _linkspan
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${join(api.folder, 'bin')}:${process.env['PATH'] ?? ''}`, INIT_CWD: api.folder };
  const out = execFileSync('bash', ['--norc', '-c', script], { cwd: api.folder, env, encoding: 'utf8' });
  return out.split('\n').filter((each) => each !== '');
}

test('the script works in a real Bash, also where an id has characters at which Bash breaks words', () => {
  assert.deepEqual(inBash('linkspan hist'), ['history']);
  assert.deepEqual(inBash('linkspan status '), ['2026-11-24/AB-000317']);
  const scenarios = inBash('linkspan scenario show dvp-buyer-overseas@');
  assert.deepEqual(scenarios, ['1'], 'only what follows the break is replaced');
});

test('there is a script for each shell and none for others', async () => {
  for (const shell of ['bash', 'zsh', 'fish'])
    assert.match((await call('/', ['completion', shell])).out, /linkspan __complete|__complete "\$\{/);
  assert.equal((await call('/', ['completion', 'cmd'])).exit, 2);
});
