import { z } from 'zod';
import {
  acknowledgedSchema,
  balancesBodySchema,
  certificatesBodySchema,
  evidenceBodySchema,
  healthBodySchema,
  historyBodySchema,
  lodgedSchema,
  networkBodySchema,
  openApiBodySchema,
  problemBodySchema,
  readinessBodySchema,
  registeredSchema,
  registrationSchema,
  resolveBodySchema,
  scenarioBodySchema,
  scenariosBodySchema,
  settlementBodySchema,
  settlementPageSchema,
  sharesAnswerSchema,
  sharesBodySchema,
  sharesRequestSchema,
  statementsBodySchema,
  systemsBodySchema,
} from './api.ts';
import {
  changeAnswerSchema,
  changesBodySchema,
  confirmedSchema,
  epochsBodySchema,
  proposeChangeBodySchema,
} from './change-bodies.ts';
import { ENDPOINTS, type JsonSchema } from './endpoints.ts';
import { dvpInstructionSchema } from './instruction.ts';
import { scenarioDocumentSchema } from './scenario-document.ts';

/** The name of every schema that requests and answers have, for documents about the API. */
const SCHEMA_NAMES: Readonly<Record<string, z.ZodType>> = {
  Acknowledged: acknowledgedSchema,
  Balances: balancesBodySchema,
  Certificates: certificatesBodySchema,
  ChangeAnswer: changeAnswerSchema,
  Changes: changesBodySchema,
  Confirmed: confirmedSchema,
  Epochs: epochsBodySchema,
  Evidence: evidenceBodySchema,
  EvidencePeriod: ENDPOINTS['evidence-period'].answer,
  Health: healthBodySchema,
  History: historyBodySchema,
  Instruction: dvpInstructionSchema,
  Lodged: lodgedSchema,
  Network: networkBodySchema,
  OpenApi: openApiBodySchema,
  Problem: problemBodySchema,
  ProposeChange: proposeChangeBodySchema,
  Readiness: readinessBodySchema,
  Registered: registeredSchema,
  Registration: registrationSchema,
  Resolve: resolveBodySchema,
  Scenario: scenarioBodySchema,
  ScenarioDocument: scenarioDocumentSchema,
  Scenarios: scenariosBodySchema,
  Settlement: settlementBodySchema,
  SettlementPage: settlementPageSchema,
  Shares: sharesBodySchema,
  SharesAnswer: sharesAnswerSchema,
  SharesRequest: sharesRequestSchema,
  Statements: statementsBodySchema,
  Systems: systemsBodySchema,
};

/** Every named schema of the API, with references to one another that begin with a prefix such as `#/components/schemas/`. */
export function jsonSchemas(prefix: string): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMA_NAMES)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => prefix + id, io: 'input' });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== '$id')),
    ]),
  );
}

/** The name under which {@link jsonSchemas} has a schema of the endpoint table. */
export function schemaName(schema: z.ZodType): string | undefined {
  return Object.keys(SCHEMA_NAMES).find((name) => SCHEMA_NAMES[name] === schema);
}
