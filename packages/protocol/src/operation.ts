import { z } from 'zod';
import { type Hash, hashOf, hashSchema } from './hash.ts';

/** What an operation asks of a system. `await` asks for nothing: it waits for an event. */
export const VERBS = [
  'hold',
  'execute',
  'release',
  'transfer',
  'mint',
  'burn',
  'deliver',
  'settle-dvp',
  'await',
] as const;
export type Verb = (typeof VERBS)[number];

/** Terms of an operation, asked or read back: flat names and text. Amounts are canonical decimal strings. */
export type Terms = Readonly<Record<string, string>>;
export const termsSchema = z.record(z.string().regex(/^[a-z][A-Za-z]{0,31}$/), z.string().max(256)).readonly();

/** One request to one system, with the id that was fixed on the ledger before the first attempt. */
export type Operation = {
  readonly id: Hash;
  readonly network: Hash;
  readonly settlement: Hash;
  readonly system: string;
  readonly verb: Verb;
  readonly terms: Terms;
};

export const operationSchema = z
  .strictObject({
    id: hashSchema,
    network: hashSchema,
    settlement: hashSchema,
    system: z.string().min(1).max(64),
    verb: z.enum(VERBS),
    terms: termsSchema,
  })
  .readonly();

/** Operation id = H(network, settlement, stage, name, leg, verb, attempt): the idempotency key at the system. */
export function operationId(of: {
  readonly network: Hash;
  readonly settlement: Hash;
  readonly stage: string;
  readonly name: string;
  readonly leg: number;
  readonly verb: Verb;
  readonly attempt: number;
}): Hash {
  return hashOf({ schema: 'operation-id/1', ...of });
}

/** Settlement id = H(network, trade id, scenario hash, instruction hash). */
export function settlementId(of: {
  readonly network: Hash;
  readonly tradeId: string;
  readonly scenario: Hash;
  readonly instruction: Hash;
}): Hash {
  return hashOf({ schema: 'settlement-id/1', ...of });
}

/**
 * Proposal id = H(network, trade id, the organisations that must lodge, round). The organisations are part of it, so nobody can occupy
 * another's trade id; the round counts earlier proposals of the same trade that ended without anything being held.
 */
export function proposalId(of: {
  readonly network: Hash;
  readonly tradeId: string;
  readonly lodgers: readonly string[];
  readonly round: number;
}): Hash {
  return hashOf({ schema: 'proposal-id/1', ...of });
}
