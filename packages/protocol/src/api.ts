import { z } from 'zod';
import { CERTIFICATE_KINDS, certificateShareSchema, systemCertificateSchema } from './certificate.ts';
import { PHASES } from './change.ts';
import { genesisSchema, organisationSchema } from './genesis.ts';
import { hashSchema } from './hash.ts';
import { termsSchema, VERBS } from './operation.ts';
import { accountRecordSchema, instrumentRecordSchema, partyRecordSchema, systemRecordSchema } from './records.ts';
import { scenarioDocumentSchema, scenarioReferenceSchema } from './scenario-document.ts';
import { batchSignatureSchema } from './signature.ts';
import { signedStatementSchema } from './statement.ts';

/** The problem document of every answer that is none (RFC 9457); `problems` are at places in the request. */
export const problemBodySchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  problems: z
    .array(z.strictObject({ pointer: z.string(), code: z.string(), message: z.string(), iso: z.string() }))
    .optional(),
  details: z.looseObject({}).optional(),
});

/** Bodies of the CoreAPI. Instants are RFC 3339 in UTC, amounts decimal strings. */
const instantSchema = z.string();

/** Answer to a lodged instruction. `id` is the settlement's, or the proposal's while the sides have not matched. */
export const lodgedSchema = z.strictObject({
  id: hashSchema,
  proposal: hashSchema,
  settlement: hashSchema.nullable(),
  tradeId: z.string(),
  phase: z.enum(PHASES),
});
export type Lodged = z.infer<typeof lodgedSchema>;

export const settlementSummarySchema = z.strictObject({
  id: hashSchema,
  proposal: hashSchema,
  settlement: hashSchema.nullable(),
  tradeId: z.string(),
  scenario: z.string(),
  phase: z.enum(PHASES),
  openedAt: instantSchema,
  changedAt: instantSchema,
  deadline: instantSchema,
  attention: z.int(),
});
export type SettlementSummaryBody = z.infer<typeof settlementSummarySchema>;

export const settlementPageSchema = z.strictObject({
  settlements: z.array(settlementSummarySchema),
  next: z.string().nullable(),
});

export const settlementBodySchema = z.strictObject({
  id: hashSchema,
  proposal: hashSchema,
  settlement: hashSchema.nullable(),
  tradeId: z.string(),
  scenario: z.strictObject({ reference: z.string(), hash: hashSchema }),
  phase: z.enum(PHASES),
  /** What the scenario says about this end, in words; null before one. */
  end: z.string().nullable(),
  deadline: instantSchema,
  changedAt: instantSchema,
  lodgers: z.array(z.string()),
  lodged: z.array(z.string()),
  differences: z.array(z.strictObject({ path: z.string(), values: z.record(z.string(), z.string()) })),
  operations: z.array(
    z.strictObject({
      id: hashSchema,
      name: z.string(),
      verb: z.enum(VERBS),
      system: z.string(),
      attempt: z.int(),
      status: z.enum(['requested', 'effective', 'irregular', 'dead']),
      fenced: z.boolean(),
      terms: termsSchema,
      readBack: termsSchema,
      reason: z.string(),
      transaction: z.string(),
      /** People said what became of it, and `reason` is theirs. */
      byPeople: z.boolean(),
    }),
  ),
  decision: z.strictObject({ kind: z.enum(['commit', 'abort']), because: z.string(), sequence: z.int() }).nullable(),
  certificates: z.array(
    z.strictObject({ kind: z.enum(CERTIFICATE_KINDS), epoch: z.int(), signatures: z.int(), quorum: z.int() }),
  ),
  /** Who has asked to cancel; it happens when all who lodged have. */
  cancelRequestedBy: z.array(z.string()),
  /** What people say became of operations, each person's last word. */
  opinions: z.array(
    z.strictObject({
      operation: hashSchema,
      name: z.string(),
      organisation: z.string(),
      actor: z.string(),
      status: z.enum(['effective', 'dead']),
    }),
  ),
  /** Whose word about an operation counts: so many persons of every one of these organisations must say the same. */
  resolvers: z.array(z.strictObject({ organisation: z.string(), persons: z.int() })),
  /** What stays open at this end: `terms` as read back, who has it and whom they owe it (null where the scenario does not say), and a sentence. */
  residuals: z.array(
    z.strictObject({
      residual: z.string(),
      terms: termsSchema,
      holder: z.string().nullable(),
      owes: z.string().nullable(),
      words: z.string(),
    }),
  ),
  attention: z.array(z.strictObject({ reason: z.string(), waitingFor: z.string(), operation: z.string().optional() })),
  entries: z.int(),
  head: hashSchema,
});
export type SettlementBody = z.infer<typeof settlementBodySchema>;

