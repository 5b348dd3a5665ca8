import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Child, ChildFailed, lastWords } from './child.ts';

let directory = '';
before(() => (directory = mkdtempSync(join(tmpdir(), 'linkspan-child-'))));
after(() => rmSync(directory, { recursive: true }));

test('a process is ready when it says so, is asked to end, and leaves its output in its log', async () => {
  const child = open(
    'quiet',
    `process.on('SIGTERM', () => process.exit(0)); console.log('{"ready":true,"url":"u"}'); setInterval(() => undefined, 1000);`,
  );
  assert.deepEqual(await child.ready, { ready: true, url: 'u' });
  assert.deepEqual(await child.stop(), { forced: false });
  const { code, signal, log } = await child.ended;
  assert.deepEqual([code, signal], [0, null]);
  assert.match(readFileSync(log, 'utf8'), /"url":"u"/);
});

test('a process that ends before it is ready is told of with its own words', async () => {
  const child = open(
    'loud',
    `console.error('{"level":40}'); console.error('The port 1 is in use.'); process.exitCode = 1;`,
  );
  await assert.rejects(
    child.ready,
    (error) =>
      error instanceof ChildFailed &&
      /^loud ended with code 1: The port 1 is in use\. Its log is .*loud\.log$/.test(error.message),
  );
});

test('of a process that was killed only that is said, whatever it wrote before', async () => {
  const child = open(
    'killed',
    `console.error('a warning'); console.log('{"ready":true}'); setInterval(() => undefined, 1000);`,
  );
  await child.ready;
  child.kill('SIGKILL');
  assert.match(new ChildFailed(await child.ended).message, /^killed was ended by SIGKILL\. Its log is /);
});

test('the last words are the message of an uncaught error, or else the last line for people', () => {
  assert.equal(lastWords('one\ntwo\n\n'), 'two');
  assert.equal(lastWords('The disk is full.\n{"level":50,"msg":"x"}\n'), 'The disk is full.');
  assert.equal(lastWords(''), '');
  const uncaught = `file:///x.ts:1\nthrow new Broken('x');\n^\n\nBroken: two decisions: commit and abort\n    at file:///x.ts:1:7 {\n  code: 'E'\n}\n\nNode.js v24.21.0\n`;
  assert.equal(lastWords(uncaught), 'two decisions: commit and abort');
  assert.equal(
    lastWords("Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'x'\n    at y\n\nNode.js v24.21.0\n"),
    "Cannot find package 'x'",
  );
});

function open(name: string, script: string): Child {
  const path = join(directory, `${name}.mjs`);
  writeFileSync(path, script);
  return new Child({ name, script: path, config: 'none' }, join(directory, 'log'));
}
