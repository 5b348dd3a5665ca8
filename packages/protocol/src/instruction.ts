import { z } from 'zod';
import { accountIdSchema } from './records.ts';
import { scenarioReferenceSchema } from './scenario-document.ts';

const text = z.string().min(1).max(140);
const partyShape = { party: text, bic: z.string().max(32), lei: z.string().max(32) };
const account = accountIdSchema;
const moneySchema = z.strictObject({ amount: z.string().max(40), currency: z.string().max(8) }).readonly();

export const tradeIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9/._-]{0,63}$/, 'letters, digits and / . _ -, at most 64');

/**
 * A DvP instruction (`dvp/1`), the Inputfile of the report's section 3.1: every value is text, so that its fields can be compared,
 * hashed and later committed to one by one. Meaning (check digits, amounts, rates, deadlines) is checked apart from the shape.
 */
export const dvpInstructionSchema = z
  .strictObject({
    schema: z.literal('dvp/1'),
    tradeId: tradeIdSchema,
    scenario: scenarioReferenceSchema,
    security: z
      .strictObject({ isin: z.string().max(32), quantity: z.string().max(40), unit: z.enum(['FAMT', 'UNIT']) })
      .readonly(),
    seller: z
      .strictObject({ ...partyShape, accounts: z.strictObject({ security: account, lcy: account }).readonly() })
      .readonly(),
    buyer: z
      .strictObject({
        ...partyShape,
        accounts: z.strictObject({ security: account, fcy: account, lcy: account.optional() }).readonly(),
      })
      .readonly(),
    intermediary: z
      .strictObject({ ...partyShape, accounts: z.strictObject({ lcy: account, fcy: account }).readonly() })
      .readonly(),
    lcy: moneySchema,
    fcy: moneySchema,
    rate: z
      .strictObject({
        value: z.string().max(40),
        base: z.string().max(8),
        quote: z.string().max(8),
        of: z.enum(['/lcy', '/fcy']),
        rounding: z.enum(['half-up', 'half-even', 'down', 'up']),
        source: text,
        validUntil: z.string().max(40),
      })
      .readonly(),
    settlementDate: z.string().max(16),
    deadline: z.string().max(40),
    uetr: z
      .string()
      .regex(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        'a UUID of version 4 in lower case',
      ),
  })
  .readonly();
export type DvpInstruction = z.infer<typeof dvpInstructionSchema>;

/** Every path that an instruction of a schema may have, for scenarios that refer to them. */
export const INSTRUCTION_PATHS: Readonly<Record<'dvp/1', readonly string[]>> = {
  'dvp/1': pathsOf(dvpInstructionSchema, ''),
};

function pathsOf(schema: unknown, path: string): string[] {
  const bare = unwrapped(schema);
  if (!(bare instanceof z.ZodObject)) return [path];
  return Object.entries(bare.shape).flatMap(([name, member]) => pathsOf(member, `${path}/${name}`));
}

function unwrapped(schema: unknown): unknown {
  if (schema instanceof z.ZodReadonly || schema instanceof z.ZodOptional) return unwrapped(schema.unwrap());
  return schema;
}
