import { z } from 'zod';
import { type Hash, hashOf } from './hash.ts';
import { identifierSchema } from './genesis.ts';
import { PROMISES } from './records.ts';

/** The language of rules: references and equality only. A rule that needs more is a new verb. */
const pathSchema = z.string().regex(/^(\/[A-Za-z][A-Za-z0-9]{0,31}){1,6}$/, 'a path such as /buyer/accounts/fcy');
const nameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'lower-case letters, digits and hyphens');
const referenceSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}\/[a-z][a-z0-9-]{0,31}$/, 'a reference such as earmark/fcy');
const termNameSchema = z.string().regex(/^[a-z][A-Za-z]{0,31}$/);

const moveShape = { system: nameSchema, from: pathSchema, to: pathSchema, amount: pathSchema, authority: pathSchema };
const supplyShape = { system: nameSchema, account: pathSchema, amount: pathSchema, authority: pathSchema };

/** One operation of a stage. `system` names a role; paths lead into the instruction; references name an earlier operation. */
export const operationDocumentSchema = z.discriminatedUnion('verb', [
  z.strictObject({ verb: z.literal('hold'), ...moveShape }).readonly(),
  z.strictObject({ verb: z.literal('transfer'), ...moveShape }).readonly(),
  z.strictObject({ verb: z.literal('mint'), ...supplyShape }).readonly(),
  z.strictObject({ verb: z.literal('burn'), ...supplyShape }).readonly(),
  z.strictObject({ verb: z.literal('execute'), system: nameSchema, hold: referenceSchema }).readonly(),
  z.strictObject({ verb: z.literal('deliver'), system: nameSchema, hold: referenceSchema }).readonly(),
  z
    .strictObject({
      verb: z.literal('settle-dvp'),
      system: nameSchema,
      security: referenceSchema,
      cash: referenceSchema,
    })
    .readonly(),
  z
    .strictObject({
      verb: z.literal('await'),
      system: nameSchema,
      filter: nameSchema,
      key: z.record(termNameSchema, pathSchema).readonly(),
      guards: z
        .array(z.strictObject({ equals: z.tuple([termNameSchema, pathSchema]).readonly() }).readonly())
        .max(16)
        .readonly(),
      residual: nameSchema.optional(),
    })
    .readonly(),
]);
export type OperationDocument = z.infer<typeof operationDocumentSchema>;

const operationsSchema = z.record(nameSchema, operationDocumentSchema).readonly();

export const stageDocumentSchema = z.union([
  z
    .strictObject({ name: nameSchema, stage: z.literal('prepare'), deadline: pathSchema, operations: operationsSchema })
    .readonly(),
  z.strictObject({ name: nameSchema, stage: z.literal('pivot'), pivot: z.literal('ledger') }).readonly(),
  z
    .strictObject({
      name: nameSchema,
      stage: z.literal('pivot'),
      deadline: pathSchema,
      operation: operationDocumentSchema,
    })
    .readonly(),
  z.strictObject({ name: nameSchema, stage: z.literal('complete'), operations: operationsSchema }).readonly(),
]);
export type StageDocument = z.infer<typeof stageDocumentSchema>;

/** A versioned rule document. Authors write the way forward only; what must be undone, and how, follows from the verbs. */
export const scenarioDocumentSchema = z
  .strictObject({
    schema: z.literal('scenario/1'),
    name: identifierSchema,
    version: z.int().min(1).max(9999),
    instruction: z.enum(['dvp/1']),
    roles: z
      .record(
        nameSchema,
        z
          .strictObject({
            type: z.enum(['cash', 'securities']),
            promises: z.array(z.enum(PROMISES)).max(PROMISES.length).readonly(),
          })
          .readonly(),
      )
      .readonly(),
    exchange: z
      .array(z.strictObject({ party: pathSchema, gives: pathSchema, gets: pathSchema }).readonly())
      .min(2)
      .max(16)
      .readonly(),
    stages: z.array(stageDocumentSchema).min(1).max(8).readonly(),
    residuals: z
      .record(
        nameSchema,
        z
          .strictObject({
            holder: pathSchema,
            owes: pathSchema,
            what: pathSchema,
            when: z.string().max(280),
            why: z.string().max(280),
          })
          .readonly(),
      )
      .readonly(),
    /** After how long without an answer people are told, in seconds. It raises attention and decides nothing. */
    unansweredAfterSeconds: z.int().min(1).max(86_400).optional(),
    ends: z
      .strictObject({
        settled: z.string().min(1).max(280),
        cancelled: z.string().min(1).max(280),
        rejected: z.string().min(1).max(280),
      })
      .readonly(),
  })
  .readonly();
export type ScenarioDocument = z.infer<typeof scenarioDocumentSchema>;

/** `name@version`, as instructions write it. */
export function scenarioReference(document: Pick<ScenarioDocument, 'name' | 'version'>): string {
  return `${document.name}@${document.version}`;
}

export const scenarioReferenceSchema = z.string().regex(/^[a-z][a-z0-9-]{0,47}@[1-9][0-9]{0,3}$/);

export function scenarioHash(document: ScenarioDocument): Hash {
  return hashOf(document);
}
