import type { ArchivedLedger } from '../archive.ts';
import type { FabricLedgerOptions } from './fabric-ledger.ts';

/**
 * The Ledger of an organisation that has a node of its own in a Fabric network. Nothing is asked of the network until it is used. A transaction is one
 * block of this port, with a number as docs/decisions/0009-fabric-blocks.md says. Its time lies within δ of real time; times of different
 * organisations' transactions may be that much out of order.
 */
export async function openFabricLedger(options: FabricLedgerOptions): Promise<ArchivedLedger> {
  // Fabric's client is loaded by those alone who have a Fabric network.
  const { FabricLedger } = await import('./fabric-ledger.ts');
  return new FabricLedger(options);
}
