import type { Address } from 'viem';

import { bootstrapToken } from './bootstrap.ts';
import type { FcyEvmConfig } from './config.ts';
import { documentsOf } from './documents.ts';
import { openDurableChain } from './launcher/durable-chain.ts';

/** A running system: a chain with the token on it, behind a JSON-RPC endpoint on loopback. */
export type FcyEvm = {
  url: string;
  token: Address;
  /** Process id of the chain node behind the endpoint. */
  nodePid: number;
  /** Resolves when journal or node failed, after which the system answers no more transactions. */
  failed: Promise<Error>;
  close(): Promise<void>;
};

/**
 * Starts the system: replays what the data folder holds, or makes a new chain, and then opens the port. Throws a
 * StartError, in one sentence, when the folder is in use, the port is taken, or the journal does not fit the configuration.
 */
export async function startFcyEvm(config: FcyEvmConfig, now: () => number = Date.now): Promise<FcyEvm> {
  const { dataDir, chainId, mnemonic, token, certificates } = config;
  const chain = await openDurableChain({
    dataDir,
    chainId,
    mnemonic,
    identity: { token, certificates },
    now,
  });
  try {
    const tokenAddress = await bootstrapToken(chain, config);
    const url = await chain.serve(config.port, documentsOf(config, tokenAddress));
    return {
      url,
      token: tokenAddress,
      nodePid: chain.nodePid,
      failed: chain.failed,
      close: () => chain.close(),
    };
  } catch (error) {
    await chain.close();
    throw error;
  }
}
