import { invariant } from '@linkspan/protocol';
import type { Checkpoint } from '../ledger.ts';

/**
 * Where a transaction stands in the order of a channel, as one number: the Fabric block times this, plus the place among the transactions of our
 * chaincode in that block, from 0. What the port calls a block is one Fabric transaction. See docs/decisions/0009-fabric-blocks.md.
 */
const PLACES = 10_000;

export function blockNumber(fabricBlock: bigint, place: number): Checkpoint {
  invariant(place < PLACES, `a Fabric block holds fewer than ${PLACES} transactions`);
  return Number(fabricBlock) * PLACES + place;
}

export function fabricBlockOf(checkpoint: Checkpoint): bigint {
  return BigInt(Math.floor(checkpoint / PLACES));
}

/** After everything in a Fabric block. */
export function endOfBlock(fabricBlock: bigint): Checkpoint {
  return blockNumber(fabricBlock, PLACES - 1);
}
