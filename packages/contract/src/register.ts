import type { Register } from '@linkspan/protocol';
import { hashOf, type Hash } from '@linkspan/protocol';
import { ACCOUNT, INSTRUMENT, PARTY, SCENARIO, SLOT, SYSTEM } from './store.ts';
import type { World } from './world.ts';

/** What is registered, as instructions are checked against it. */
export function registerOf(world: Pick<World, 'get'>): Register {
  return {
    party: (lei) => PARTY.get(world, lei),
    account: (id) => ACCOUNT.get(world, id),
    instrument: (isin) => INSTRUMENT.get(world, isin),
    system: (id) => SYSTEM.get(world, id),
    scenario: (reference) => SCENARIO.get(world, reference),
    tradeIdUsed: (tradeId, lodgers) => typeof SLOT.get(world, slotKey(tradeId, lodgers))?.used === 'string',
  };
}

/** A trade id belongs to the organisations that must lodge it together, so nobody can occupy another's. */
export function slotKey(tradeId: string, lodgers: readonly string[]): Hash {
  return hashOf({ schema: 'slot/1', tradeId, lodgers });
}
