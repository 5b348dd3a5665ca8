import type { DvpInstruction, Hash } from '@linkspan/protocol';
import { type InProcessNetwork, sampleInstruction } from '@linkspan/testkit';
import type { Random } from './random.ts';

/** What people do in a run: lodge, lodge something else, change their minds. */
export const DEEDS = [
  'settle',
  'settle',
  'settle',
  'payer-short',
  'copies-differ',
  'one-side-only',
  'retract',
  'one-cancels',
  'all-cancel',
] as const;
export type Deed = (typeof DEEDS)[number];

const BUYERS_SIDE = 'central-bank-a';
const SELLERS_SIDE = 'csd-b';

/** Does it, as far as the ledger lets people; answers with the proposal. */
export async function act(
  network: InProcessNetwork,
  random: Random,
  deed: Deed,
  tradeId: string,
  dueInMs = random.between(2_000, 45_000),
): Promise<Hash> {
  const instruction = sampleInstruction(tradeId, network.clock.now(), dueInMs);
  switch (deed) {
    case 'settle':
      return network.lodge(instruction);
    case 'payer-short':
      return network.lodge(fromEmptyAccount(instruction));
    case 'copies-differ':
      await network.lodge(instruction, [BUYERS_SIDE]);
      return network.lodge({ ...instruction, security: { ...instruction.security, quantity: '999999' } }, [
        SELLERS_SIDE,
      ]);
    case 'one-side-only':
      return network.lodge(instruction, [BUYERS_SIDE]);
    case 'retract': {
      const proposal = await network.lodge(instruction, [SELLERS_SIDE]);
      await network.submit(SELLERS_SIDE, { type: 'retract', proposal });
      return proposal;
    }
    case 'one-cancels':
    case 'all-cancel': {
      const proposal = await network.lodge(instruction);
      await network.submit(BUYERS_SIDE, { type: 'cancel', proposal });
      if (deed === 'all-cancel') await network.submit(SELLERS_SIDE, { type: 'cancel', proposal });
      return proposal;
    }
  }
}

function fromEmptyAccount(instruction: DvpInstruction): DvpInstruction {
  const { intermediary } = instruction;
  return {
    ...instruction,
    intermediary: { ...intermediary, accounts: { ...intermediary.accounts, lcy: 'rtgs:9002' } },
  };
}
