import { join } from 'node:path';
import { applyCalls, runQuery } from '@linkspan/contract';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import { openEmbeddedLedger } from '@linkspan/ledger';
import { inProcessNetwork } from '@linkspan/testkit';
import { runCallers } from './callers.ts';
import { withSettle } from './in-process.ts';
import type { StoredRound } from './stored.ts';

/**
 * One round on a store, in a process of its own so that its memory is its own. Prints a line of JSON.
 * Usage: node stored-round.ts FOLDER CALLERS SETTLEMENTS journals|no-journals
 */
const [folder = '', callers = '', settlements = '', journals = ''] = process.argv.slice(2);
useNativeHashes();
const began = performance.now();
const since = (from: number): number => performance.now() - from;
const verify = createVerify({ memoize: 20_000 });
const contract = { applyCalls, runQuery };
await using ledger = await openEmbeddedLedger({ directory: join(folder, 'ledger'), contract, verify, now: Date.now });
const openMs = since(began);
await using network = await inProcessNetwork({ ledger, ...(journals === 'journals' ? { journals: folder } : {}) });
const readyMs = since(began);
const run = Date.now();
await withSettle(network, async (settle) => {
  await settle(`first-${run}`);
  const firstMs = since(began);
  await runCallers(Number(callers), 100, (i) => settle(`warm-${run}-${i}`));
  const cpu = process.cpuUsage();
  const { seconds } = await runCallers(Number(callers), Number(settlements), (i) => settle(`round-${run}-${i}`));
  const used = process.cpuUsage(cpu);
  const round: StoredRound = {
    openMs,
    readyMs,
    firstMs,
    msEach: (seconds * 1000) / Number(settlements),
    cpuMsEach: (used.user + used.system) / 1000 / Number(settlements),
    memoryMb: process.memoryUsage.rss() / 2 ** 20,
  };
  process.stdout.write(`${JSON.stringify(round)}\n`);
});
