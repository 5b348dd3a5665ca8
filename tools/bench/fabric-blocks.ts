import { fabricBlockOf } from '../../packages/ledger/src/fabric/block-number.ts';
import { readBlock } from '../../packages/ledger/src/fabric/fabric-block.ts';
import { transactionsOfBlock } from '../../packages/ledger/src/fabric/fabric-messages.ts';
import { Gateways } from '../../packages/ledger/src/fabric/gateways.ts';
import type { TestNetwork } from '../../test/integration/fabric-network.ts';

/** What blocks of a channel hold. */
export type BlocksRead = {
  readonly blocks: number;
  readonly bytes: number;
  /** Transactions that took effect, and those that peers refused because what they had read was changed before. */
  readonly transactions: number;
  readonly conflicts: number;
  /** Calls in the transactions that took effect, by type. */
  readonly calls: Readonly<Record<string, number>>;
};

/** Reads the blocks after one checkpoint up to and with another. */
export async function blocksBetween(fabric: TestNetwork, from: number, to: number): Promise<BlocksRead> {
  const { network } = fabric;
  const [organisation] = network.organisations;
  if (!organisation) throw new Error('the network has no organisation');
  using gateways = new Gateways(fabric.ledgerOptions(organisation));
  const last = fabricBlockOf(to);
  const sum = { blocks: 0, bytes: 0, transactions: 0, conflicts: 0 };
  const calls: Record<string, number> = {};
  if (fabricBlockOf(from) >= last) return { ...sum, calls };
  const stream = await gateways.current.network.getBlockEvents({ startBlock: fabricBlockOf(from) + 1n });
  try {
    for await (const block of stream) {
      const bytes = block.serializeBinary();
      const { number, validationCodes } = readBlock(bytes);
      sum.blocks += 1;
      sum.bytes += bytes.length;
      sum.conflicts += validationCodes.filter((code) => code !== 0).length;
      for (const transaction of transactionsOfBlock(bytes, network.chaincode).transactions) {
        sum.transactions += 1;
        for (const { call } of transaction.calls) calls[call.body.type] = (calls[call.body.type] ?? 0) + 1;
      }
      if (number >= last) break;
    }
  } finally {
    stream.close();
  }
  return { ...sum, calls };
}
