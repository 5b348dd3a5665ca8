import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { localNetworkFile, readNetworkFile } from './network-definition.ts';
import { networkLayout, type OrganisationLayout } from './network-layout.ts';
import { isRunning, notedProcesses, startProcess, stopProcess } from './node-process.ts';

const WAITING = { name: 'first', program: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: {} };
let directory: string;
let layout: OrganisationLayout;

before(() => {
  directory = mkdtempSync(`${tmpdir()}/linkspan-process-`);
  const [organisation] = readNetworkFile(localNetworkFile(4, 20_000)).organisations;
  assert.ok(organisation);
  layout = networkLayout(directory).organisation(organisation);
  startProcess({ ...layout, folder: directory }, { ...WAITING, name: 'first' });
});

after(async () => {
  for (const noted of notedProcesses(layout)) await stopProcess(layout, noted);
  rmSync(directory, { recursive: true });
});

test('a process that runs is not started again, and one that has ended is', async () => {
  const own = { ...layout, folder: directory };
  const [first] = notedProcesses(layout);
  assert.ok(first && isRunning(first));
  assert.equal(startProcess(own, WAITING).pid, first.pid);
  await stopProcess(layout, first);
  assert.ok(!isRunning(first));
  assert.deepEqual(notedProcesses(layout), []);
  const second = startProcess(own, WAITING);
  assert.notEqual(second.pid, first.pid);
});

test('a process that has the number of an earlier one is left alone', async () => {
  const stranger = { name: 'stranger', pid: process.pid, started: 'at another time' };
  assert.ok(!isRunning(stranger));
  await stopProcess(layout, stranger);
});
