import { setTimeout as delay } from 'node:timers/promises';

import type { Journal, JournalEntry } from './journal.ts';
import type { RpcReply } from './json-rpc.ts';
import { isObject, rpcErrorCodes, rpcFailure } from './json-rpc.ts';
import type { NodeClient } from './node-client.ts';
import { StartError } from './start-error.ts';

/** Journals transactions before the node sees them, and cuts the blocks. */
export type Miner = {
  /**
   * Takes transactions that belong together: one journal entry keeps all of them or, after a crash, none. Resolves with
   * the node's reply to each. When no block was due for a while, that is after their block; under load it is before.
   */
  submit(transactions: readonly string[]): Promise<RpcReply[]>;
  /** Resolves with the first failure of journal or node; from then on nothing more is accepted. */
  failed: Promise<Error>;
  /** Finishes the entry at hand and takes nothing more. */
  stop(): Promise<void>;
};

export type MinerSettings = {
  journal: Journal;
  node: NodeClient;
  /** Milliseconds since 1970; block times are never earlier than those before them, whatever it says. */
  now: () => number;
  /** The least time between two blocks. */
  blockIntervalMs: number;
};

type Group = { transactions: readonly string[]; answer: (replies: RpcReply[]) => void };
type Head = { hash: string; timestamp: number; transactions: number };

const maxWaiting = 20_000;

// More at once would make the first of them wait for their block until the last has been sent.
const maxPerEntry = 100;

/** Replays the journal on a fresh node, so that every block has its old hash, and then mines on. Throws a StartError. */
export async function startMiner({ journal, node, now, blockIntervalMs }: MinerSettings): Promise<Miner> {
  const chain = await openChain(node);
  for (const [index, entry] of journal.entries.entries()) {
    if (entry.parent !== chain.head().hash) throw replayDiverged(index, entry, chain.head());
    await chain.apply(entry);
  }

  const inbox: Group[] = [];
  let waiting = 0;
  let lastCutMs = Number.NEGATIVE_INFINITY;
  let closed = false;
  let wake = Promise.withResolvers<void>();
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();

  function submit(transactions: readonly string[]): Promise<RpcReply[]> {
    const { promise, resolve } = Promise.withResolvers<RpcReply[]>();
    if (closed) resolve(refuseAll(transactions, 'The node is shutting down.'));
    else if (waiting + transactions.length > maxWaiting)
      resolve(refuseAll(transactions, 'Too many transactions wait.'));
    else {
      inbox.push({ transactions, answer: resolve });
      waiting += transactions.length;
      wake.resolve();
    }
    return promise;
  }

  async function run(): Promise<void> {
    while (!closed) {
      if (inbox.length === 0) await rest();
      if (!closed) await step(takeGroups(inbox));
    }
  }

  /** Waits for work: a transaction, or the time for a block when the node has transactions without one. */
  async function rest(): Promise<void> {
    wake = Promise.withResolvers<void>();
    if (!chain.hasUnmined()) return await wake.promise;
    const timer = new AbortController();
    const due = delay(Math.max(0, lastCutMs + blockIntervalMs - performance.now()), undefined, {
      signal: timer.signal,
    });
    await Promise.race([wake.promise, due.catch(() => {})]);
    timer.abort();
  }

  async function step(groups: Group[]): Promise<void> {
    const transactions = groups.flatMap((group) => group.transactions);
    // The pace is kept by the monotonic clock: a wall clock set back would stop the chain for as long.
    const isDue = performance.now() >= lastCutMs + blockIntervalMs;
    if (transactions.length === 0 && !(isDue && chain.hasUnmined())) return;
    if (isDue) lastCutMs = performance.now();
    const timestamp = isDue ? Math.max(Math.floor(now() / 1000), chain.head().timestamp) : null;
    const entry: JournalEntry = { transactions, timestamp, parent: chain.head().hash };
    try {
      await journal.append(entry);
      const replies = await chain.apply(entry);
      for (const group of groups) group.answer(replies.splice(0, group.transactions.length));
    } catch (error) {
      closed = true;
      // Whether these transactions happen is open: they may be in the journal. The sender must look before sending again.
      for (const group of groups) group.answer(refuseAll(group.transactions, 'The node failed while storing this.'));
      fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      waiting -= transactions.length;
    }
  }

  const ended = run().finally(() => {
    for (const group of inbox.splice(0)) group.answer(refuseAll(group.transactions, 'The node is shutting down.'));
  });

  async function stop(): Promise<void> {
    closed = true;
    wake.resolve();
    await ended;
  }

  return { submit, failed, stop };
}

type Chain = {
  head(): Head;
  /** Whether the node accepted transactions that are in no block yet, and that the last block did not leave out. */
  hasUnmined(): boolean;
  apply(entry: JournalEntry): Promise<RpcReply[]>;
};

/** Live work and replay share this, so that the same entries give the same chain. */
async function openChain(node: NodeClient): Promise<Chain> {
  let head = await readHead(node);
  let unmined = 0;

  async function apply(entry: JournalEntry): Promise<RpcReply[]> {
    const replies: RpcReply[] = [];
    // One after the other: the node orders equally priced transactions by their arrival.
    for (const transaction of entry.transactions)
      replies.push(await node.call('eth_sendRawTransaction', [transaction]));
    unmined += replies.filter((reply) => reply.ok).length;
    if (entry.timestamp !== null && unmined > 0) await cutBlock(entry.timestamp);
    return replies;
  }

  async function cutBlock(timestamp: number): Promise<void> {
    await node.demand('evm_setNextBlockTimestamp', [timestamp]);
    await node.demand('evm_mine', []);
    head = await readHead(node);
    // What a block leaves out although it had room for others waits for an earlier nonce: another block would be empty.
    unmined = head.transactions === 0 ? 0 : Math.max(0, unmined - head.transactions);
  }

  return { head: () => head, hasUnmined: () => unmined > 0, apply };
}

async function readHead(node: NodeClient): Promise<Head> {
  const block = await node.demand('eth_getBlockByNumber', ['latest', false]);
  if (isObject(block) && typeof block.hash === 'string' && Array.isArray(block.transactions)) {
    const timestamp = Number(block.timestamp);
    if (Number.isSafeInteger(timestamp))
      return { hash: block.hash, timestamp, transactions: block.transactions.length };
  }
  throw new Error('The chain node returned something else than a block.');
}

/** Takes the oldest groups, each whole, up to the size of an entry; a group that is larger makes an entry of its own. */
function takeGroups(inbox: Group[]): Group[] {
  let transactions = 0;
  const fitting = inbox.findIndex((group, index) => {
    transactions += group.transactions.length;
    return index > 0 && transactions > maxPerEntry;
  });
  return inbox.splice(0, fitting < 0 ? inbox.length : fitting);
}

function refuseAll(transactions: readonly string[], message: string): RpcReply[] {
  return transactions.map(() => rpcFailure(rpcErrorCodes.limitExceeded, message));
}

function replayDiverged(index: number, entry: JournalEntry, head: Head): StartError {
  const expected = `entry ${index + 1} of the journal was made on block ${entry.parent}`;
  return new StartError(
    `The replay differs: ${expected}, but the node has ${head.hash}; is it another version of anvil?`,
  );
}
