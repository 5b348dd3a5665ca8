import { z } from 'zod';
import { type Hash, hashSchema } from './hash.ts';
import { type Terms, termsSchema } from './operation.ts';
import { type BatchSignature, batchSignatureSchema } from './signature.ts';

/**
 * What a validator signs about an operation once it is final on the system. Key and time stay outside, so that honest statements are equal.
 * `terms` are what the system says happened, never what was asked; for `dead` they are empty and `reason` is the code that the system stored.
 */
export type Statement = {
  readonly schema: 'statement/1';
  readonly network: Hash;
  readonly settlement: Hash;
  readonly operation: Hash;
  readonly system: string;
  readonly status: 'effective' | 'dead';
  readonly terms: Terms;
  readonly reason: string;
  readonly transaction: string;
};

export const statementSchema = z
  .strictObject({
    schema: z.literal('statement/1'),
    network: hashSchema,
    settlement: hashSchema,
    operation: hashSchema,
    system: z.string().min(1).max(64),
    status: z.enum(['effective', 'dead']),
    terms: termsSchema,
    reason: z.string().max(64),
    transaction: z.string().max(128),
  })
  .readonly();

/** A statement with the signatures of validators. Accepted when at least m distinct keys of the system's n signed it, 2m > n. */
export type SignedStatement = { readonly statement: Statement; readonly signatures: readonly BatchSignature[] };

export const signedStatementSchema = z
  .strictObject({ statement: statementSchema, signatures: z.array(batchSignatureSchema).min(1).max(16).readonly() })
  .readonly();

declare const verified: unique symbol;
/** A value whose signatures have been checked. Only the functions that check make one. */
export type Verified<T> = T & { readonly [verified]: true };
