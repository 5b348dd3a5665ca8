import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulate.ts';

/** Fixed, so that a run means the same on every machine; `npm run torture` and `run.ts` go further. */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

test('I1-I9 hold in simulated networks, and a seed always tells the same story', async (t) => {
  for (const seed of SEEDS) {
    await t.test(`seed ${seed}`, async () => {
      const first = await run(seed);
      const second = await run(seed);
      assert.deepEqual(second, first, `two runs of one seed differ: node test/simulation/run.ts ${seed}`);
    });
  }
});

test('an invariant that does not hold is found', async () => {
  const log: string[] = [];
  await assert.rejects(
    simulate(1, log, (network) => network.system('rtgs').books.embezzle('9001', 'JPY', 1n)),
    /I2 value is conserved/,
  );
});

async function run(seed: number): Promise<readonly string[]> {
  const log: string[] = [];
  try {
    return (await simulate(seed, log)).log;
  } catch (cause) {
    const last = log.slice(-40).join('\n');
    throw new Error(`seed ${seed} failed; node test/simulation/run.ts ${seed} repeats it\n${last}`, { cause });
  }
}
