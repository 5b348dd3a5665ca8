import { openEmbeddedLedger } from './open-embedded-ledger.ts';
import { smallCall, smallContract } from './small-contract.ts';

/**
 * A process for one test: submits without end in the directory it is given and says each name on a line once the ledger has answered for it,
 * so that whoever kills it knows what it may not have lost.
 */
const [directory = '', run = ''] = process.argv.slice(2);
const ledger = await openEmbeddedLedger({ directory, contract: smallContract, verify: () => false, now: Date.now });

async function submitForEver(caller: number): Promise<void> {
  for (let i = 0; ; i++) {
    const name = `${run}-${caller}-${i}`;
    const [put] = await ledger.submit([
      smallCall(`put ${name} ${i}`),
      smallCall(`count ${run}`),
      smallCall(`event ${name}`),
    ]);
    if (put?.ok) process.stdout.write(`${name}\n`);
  }
}

await Promise.all(Array.from({ length: 6 }, (_, caller) => submitForEver(caller)));
