import { type ChaincodeEvent, GatewayError } from '@hyperledger/fabric-gateway';
import { Fault, type Hash, hashFromHex } from '@linkspan/protocol';
import { NO_OPERATION, type ObservationFilter, type ObservedEvent, wants } from '../../connector.ts';
import { backOffMs, pause } from '../../pause.ts';
import type { FabricConfig } from './fabric-config.ts';
import type { GatewayPool, OpenGateway } from './gateway-pool.ts';
import { movedTerms } from './operation-verdict.ts';
import type { Change, TokenReader } from './token-records.ts';

/** Where a stream stands: everything in the blocks before this one, and in it so many changes, counted through its events in their order. */
type Place = { readonly block: bigint; readonly changes: number };

/**
 * Follows the chaincode's events from a cursor. `BLOCK` is everything up to that block, `BLOCK.CHANGES` so many changes of it. Every peer has the same
 * events in the same order, so a cursor means the same at all of them. A stream that breaks is opened anew where it was.
 */
export async function* observeEvents(
  { config, pool, read }: { readonly config: FabricConfig; readonly pool: GatewayPool; readonly read: TokenReader },
  cursor: string,
  filter: ObservationFilter,
  signal: AbortSignal,
): AsyncGenerator<ObservedEvent> {
  let after = parseCursor(cursor);
  let failures = 0;
  while (!signal.aborted) {
    const gateway = pool.current;
    try {
      for await (const { place, change, transaction } of changesAfter(gateway, config.chaincode, read, after, signal)) {
        failures = 0;
        after = place;
        const { observation, settlement } = observed(config, change, transaction);
        if (wants(filter, observation, settlement)) yield { cursor: `${place.block}.${place.changes}`, observation };
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      if (!signal.aborted) pool.leave(gateway);
    }
    await pause(backOffMs(++failures, 50, 1_000), signal);
  }
}

function parseCursor(cursor: string): Place {
  if (cursor === '') return { block: 0n, changes: 0 };
  const [, block, changes] = /^([0-9]{1,15})(?:\.([0-9]{1,9}))?$/.exec(cursor) ?? [];
  if (block === undefined) throw new Fault('system-unavailable', 'The cursor is no place in the channel.');
  return changes === undefined
    ? { block: BigInt(block) + 1n, changes: 0 }
    : { block: BigInt(block), changes: Number(changes) };
}

type Placed = { readonly place: Place; readonly change: Change; readonly transaction: string };

async function* changesAfter(
  { network }: OpenGateway,
  chaincode: string,
  read: TokenReader,
  after: Place,
  signal: AbortSignal,
): AsyncGenerator<Placed> {
  const stream = await network.getChaincodeEvents(chaincode, { startBlock: after.block });
  const close = (): void => stream.close();
  signal.addEventListener('abort', close, { once: true });
  // The signal may have fired while the stream was opened.
  if (signal.aborted) close();
  try {
    let block = -1n;
    let changes = 0;
    for await (const event of stream) {
      if (event.blockNumber !== block) [block, changes] = [event.blockNumber, 0];
      for (const change of changesOf(event, read)) {
        changes += 1;
        const isNew = block > after.block || changes > after.changes;
        if (change && isNew) yield { place: { block, changes }, change, transaction: event.transactionId };
      }
    }
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function changesOf({ payload }: ChaincodeEvent, read: TokenReader): readonly (Change | undefined)[] {
  return read.changes(payload);
}

function observed(
  config: FabricConfig,
  change: Change,
  transaction: string,
): Pick<ObservedEvent, 'observation'> & { readonly settlement: Hash | undefined } {
  if (change.type === 'fenced') {
    const { reason } = change;
    const operation = hashFromHex(change.operation);
    return { observation: { operation, status: 'dead', terms: {}, reason, transaction }, settlement: undefined };
  }
  const operation = change.operation === undefined ? NO_OPERATION : hashFromHex(change.operation);
  const hold = change.hold === undefined ? {} : { hold: hashFromHex(change.hold) };
  const terms = { ...movedTerms(change, config), ...hold };
  return {
    observation: { operation, status: 'effective', terms, reason: '', transaction },
    settlement: hashFromHex(change.settlement),
  };
}
