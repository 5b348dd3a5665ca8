import type { EvmSystem } from './evm-connector.ts';
import type { Hex } from './json-rpc.ts';
import { TRANSFER_TOPIC } from './token-reader.ts';

const PAGE_BLOCKS = 5_000;
const ZERO = `0x${'0'.repeat(40)}`;

/** Every account that ever took part in a transfer. A chain keeps no list of them, so it is gathered from the log and carried on. */
export function createAccountBook(evm: EvmSystem): { known(): Promise<readonly Hex[]> } {
  const found = new Set<Hex>();
  let next = evm.config.firstBlock;
  let reading: Promise<void> | undefined;

  async function catchUp(): Promise<void> {
    const final = (await evm.head.latest()) - evm.config.confirmations;
    while (next <= final) {
      const to = Math.min(final, next + PAGE_BLOCKS - 1);
      for (const { topics } of await evm.reader.logs({ from: next, to, topics: [TRANSFER_TOPIC] })) {
        for (const topic of topics.slice(1)) {
          const address: Hex = `0x${topic.slice(-40).toLowerCase()}`;
          if (address !== ZERO) found.add(address);
        }
      }
      next = to + 1;
    }
  }

  return {
    async known() {
      reading ??= catchUp().finally(() => {
        reading = undefined;
      });
      await reading;
      return [...found];
    },
  };
}
