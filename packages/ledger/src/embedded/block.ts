import { hash as digest } from 'node:crypto';
import { canonicalJson, type Hash } from '@linkspan/protocol';

/**
 * One ledger transaction. Calls (the accepted ones), their results, the events and the writes are JSON texts, hashed and kept as they were
 * written. Writes are `[key, hash of the value or null]` in order, so that the state can be checked against the chain.
 */
export type Block = {
  readonly number: number;
  readonly time: number;
  readonly previous: Hash;
  readonly calls: string;
  readonly results: string;
  readonly events: string;
  readonly writes: string;
  readonly hash: Hash;
};

/** What the next block stands on. */
export type ChainEnd = Pick<Block, 'number' | 'time' | 'hash'>;

export const NO_BLOCK: ChainEnd = { number: 0, time: 0, hash: `sha256:${'0'.repeat(64)}` };

export function textHash(text: string): Hash {
  return `sha256:${digest('sha256', text, 'hex')}`;
}

export function sealBlock(block: Omit<Block, 'hash'>): Block {
  return { ...block, hash: blockHash(block) };
}

/** SHA-256 over the canonical JSON of number, time, the previous block's hash, and the hashes of the four texts. */
export function blockHash(block: Omit<Block, 'hash'>): Hash {
  const { number, time, previous, calls, results, events, writes } = block;
  const hashes = {
    calls: textHash(calls),
    results: textHash(results),
    events: textHash(events),
    writes: textHash(writes),
  };
  return textHash(canonicalJson({ schema: 'block/1', number, time, previous, ...hashes }));
}

/** The id of a block's transaction. It is fixed before the calls run, so it stands on what is known then. */
export function transactionId(number: number, time: number, previous: Hash): string {
  return textHash(canonicalJson({ schema: 'transaction/1', number, time, previous })).slice('sha256:'.length);
}

/** What is wrong with a block that is said to follow another, or undefined. */
export function brokenLink(before: ChainEnd, block: Block): string | undefined {
  if (block.number !== before.number + 1) return `block ${before.number + 1} is missing`;
  if (block.previous !== before.hash) return `block ${block.number} does not follow block ${before.number}`;
  if (block.hash !== blockHash(block)) return `the content of block ${block.number} does not have its hash`;
  if (block.time < before.time) return `block ${block.number} is older than the one before`;
  return undefined;
}
