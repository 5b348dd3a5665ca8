import type { Register, RegisteredScenario } from '@linkspan/protocol';
import { hashOf, type Hash } from '@linkspan/protocol';
import { ACCOUNT, INSTRUMENT, NETWORK, PARTY, SCENARIO, SLOT, SYSTEM } from './store.ts';
import type { World } from './world.ts';

/** What is registered, as instructions are checked against it. */
export function registerOf(world: Pick<World, 'get'>): Register {
  return {
    party: (lei) => PARTY.get(world, lei),
    account: (id) => ACCOUNT.get(world, id),
    instrument: (isin) => INSTRUMENT.get(world, isin),
    system: (id) => SYSTEM.get(world, id),
    scenario: (reference) => withoutRemoved(world, SCENARIO.get(world, reference)),
    tradeIdUsed: (tradeId, lodgers) => typeof SLOT.get(world, slotKey(tradeId, lodgers))?.used === 'string',
  };
}

/** Who has left approves nothing any more, so that no new settlement begins on its systems. */
function withoutRemoved(
  world: Pick<World, 'get'>,
  scenario: RegisteredScenario | undefined,
): RegisteredScenario | undefined {
  const removed = scenario && NETWORK.get(world, 'genesis')?.removed;
  if (!removed || removed.length === 0) return scenario;
  return { ...scenario, approvals: scenario.approvals.filter((organisation) => !removed.includes(organisation)) };
}

/** A trade id belongs to the organisations that must lodge it together, so nobody can occupy another's. */
export function slotKey(tradeId: string, lodgers: readonly string[]): Hash {
  return hashOf({ schema: 'slot/1', tradeId, lodgers });
}
