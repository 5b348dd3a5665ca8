import { simulate } from './simulate.ts';

/** `node test/simulation/run.ts SEED [COUNT]`: runs a seed, or several from it on, and prints what happened; stops at the first that fails. */
const [first = '1', count = '1'] = process.argv.slice(2);
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const log: string[] = [];
  try {
    const { ends } = await simulate(seed, log);
    if (count === '1') console.log(log.join('\n'));
    else console.log(`seed ${seed}: ${log.length} lines, ${Object.values(ends).toSorted().join(' ')}`);
  } catch (error) {
    console.log(log.join('\n'));
    console.log(`seed ${seed} failed: node test/simulation/run.ts ${seed}`);
    throw error;
  }
}
