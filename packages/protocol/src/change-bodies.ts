import { z } from 'zod';
import { hashSchema } from './hash.ts';
import { networkChangeSchema } from './network-change.ts';

const changeApprovals = {
  standing: z.enum(['proposed', 'announced', 'effective']),
  approvals: z.array(z.string()),
};

/** A change of the network, and how far it has come: approved by whom, announced as an epoch, or in effect. */
export const changeAnswerSchema = z.strictObject({ change: hashSchema, ...changeApprovals });
export type ChangeAnswer = z.infer<typeof changeAnswerSchema>;
export const proposeChangeBodySchema = z.strictObject({ change: networkChangeSchema });
export const changesBodySchema = z.strictObject({
  changes: z.array(
    z.strictObject({
      id: hashSchema,
      change: networkChangeSchema,
      epoch: z.int(),
      proposedBy: z.string(),
      ...changeApprovals,
    }),
  ),
});
export type ChangesBody = z.infer<typeof changesBodySchema>;

/** Who has said that its systems know an epoch; with a quorum of them it has begun. */
export const confirmedSchema = z.strictObject({
  epoch: z.int(),
  confirmed: z.array(z.string()),
  begun: z.boolean(),
});

const prefixedHex = z.string().regex(/^0x[0-9a-f]+$/);
/**
 * Every epoch after the first one. `forSystems` is what a connected system takes to install it; EIP-712 `Epoch(bytes32 network,uint64 epoch,uint64
 * quorum,address[] signers)`, signed by a quorum of the epoch before.
 */
export const epochsBodySchema = z.strictObject({
  epochs: z.array(
    z.strictObject({
      epoch: z.int(),
      quorum: z.int(),
      members: z.array(z.strictObject({ organisation: z.string(), certificateKey: z.string() })),
      change: hashSchema,
      announcedAt: z.string(),
      begunAt: z.string().nullable(),
      confirmed: z.array(z.string()),
      forSystems: z.strictObject({
        network: prefixedHex,
        epoch: z.int(),
        quorum: z.int(),
        signers: z.array(prefixedHex),
        signatures: z.array(prefixedHex),
      }),
    }),
  ),
});
export type EpochsBody = z.infer<typeof epochsBodySchema>;
