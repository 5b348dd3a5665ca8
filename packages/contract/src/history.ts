import { callId, documentHash, ENDS, type Entry, type JsonObject } from '@linkspan/protocol';
import { certificatesCalledFor, type Settlement, stateHash, type Transition } from '@linkspan/scenario';
import type { Writer } from './apply-calls.ts';
import { BY_SETTLEMENT, ENTRY, OPEN, SETTLEMENT, SLOT, type StoredSettlement } from './store.ts';
import { slotKey } from './register.ts';
import type { World } from './world.ts';

/** Writes the next state, its entry in the history and the event that tells the world. Every change of a settlement passes here. */
export function append(
  { world, call }: Writer,
  before: StoredSettlement | undefined,
  { settlement, changes }: Transition,
): JsonObject {
  const entry: Entry = {
    proposal: settlement.proposal,
    settlement: settlement.settlement,
    sequence: settlement.sequence,
    time: settlement.time,
    machine: settlement.machine,
    call: callId(call),
    by: { organisation: call.organisation, actor: call.actor },
    changes,
    state: stateHash(settlement),
    previous: before?.head ?? null,
  };
  const head = documentHash(entry);
  ENTRY.put(world, entry, settlement.proposal, settlement.sequence);
  SETTLEMENT.put(world, { state: settlement, head }, settlement.proposal);
  index(world, before?.state, settlement);
  const certificates = certificatesCalledFor(settlement, changes, head);
  const { proposal, tradeId, sequence, phase } = settlement;
  world.emit({ proposal, settlement: settlement.settlement, tradeId, sequence, phase, head, changes, certificates });
  return { proposal, settlement: settlement.settlement, tradeId, phase, sequence };
}

function index(world: World, before: Settlement | undefined, after: Settlement): void {
  const { proposal, settlement, tradeId, lodgers, round, phase } = after;
  if (!before) OPEN.put(world, { proposal }, proposal);
  if (settlement !== null && before?.settlement !== settlement) BY_SETTLEMENT.put(world, { proposal }, settlement);
  if (before?.phase === phase) return;
  const ended = ENDS.includes(phase);
  if (ended) OPEN.delete(world, proposal);
  // From `preparing` on the trade id is used for ever; a proposal that was rejected leaves it free.
  const used = settlement === null ? null : proposal;
  const open = ended || used !== null ? null : proposal;
  SLOT.put(world, { round, open, used }, slotKey(tradeId, lodgers));
}
