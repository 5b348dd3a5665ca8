import { readFileSync } from 'node:fs';
import { ed25519Signer, secp256k1Signer } from '@linkspan/keys';
import {
  bytesToHex,
  type Call,
  type CallBody,
  type CertificateKey,
  type DvpInstruction,
  flatten,
  formatInstant,
  type Hash,
  networkDefinitionSchema,
  networkId,
  type NetworkPlan,
  parse,
  planNetwork,
  type ScenarioDocument,
  scenarioDocumentSchema,
  sha256,
  signCalls,
  type SignedCall,
  type Signer,
  type SigningKey,
  utf8ToBytes,
} from '@linkspan/protocol';

/** The local network's three organisations with fixed keys, and what a test needs to speak for each of them. */
export type SampleNetwork = {
  readonly id: Hash;
  readonly plan: NetworkPlan;
  readonly organisations: Readonly<
    Record<string, { readonly call: Signer<SigningKey>; readonly certificate: Signer<CertificateKey> }>
  >;
  readonly validators: Readonly<Record<string, readonly Signer<SigningKey>[]>>;
  /** A signed call; the nonce makes equal calls different. */
  call(organisation: string, body: CallBody, nonce?: string, actor?: string): SignedCall;
  /** Genesis and all registrations, ready to be submitted in order. */
  setUp(): SignedCall[];
};

export function sampleNetwork(): SampleNetwork {
  const definition = networkDefinitionSchema.parse(readJson('deploy/local/network.json'));
  const organisations = Object.fromEntries(
    definition.organisations.map(({ id }) => [
      id,
      { call: ed25519Signer(secret(`${id} call`)), certificate: secp256k1Signer(secret(`${id} certificate`)) },
    ]),
  );
  const validators = Object.fromEntries(
    definition.systems.map(({ id, validators: { count } }) => [
      id,
      Array.from({ length: count }, (_, i) => ed25519Signer(secret(`${id} validator ${i}`))),
    ]),
  );
  const keys = {
    organisations: Object.fromEntries(
      Object.entries(organisations).map(([id, { call, certificate }]) => [
        id,
        { callKey: call.key, certificateKey: certificate.key },
      ]),
    ),
    validators: Object.fromEntries(
      Object.entries(validators).map(([id, signers]) => [id, signers.map((signer) => signer.key)]),
    ),
  };
  const plan = planNetwork(definition, keys, definition.scenarios.map(readScenario), 'sample');
  const id = networkId(plan.genesis);
  const signed = (organisation: string, body: CallBody, nonce = 'once', actor = 'test'): SignedCall => {
    const call: Call = { schema: 'call/1', network: id, organisation, actor, nonce, body };
    const signer = organisations[organisation]?.call;
    const [first] = signer ? signCalls(signer, [call]) : [];
    if (!first) throw new Error(`no organisation ${organisation}`);
    return first;
  };
  const setUp = () => [
    signed(definition.organisations[0]?.id ?? '', { type: 'genesis', genesis: plan.genesis }),
    ...plan.calls.map(({ organisation, body }) => signed(organisation, body)),
  ];
  return { id, plan, organisations, validators, call: signed, setUp };
}

export function readScenario(name: string): ScenarioDocument {
  const parsed = parse(scenarioDocumentSchema, readJson(`scenarios/${name}/scenario.json`), 'scenario-invalid');
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}

/** An instruction that settles on the sample network, due `inMs` after `now`. */
export function sampleInstruction(tradeId: string, now: number, inMs = 60_000): DvpInstruction {
  const deadline = formatInstant(now + inMs);
  return {
    schema: 'dvp/1',
    tradeId,
    scenario: 'dvp-buyer-overseas@1',
    security: { isin: 'XS0000000009', quantity: '1000000', unit: 'FAMT' },
    seller: {
      party: 'Kita Bank',
      bic: 'KITAJPJ0XXX',
      lei: '999900KITABANK00B013',
      accounts: { security: 'csd:0042', lcy: 'rtgs:0042' },
    },
    buyer: {
      party: 'Minami Bank',
      bic: 'MINASGS0XXX',
      lei: '999900MINAMIBK00A081',
      accounts: { security: 'csd:0099', fcy: 'fcy-evm:0xbcd4042de499d14e55001ccbb24a551f3b954096' },
    },
    intermediary: {
      party: 'Central Bank of A',
      bic: 'CBOASGS0XXX',
      lei: '999900CENTRALB00A016',
      accounts: { lcy: 'rtgs:9001', fcy: 'fcy-evm:0x71be63f3384f5fb98995898a86b02fb2426c5788' },
    },
    lcy: { amount: '1000000', currency: 'JPY' },
    fcy: { amount: '6711.41', currency: 'USD' },
    rate: {
      value: '149.00',
      base: 'USD',
      quote: 'JPY',
      of: '/lcy',
      rounding: 'half-up',
      source: 'agreed',
      validUntil: deadline,
    },
    settlementDate: deadline.slice(0, 10),
    deadline,
    uetr: '4b1f5a9e-3c0d-4f7e-9a51-2d6c8b7e0f13',
  };
}

/** The call body with which one side lodges an instruction. */
export function lodgeBody(instruction: DvpInstruction): CallBody {
  return { type: 'lodge', tradeId: instruction.tradeId, scenario: instruction.scenario, fields: flatten(instruction) };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8'));
}

function secret(name: string): string {
  return bytesToHex(sha256(utf8ToBytes(`linkspan test key ${name}`)));
}
