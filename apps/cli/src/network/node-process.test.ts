import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { localNetworkFile, readNetworkFile } from './network-definition.ts';
import { networkLayout, type OrganisationLayout } from './network-layout.ts';
import {
  checkRuns,
  isRunning,
  notedProcesses,
  renameProcess,
  runsFromHere,
  startProcess,
  stopProcess,
} from './node-process.ts';

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

test('a process can take over the name of one that has ended, and its log goes with it', async () => {
  const own = { ...layout, folder: directory };
  for (const each of notedProcesses(layout)) await stopProcess(layout, each);
  startProcess(own, { ...WAITING, name: 'old', args: ['-e', 'setInterval(() => {}, 1000)', 'of the old one'] });
  const next = startProcess(own, { ...WAITING, name: 'next' });
  const [old] = notedProcesses(layout).filter(({ name }) => name === 'old');
  assert.ok(old);
  assert.ok(old.args?.includes('of the old one'));
  await stopProcess(layout, old);
  renameProcess(own, next, 'old');
  const [only, ...others] = notedProcesses(layout);
  assert.deepEqual([only?.name, only?.pid, others.length], ['old', next.pid, 0]);
  assert.ok(only && isRunning(only));
  assert.deepEqual(
    readdirSync(own.logs)
      .filter((file) => /old|next/.test(file))
      .toSorted(),
    ['old-before.log', 'old.log'],
  );
});

test('a process that has ended is told of with its last words; one that was never started is nobody’s concern', async () => {
  const own = { ...layout, folder: directory };
  const short = { ...WAITING, name: 'short', args: ['-e', 'console.error("listen EADDRINUSE\\n")'] };
  const noted = startProcess(own, short);
  while (isRunning(noted)) await delay(10);
  assert.throws(() => checkRuns(own, { id: 'country-a' }, 'short'), /short of country-a ended: listen EADDRINUSE$/);
  assert.ok(!runsFromHere(own, 'short'));
  checkRuns(own, { id: 'country-a' }, 'another');
});

test('a process that has the number of an earlier one is left alone', async () => {
  const stranger = { name: 'stranger', pid: process.pid, started: 'at another time' };
  assert.ok(!isRunning(stranger));
  await stopProcess(layout, stranger);
});
