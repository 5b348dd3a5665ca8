import { z } from 'zod';
import type { CallBody } from './call.ts';
import { type Genesis, identifierSchema, quorumFor } from './genesis.ts';
import { accountRecordSchema, instrumentRecordSchema, partyRecordSchema, systemRecordSchema } from './records.ts';
import { type ScenarioDocument, scenarioHash, scenarioReference } from './scenario-document.ts';
import type { CertificateKey, SigningKey } from './signature.ts';
/** A network as people write it down: everything but keys. Balances are decimal strings per system, account and asset. */
export const networkDefinitionSchema = z
  .strictObject({
    name: z.string().min(1),
    organisations: z
      .array(z.strictObject({ id: identifierSchema, name: z.string(), economy: z.string() }).readonly())
      .readonly(),
    systems: z
      .array(
        systemRecordSchema
          .unwrap()
          .omit({ validators: true, windows: true })
          .extend({ validators: z.strictObject({ count: z.int(), threshold: z.int() }).readonly() })
          .readonly(),
      )
      .readonly(),
    parties: z.array(partyRecordSchema).readonly(),
    accounts: z.array(accountRecordSchema).readonly(),
    instruments: z.array(instrumentRecordSchema).readonly(),
    scenarios: z.array(z.string()).readonly(),
    balances: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.string()))).readonly(),
  })
  .readonly();
export type NetworkDefinition = z.infer<typeof networkDefinitionSchema>;

/** The public keys of a network: an organisation's two, and each system's validators. */
export type NetworkKeys = {
  readonly organisations: Readonly<
    Record<string, { readonly callKey: SigningKey; readonly certificateKey: CertificateKey }>
  >;
  readonly validators: Readonly<Record<string, readonly SigningKey[]>>;
};

/** The genesis of a network and what each organisation registers first, in an order that can be run from top to bottom. */
export type NetworkPlan = {
  readonly genesis: Genesis;
  readonly calls: readonly { readonly organisation: string; readonly body: CallBody }[];
};

export function planNetwork(
  definition: NetworkDefinition,
  keys: NetworkKeys,
  scenarios: readonly ScenarioDocument[],
  nonce: string,
): NetworkPlan {
  const genesis: Genesis = {
    schema: 'genesis/1',
    name: definition.name,
    organisations: definition.organisations.map((organisation) => ({
      ...organisation,
      ...mustHave(keys.organisations[organisation.id], organisation.id),
    })),
    quorum: quorumFor(definition.organisations.length),
    toleranceMs: 2000,
    nonce,
  };
  const owners = new Map(definition.systems.map((system) => [system.id, system.owner]));
  const systems = definition.systems.map(({ validators, ...system }) => ({
    organisation: system.owner,
    body: {
      type: 'register-system',
      system: {
        ...system,
        validators: { keys: mustHave(keys.validators[system.id], system.id), threshold: validators.threshold },
        windows: [],
      },
    } as const,
  }));
  const parties = definition.parties.map((party) => ({
    organisation: party.organisation,
    body: { type: 'register-party', party } as const,
  }));
  const accounts = definition.accounts.map((account) => ({
    organisation: mustHave(owners.get(account.id.split(':')[0] ?? ''), account.id),
    body: { type: 'register-account', account } as const,
  }));
  const instruments = definition.instruments.map((instrument) => ({
    organisation: mustHave(owners.get(instrument.system), instrument.system),
    body: { type: 'register-instrument', instrument } as const,
  }));
  const [first, ...others] = definition.organisations;
  const proposals = scenarios.map((document) => ({
    organisation: mustHave(first, 'organisation').id,
    body: { type: 'propose-scenario', document } as const,
  }));
  const approvals = scenarios.flatMap((document) =>
    others.map((other) => ({
      organisation: other.id,
      body: { type: 'approve-scenario', scenario: scenarioReference(document), hash: scenarioHash(document) } as const,
    })),
  );
  return { genesis, calls: [...systems, ...parties, ...accounts, ...instruments, ...proposals, ...approvals] };
}

function mustHave<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the network definition lacks what ${name} needs`);
  return value;
}
