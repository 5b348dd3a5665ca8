import { setTimeout as delay } from 'node:timers/promises';
import { type ChaincodeEvent, GatewayError } from '@hyperledger/fabric-gateway';
import type { Checkpoint, LedgerEvent } from '../ledger.ts';
import { blockNumber, fabricBlockOf } from './block-number.ts';
import { parseEventPayload } from './fabric-messages.ts';
import { isMissingSignature } from './gateway-errors.ts';
import type { Gateways, OpenGateway } from './gateways.ts';

const RECONNECT_AFTER_MS = 200;

/** Every transaction after a checkpoint that carries settlement events. A connection that breaks is made anew where it was. */
export async function* chaincodeEvents(
  gateways: Gateways,
  chaincode: string,
  from: Checkpoint,
  signal: AbortSignal,
): AsyncGenerator<LedgerEvent, void, void> {
  let at = from;
  while (!signal.aborted) {
    const gateway = gateways.current;
    try {
      for await (const event of eventsAfter(gateway, chaincode, at, signal)) {
        at = event.block;
        if (event.events.length > 0) yield event;
        if (signal.aborted) return;
      }
    } catch (error) {
      if (!(error instanceof GatewayError || isMissingSignature(error))) throw error;
      if (signal.aborted) return;
      gateways.leave(gateway);
    }
    await delay(RECONNECT_AFTER_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function* eventsAfter(
  { network }: OpenGateway,
  chaincode: string,
  after: Checkpoint,
  signal: AbortSignal,
): AsyncGenerator<LedgerEvent, void, void> {
  const stream = await network.getChaincodeEvents(chaincode, { startBlock: fabricBlockOf(after) });
  const close = (): void => stream.close();
  signal.addEventListener('abort', close, { once: true });
  // The signal may have fired while the stream was opened.
  if (signal.aborted) close();
  try {
    let last = -1n;
    let place = 0;
    for await (const event of stream) {
      // Counted from the block's beginning, where every stream starts, so that all readers at all peers count alike.
      place = event.blockNumber === last ? place + 1 : 0;
      last = event.blockNumber;
      const block = blockNumber(event.blockNumber, place);
      if (block > after) yield ledgerEvent(block, event);
    }
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function ledgerEvent(block: number, { transactionId, payload }: ChaincodeEvent): LedgerEvent {
  return { block, transaction: transactionId, ...parseEventPayload(payload) };
}
