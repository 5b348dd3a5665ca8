import { z } from 'zod';
import { type Hash, hashOf } from './hash.ts';
import { certificateKeySchema, signingKeySchema } from './signature.ts';

export const identifierSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,47}$/, 'lower-case letters, digits and hyphens, at most 48');

/** An organisation of the network: one key for its calls (Ed25519), one for certificates (secp256k1). */
export const organisationSchema = z
  .strictObject({
    id: identifierSchema,
    name: z.string().min(1).max(140),
    economy: z.string().regex(/^[A-Z]{1,3}$/),
    callKey: signingKeySchema,
    certificateKey: certificateKeySchema,
  })
  .readonly();
export type Organisation = z.infer<typeof organisationSchema>;

/** What a network begins with; its hash is the network id. `quorum` is how many organisations must sign a certificate. */
export const genesisSchema = z
  .strictObject({
    schema: z.literal('genesis/1'),
    name: z.string().min(1).max(140),
    organisations: z.array(organisationSchema).min(2).max(32).readonly(),
    quorum: z.int().min(2).max(32),
    toleranceMs: z.int().min(0).max(60_000),
    /** Makes two networks with the same organisations different. */
    nonce: z.string().min(1).max(64),
  })
  .readonly();
export type Genesis = z.infer<typeof genesisSchema>;

export function networkId(genesis: Genesis): Hash {
  return hashOf(genesis);
}

/** 2 of 2, 2 of 3, and more than two thirds from four on. */
export function quorumFor(organisations: number): number {
  return organisations <= 3 ? 2 : Math.floor((2 * organisations) / 3) + 1;
}
