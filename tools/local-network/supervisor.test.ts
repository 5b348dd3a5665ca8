import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ChildFailed } from './child.ts';
import { Supervisor } from './supervisor.ts';

let directory = '';
let script = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'linkspan-supervisor-'));
  script = join(directory, 'one.mjs');
  writeFileSync(script, `console.log('{"ready":true}'); setInterval(() => undefined, 1000);`);
});
after(() => rmSync(directory, { recursive: true }));

test('a process that somebody kills ends the whole, with how it ended', async () => {
  const supervisor = open();
  await supervisor.startAll();
  killFromOutside(supervisor);
  await assert.rejects(supervisor.failed, /^ChildFailed: one was ended by SIGKILL\. Its log is /);
  await supervisor.stopAll();
});

test('once it is to be kept up it is started again and that is said, until it ends too often', async () => {
  const supervisor = open();
  await supervisor.startAll();
  const said: string[] = [];
  let isBack: () => void = () => undefined;
  supervisor.keepUp((line) => {
    said.push(line);
    if (line === 'one is back') isBack();
  });
  const pids = new Set([supervisor.pids().get('one')]);
  for (let kills = 1; kills <= 5; kills++) {
    const back = new Promise<void>((resolve) => (isBack = resolve));
    killFromOutside(supervisor);
    await Promise.race([back, supervisor.failed]);
    pids.add(supervisor.pids().get('one'));
  }
  assert.equal(pids.size, 6);
  assert.match(said[0] ?? '', /^one is started again: one was ended by SIGKILL\. Its log is /);
  assert.equal(said.length, 10);
  killFromOutside(supervisor);
  await assert.rejects(supervisor.failed, (error) => error instanceof ChildFailed);
  await supervisor.stopAll();
});

test('what is taken down on purpose stays down until it is started', async () => {
  const supervisor = open();
  await supervisor.startAll();
  const said: string[] = [];
  supervisor.keepUp((line) => said.push(line));
  await supervisor.kill('one');
  await supervisor.start('one');
  assert.deepEqual([await supervisor.stopAll(), said], [[], []]);
});

function open(): Supervisor {
  return new Supervisor([{ name: 'one', script, config: 'none' }], directory);
}

function killFromOutside(supervisor: Supervisor): void {
  const pid = supervisor.pids().get('one');
  assert.ok(pid !== undefined);
  process.kill(pid, 'SIGKILL');
}
