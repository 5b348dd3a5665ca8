import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type { GenesisSettings } from './anvil-process.ts';
import { genesisTimestamp, mnemonicAccounts, startAnvil } from './anvil-process.ts';
import { lockDataDir } from './data-lock.ts';
import { openJournal } from './journal.ts';
import type { Miner } from './miner.ts';
import { startMiner } from './miner.ts';
import type { NodeClient } from './node-client.ts';
import { nodeClient } from './node-client.ts';
import type { FrontDocument } from './rpc-front.ts';
import { openRpcFront } from './rpc-front.ts';

/** An anvil chain that survives `kill -9`: its journal is the chain, the node merely computes it. */
export type DurableChain = {
  node: NodeClient;
  miner: Miner;
  /** Process id of the node, for tests that look after left-over processes. */
  nodePid: number;
  /** Opens the port; call it when the chain holds what strangers may rely on. */
  serve(port: number, documents: ReadonlyMap<string, FrontDocument>): Promise<string>;
  /** Resolves with the first failure of journal or node. */
  failed: Promise<Error>;
  close(): Promise<void>;
};

export type ChainSettings = GenesisSettings & {
  dataDir: string;
  /** Whatever else the chain's first block is made of; a journal made with something else is refused. */
  identity: unknown;
  now: () => number;
};

const blockIntervalMs = 50;

/** Locks the data folder, starts the node and replays the journal. Throws a StartError, leaving nothing behind. */
export async function openDurableChain(settings: ChainSettings): Promise<DurableChain> {
  const { dataDir, chainId, mnemonic, identity, now } = settings;
  const opened = new AsyncDisposableStack();
  try {
    const lock = lockDataDir(dataDir);
    opened.defer(() => lock.release());
    const journal = openJournal(join(dataDir, 'journal.jsonl'), genesisHash({ chainId, mnemonic, identity }));
    opened.defer(() => journal.close());
    const anvil = await startAnvil(dataDir, { chainId, mnemonic });
    opened.defer(() => anvil.stop());
    const node = nodeClient(anvil.port);
    opened.defer(() => node.close());
    const miner = await startMiner({ journal, node, now, blockIntervalMs });
    opened.defer(() => miner.stop());
    const nodeDied = anvil.died.then((sentence) => new Error(sentence));

    async function serve(port: number, documents: ReadonlyMap<string, FrontDocument>): Promise<string> {
      const front = await openRpcFront(port, { node, miner, documents });
      opened.defer(() => front.close());
      return front.url;
    }

    return {
      node,
      miner,
      nodePid: anvil.pid,
      serve,
      failed: Promise.race([miner.failed, nodeDied]),
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function genesisHash(parts: { chainId: number; mnemonic: string; identity: unknown }): string {
  const genesis = { ...parts, genesisTimestamp, mnemonicAccounts };
  return `sha256:${createHash('sha256').update(JSON.stringify(genesis)).digest('hex')}`;
}
