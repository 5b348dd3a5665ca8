import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifyChain } from './check-ledger.ts';
import { type EmbeddedLedger, openEmbeddedLedger } from './open-embedded-ledger.ts';
import { smallCall, smallContract } from './small-contract.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'linkspan-kill-'));
});
after(() => rm(directory, { recursive: true }));

test('killed while it writes, the ledger has lost nothing it answered for, and nothing is half there', async () => {
  let acknowledged: string[] = [];
  for (const [run, lines] of [1, 40, 300, 1000].entries()) {
    const own = await submitAndKill(`run${run}`, lines);
    assert.ok(own.length >= lines);
    acknowledged = [...acknowledged, ...own];
    await using ledger = await openEmbeddedLedger({
      directory,
      contract: smallContract,
      verify: () => false,
      now: Date.now,
    });
    const answers = await ledger.submit([
      ...acknowledged.map((name) => smallCall(`get ${name}`)),
      smallCall(`get run${run}`),
    ]);
    const values = answers.map((answer) => answer.ok && answer.value['value']);
    assert.deepEqual(
      values.slice(0, -1),
      acknowledged.map((name) => name.split('-')[2]),
    );
    // Every accepted submit also counted: what is there beyond the answered is whole submits, one value and one count each.
    const height = await ledger.height();
    const events: string[] = [];
    for await (const block of ledger.events(0, AbortSignal.timeout(30_000))) {
      events.push(...block.events.map(({ tradeId }) => tradeId));
      if (block.block === height) break;
    }
    assert.equal(events.filter((name) => name.startsWith(`run${run}-`)).length, Number(values.at(-1)));
    assert.equal(new Set(events).size, events.length);
    for (const name of acknowledged) assert.ok(events.includes(name), name);
    assert.equal(verifyChain(directory).blocks, height);
  }
});

function open(): Promise<EmbeddedLedger> {
  return openEmbeddedLedger({ directory, contract: smallContract, verify: () => false, now: Date.now });
}

/** The names that a process answered for before it was killed, once it had said at least so many. */
async function submitAndKill(run: string, lines: number): Promise<string[]> {
  const script = fileURLToPath(new URL('submit-until-killed.ts', import.meta.url));
  const child = spawn(process.execPath, [script, directory, run], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const names: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      names.push(line);
      if (names.length !== lines) continue;
      await assert.rejects(open(), /open already, here or in another process/);
      child.kill('SIGKILL');
    }
  } finally {
    child.kill('SIGKILL');
  }
  assert.deepEqual(await exit, [null, 'SIGKILL']);
  // The last line may have been cut off while it was written.
  return names.filter((name) => /^run\d+-\d+-\d+$/.test(name));
}
