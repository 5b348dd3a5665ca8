import { z } from 'zod';
import { identifierSchema } from './genesis.ts';
import { signingKeySchema } from './signature.ts';

/** What a system guarantees and the prover assumes. A scenario names the ones that it demands of each role. */
export const PROMISES = [
  'hold-perpetual',
  'execute-never-fails',
  'hold-immune',
  'fence-immediate',
  'keyed-forever',
  'pivot-waits-for-proceed',
] as const;
export type SystemPromise = (typeof PROMISES)[number];

const instantMsSchema = z.int().min(0);

/** Whose statements count about a system, and how many of them must say the same. */
export const validatorsSchema = z
  .strictObject({ keys: z.array(signingKeySchema).min(1).max(15).readonly(), threshold: z.int().min(1).max(15) })
  .readonly();

/** A connected system, registered by the organisation that owns it. `windows` are its opening times in UTC milliseconds; none means always open. */
export const systemRecordSchema = z
  .strictObject({
    id: identifierSchema,
    name: z.string().min(1).max(140),
    kind: identifierSchema,
    owner: identifierSchema,
    types: z
      .array(z.enum(['cash', 'securities']))
      .min(1)
      .max(2)
      .readonly(),
    promises: z.array(z.enum(PROMISES)).max(PROMISES.length).readonly(),
    finality: z.string().min(1).max(140),
    validators: validatorsSchema,
    windows: z
      .array(z.strictObject({ from: instantMsSchema, to: instantMsSchema }).readonly())
      .max(400)
      .readonly(),
  })
  .readonly();
export type SystemRecord = z.infer<typeof systemRecordSchema>;

/** A bank, buyer, seller or central bank. One organisation speaks and signs for it. */
export const partyRecordSchema = z
  .strictObject({
    lei: z.string().regex(/^[0-9A-Z]{20}$/),
    name: z.string().min(1).max(140),
    bic: z.string().regex(/^[0-9A-Z]{8}([0-9A-Z]{3})?$/),
    organisation: identifierSchema,
  })
  .readonly();
export type PartyRecord = z.infer<typeof partyRecordSchema>;

export const accountIdSchema = z.string().regex(/^[a-z][a-z0-9-]{0,47}:[0-9A-Za-z._-]{1,64}$/);

/** An account in a system, registered by the system's owner, naming the party it belongs to. `assets`: currencies it may hold, or `securities`. */
export const accountRecordSchema = z
  .strictObject({
    id: accountIdSchema,
    party: z.string().regex(/^[0-9A-Z]{20}$/),
    assets: z.array(z.string().min(3).max(12)).min(1).max(16).readonly(),
  })
  .readonly();
export type AccountRecord = z.infer<typeof accountRecordSchema>;

/** A security that can be settled, registered by the organisation whose system keeps it. */
export const instrumentRecordSchema = z
  .strictObject({
    isin: z.string().regex(/^[A-Z0-9]{12}$/),
    name: z.string().min(1).max(140),
    unit: z.enum(['FAMT', 'UNIT']),
    system: identifierSchema,
  })
  .readonly();
export type InstrumentRecord = z.infer<typeof instrumentRecordSchema>;

/** The system of an account `SYSTEM:account`. */
export function systemOfAccount(account: string): string {
  return account.slice(0, account.indexOf(':'));
}

/** The system's own name of an account `SYSTEM:account`. */
export function nameInSystem(account: string): string {
  return account.slice(account.indexOf(':') + 1);
}
