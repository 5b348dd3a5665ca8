import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DvpInstruction } from '@linkspan/protocol';
import {
  type Crossing,
  type InProcessNetwork,
  sampleInstruction,
  type VirtualTime,
  watchInvariants,
  withVirtualNetwork,
} from '@linkspan/testkit';

const ORGANISATIONS = ['central-bank-a', 'central-bank-b', 'csd-b'];
/** Others have taken over as driver by then. */
const AWAY_MS = 5_000;

for (const [end, instructionOf] of [
  ['settled', sampleInstruction],
  ['cancelled', beyondMeans],
] as const) {
  for (const organisation of ORGANISATIONS) {
    test(`F4 ${organisation} killed at every boundary of its work: what is ${end} without it is ${end} with it`, () =>
      withVirtualNetwork(async (network, time) => {
        const invariants = watchInvariants(network);
        let last: Crossing | undefined;
        for (let at = 1; ; at++) {
          const killedAt = killAt(network, organisation, at);
          const proposal = await network.lodge(instructionOf(`T-${at}`, time.now()));
          await comeBack(network, time, organisation, at % 2 === 0 ? AWAY_MS : 0);
          const { state } = await network.until(proposal, ['settled', 'cancelled', 'rejected']);
          assert.equal(state.phase, end, `killed ${where(killedAt())} (${at})`);
          await invariants.checkEnded();
          if (!killedAt()) break;
          last = killedAt();
        }
        assert.ok(last, 'it was killed somewhere');
      }));
  }
}

/** Kills an organisation when it crosses to the world outside for the nth time from now on; tells where that was. */
function killAt(network: InProcessNetwork, organisation: string, at: number): () => Crossing | undefined {
  let crossings = 0;
  let killed: Crossing | undefined;
  network.onCrossing = (crossing) => {
    if (crossing.organisation !== organisation || ++crossings !== at) return undefined;
    killed = crossing;
    network.kill(organisation);
    return undefined;
  };
  return () => killed;
}

/** Starts an organisation again after a while, wherever it was killed. */
async function comeBack(
  network: InProcessNetwork,
  time: VirtualTime,
  organisation: string,
  awayMs: number,
): Promise<void> {
  await time.pass(50);
  if (network.state(organisation) !== 'gone') return;
  await time.pass(awayMs);
  await network.start(organisation);
}

/** The central bank of A has much, but not as much as this. */
function beyondMeans(tradeId: string, now: number): DvpInstruction {
  const instruction = sampleInstruction(tradeId, now);
  const { intermediary } = instruction;
  return {
    ...instruction,
    intermediary: { ...intermediary, accounts: { ...intermediary.accounts, lcy: 'rtgs:9002' } },
  };
}

function where(crossing: Crossing | undefined): string {
  return crossing ? `${crossing.when} ${crossing.port} ${crossing.to}` : 'nowhere';
}