/** One line of history. `changes` have a `what`; `words` says the same for people. */
export const entryBodySchema = z.strictObject({
  sequence: z.int(),
  time: instantSchema,
  call: hashSchema,
  by: z.strictObject({ organisation: z.string(), actor: z.string() }),
  words: z.array(z.string()),
  changes: z.array(z.looseObject({ what: z.string() })),
  state: hashSchema,
  previous: hashSchema.nullable(),
});
export type EntryBody = z.infer<typeof entryBodySchema>;

export const historyBodySchema = z.strictObject({
  id: hashSchema,
  entries: z.array(entryBodySchema),
  next: z.int().nullable(),
});
export type HistoryBody = z.infer<typeof historyBodySchema>;

/** Every certificate that a settlement calls for; `certificate` is null while fewer than a quorum of signatures over one block are known here. */
export const certificatesBodySchema = z.strictObject({
  id: hashSchema,
  certificates: z.array(
    z.strictObject({
      kind: z.enum(CERTIFICATE_KINDS),
      epoch: z.int(),
      signatures: z.int(),
      quorum: z.int(),
      certificate: systemCertificateSchema.nullable(),
    }),
  ),
});
export type CertificatesBody = z.infer<typeof certificatesBodySchema>;

/** A position of an account in a connected system, as its validators read it. `amount`s are decimal strings in the asset's own digits. */
export const balancesBodySchema = z.strictObject({
  systems: z.array(
    z.strictObject({
      system: z.string(),
      positions: z.array(
        z.strictObject({
          account: z.string(),
          party: z.string().nullable(),
          asset: z.string(),
          balance: z.string(),
          held: z.string(),
          free: z.string(),
        }),
      ),
      problem: z.string().nullable(),
    }),
  ),
});
export type BalancesBody = z.infer<typeof balancesBodySchema>;

export const healthBodySchema = z.strictObject({
  status: z.enum(['up', 'degraded']),
  organisation: z.string(),
  network: hashSchema,
  height: z.int(),
  open: z.int(),
});

/** `missing` says in sentences what gives no answer; with nothing missing that a settlement needs, it is ready all the same. */
export const readinessBodySchema = z.strictObject({ ready: z.literal(true), missing: z.array(z.string()) });

/** One person's word about an operation whose outcome validators cannot give. */
export const resolveBodySchema = z.strictObject({
  operation: z.templateLiteral(
    ['sha256:', z.string().regex(/^[0-9a-f]{64}$/)],
    'the id of an operation (sha256: and 64 hexadecimal digits) is wanted, as "operations" of GET /settlements/{id} lists it with its name',
  ),
  status: z.enum(['effective', 'dead']),
  why: z.string().min(1).max(280),
});

/** What an organisation registers, in the form of the call that does it. */
export const registrationSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('register-system'), system: systemRecordSchema }),
  z.strictObject({ type: z.literal('register-party'), party: partyRecordSchema }),
  z.strictObject({ type: z.literal('register-account'), account: accountRecordSchema }),
  z.strictObject({ type: z.literal('register-instrument'), instrument: instrumentRecordSchema }),
  z.strictObject({ type: z.literal('propose-scenario'), document: scenarioDocumentSchema }),
  z.strictObject({ type: z.literal('approve-scenario'), scenario: scenarioReferenceSchema, hash: hashSchema }),
]);
/** The id of what was registered, or the scenario with the hash that was proposed or approved. */
export const registeredSchema = z.union([
  z.strictObject({ id: z.string() }),
  z.strictObject({ scenario: z.string(), hash: hashSchema }),
]);

