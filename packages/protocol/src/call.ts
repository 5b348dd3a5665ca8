import { z } from 'zod';
import { certificateShareSchema } from './certificate.ts';
import { epochSealSchema } from './epoch-seal.ts';
import { fieldsSchema } from './fields.ts';
import { genesisSchema, identifierSchema } from './genesis.ts';
import { type Hash, documentHash, hashSchema } from './hash.ts';
import { tradeIdSchema } from './instruction.ts';
import { networkChangeSchema } from './network-change.ts';
import { accountRecordSchema, instrumentRecordSchema, partyRecordSchema, systemRecordSchema } from './records.ts';
import { scenarioDocumentSchema, scenarioReferenceSchema } from './scenario-document.ts';
import { type BatchSignature, batchSignatureSchema, signBatch, type Signer, type SigningKey } from './signature.ts';
import { signedStatementSchema } from './statement.ts';

const proposal = { proposal: hashSchema };

/** What a call asks of the contract. */
export const callBodySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('genesis'), genesis: genesisSchema }).readonly(),
  z.strictObject({ type: z.literal('register-system'), system: systemRecordSchema }).readonly(),
  z.strictObject({ type: z.literal('register-party'), party: partyRecordSchema }).readonly(),
  z.strictObject({ type: z.literal('register-account'), account: accountRecordSchema }).readonly(),
  z.strictObject({ type: z.literal('register-instrument'), instrument: instrumentRecordSchema }).readonly(),
  z.strictObject({ type: z.literal('propose-scenario'), document: scenarioDocumentSchema }).readonly(),
  z
    .strictObject({ type: z.literal('approve-scenario'), scenario: scenarioReferenceSchema, hash: hashSchema })
    .readonly(),
  /** Whoever proposes also approves. A change that makes an epoch is approved with a signature over that epoch by the organisation's certificate key. */
  z
    .strictObject({
      type: z.literal('propose-change'),
      change: networkChangeSchema,
      epoch: z.int().min(1),
      seal: epochSealSchema.optional(),
    })
    .readonly(),
  z
    .strictObject({ type: z.literal('approve-change'), change: hashSchema, seal: epochSealSchema.optional() })
    .readonly(),
  /** The systems of the organisation know the epoch that was announced. */
  z.strictObject({ type: z.literal('confirm-epoch'), epoch: z.int().min(2) }).readonly(),
  z
    .strictObject({
      type: z.literal('lodge'),
      tradeId: tradeIdSchema,
      scenario: scenarioReferenceSchema,
      fields: fieldsSchema,
    })
    .readonly(),
  z.strictObject({ type: z.literal('retract'), ...proposal }).readonly(),
  z
    .strictObject({
      type: z.literal('record'),
      ...proposal,
      statements: z.array(signedStatementSchema).min(1).max(32).readonly(),
    })
    .readonly(),
  z
    .strictObject({
      type: z.literal('certify'),
      ...proposal,
      shares: z.array(certificateShareSchema).min(1).max(64).readonly(),
    })
    .readonly(),
  /** Two statements about one operation that contradict each other, as evidence. */
  z
    .strictObject({
      type: z.literal('report'),
      ...proposal,
      statements: z.array(signedStatementSchema).length(2).readonly(),
    })
    .readonly(),
  z.strictObject({ type: z.literal('expire'), ...proposal }).readonly(),
  z.strictObject({ type: z.literal('cancel'), ...proposal }).readonly(),
  z
    .strictObject({
      type: z.literal('resolve'),
      ...proposal,
      operation: hashSchema,
      status: z.enum(['effective', 'dead']),
      why: z.string().min(1).max(280),
    })
    .readonly(),
]);
export type CallBody = z.infer<typeof callBodySchema>;
export type CallType = CallBody['type'];

/** A request over HTTP by its client, its Idempotency-Key and the hash of what it asks. */
const requestSchema = z
  .strictObject({ client: z.string().min(1).max(140), key: z.string().min(1).max(140), body: hashSchema })
  .readonly();

/** A request to the contract by an organisation and the person or program that acts for it. The nonce tells two equal requests apart. */
export const callSchema = z
  .strictObject({
    schema: z.literal('call/1'),
    network: hashSchema,
    organisation: identifierSchema,
    actor: z.string().min(1).max(140),
    nonce: z.string().min(1).max(140),
    body: callBodySchema,
    /** The HTTP request that this call answers, so that any CoreAPI of the organisation gives the same answer after any crash. */
    request: requestSchema.optional(),
  })
  .readonly();
export type Call = z.infer<typeof callSchema>;

export const signedCallSchema = z.strictObject({ call: callSchema, signature: batchSignatureSchema }).readonly();
export type SignedCall = { readonly call: Call; readonly signature: BatchSignature };

/** The id of a call: an accepted call is idempotent under it. */
export function callId(call: Call): Hash {
  return documentHash(call);
}

/** Signs calls of one organisation with one signature. */
export function signCalls(signer: Signer<SigningKey>, calls: readonly Call[]): SignedCall[] {
  const signatures = signBatch(signer, calls);
  return calls.flatMap((call, i) => {
    const signature = signatures[i];
    return signature ? [{ call, signature }] : [];
  });
}