/** Connected systems with their owners. A window is a time in which a system is open; none means always. */
export const systemsBodySchema = z.strictObject({
  systems: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      kind: z.string(),
      owner: z.string(),
      types: z.array(z.string()),
      promises: z.array(z.string()),
      finality: z.string(),
      validators: z.strictObject({ keys: z.array(z.string()), threshold: z.int() }),
      windows: z.array(z.strictObject({ from: instantSchema, to: instantSchema })),
    }),
  ),
});
export type SystemsBody = z.infer<typeof systemsBodySchema>;

const scenarioFacts = {
  reference: z.string(),
  hash: hashSchema,
  instruction: z.string(),
  proposedBy: z.string(),
  approvals: z.array(z.string()),
  /** It takes no new instructions. */
  retired: z.boolean(),
};
export const scenariosBodySchema = z.strictObject({ scenarios: z.array(z.strictObject(scenarioFacts)) });
export type ScenariosBody = z.infer<typeof scenariosBodySchema>;

/** `diagram` is a Mermaid state diagram of every course that a settlement under this scenario can take. */
export const scenarioBodySchema = z.strictObject({
  ...scenarioFacts,
  document: scenarioDocumentSchema,
  diagram: z.string(),
});
export type ScenarioBody = z.infer<typeof scenarioBodySchema>;

/** The network with everything that is registered in it. */
export const networkBodySchema = z.strictObject({
  id: hashSchema,
  epoch: z.int(),
  genesis: genesisSchema,
  /** The members by now, with the keys that count; `quorum` of them make a certificate. */
  organisations: z.array(organisationSchema),
  quorum: z.int(),
  /** The epoch that is announced and waits to begin. */
  announced: z.int().nullable(),
  /** Keys of members that were withdrawn and are not replaced yet. */
  revoked: z.array(z.string()),
  removed: z.array(z.string()),
  systems: z.array(systemRecordSchema),
  parties: z.array(partyRecordSchema),
  accounts: z.array(accountRecordSchema),
  instruments: z.array(instrumentRecordSchema),
  scenarios: z.array(
    z.strictObject({
      document: scenarioDocumentSchema,
      hash: hashSchema,
      proposedBy: z.string(),
      approvals: z.array(z.string()),
      retired: z.boolean().optional(),
    }),
  ),
});

/** An accepted call with its signature, and where the ledger has it. The verifier of evidence reads calls and entries itself. */
const archivedCallSchema = z.strictObject({
  block: z.int(),
  time: z.int(),
  index: z.int(),
  call: z.strictObject({ call: z.looseObject({ schema: z.literal('call/1') }), signature: batchSignatureSchema }),
});

/** The file `audit/1`: all calls that registered something, and per settlement its calls, entries and end. */
export const evidenceBodySchema = z.strictObject({
  schema: z.literal('audit/1'),
  network: hashSchema,
  genesis: genesisSchema,
  host: z.strictObject({ kind: z.string(), proves: z.string() }),
  environment: z.array(archivedCallSchema),
  settlements: z.array(
    z.strictObject({
      role: z.enum(['asked', 'context']),
      proposal: hashSchema,
      settlement: hashSchema.nullable(),
      tradeId: z.string(),
      calls: z.array(archivedCallSchema),
      entries: z.array(z.looseObject({ sequence: z.int(), time: z.int() })),
      head: hashSchema,
      phase: z.enum(PHASES),
    }),
  ),
  fabric: z
    .strictObject({ chaincode: z.string(), blocks: z.array(z.strictObject({ number: z.int(), content: z.base64() })) })
    .optional(),
});

/** An OpenAPI 3.1 document. Its own form is OpenAPI's business. */
export const openApiBodySchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.looseObject({}),
  components: z.looseObject({}),
});

/** What organisations send each other. Shares and statements carry their own signatures, so anyone may bring them. */
export const sharesBodySchema = z.strictObject({
  proposal: hashSchema,
  shares: z.array(certificateShareSchema).min(1).max(64),
});
export const statementsBodySchema = z.strictObject({
  proposal: hashSchema,
  statements: z.array(signedStatementSchema).min(1).max(32),
});
export const sharesRequestSchema = z.strictObject({ proposal: hashSchema });
export const sharesAnswerSchema = z.strictObject({ shares: z.array(certificateShareSchema) });
export const acknowledgedSchema = z.strictObject({ received: z.int() });
