import { readFileSync } from 'node:fs';
import { type Evidence, parseEvidence } from '@linkspan/audit';
import {
  type CallBody,
  canonicalText,
  checkInstruction,
  hashOf,
  joinShares,
  networkId,
  problemDetails,
  type Register,
  refuse,
  scenarioHash,
  scenarioReference,
  systemCertificate,
} from '@linkspan/protocol';
import { z } from 'zod';
import { compactJson } from './compact-json.ts';
import type { Example } from './fill-examples.ts';

/** One real example of each format, out of the evidence and the instruction that the tests use. */
export function formatExamples(): Record<string, Example> {
  const parsed = parseEvidence(readJson('test/vectors/audit/valid/settled.json'));
  if (!parsed.ok) throw new Error(parsed.finding.message);
  const evidence = parsed.value;
  const [settlement] = evidence.settlements;
  if (!settlement) throw new Error('the evidence has a settlement');
  const { genesis } = evidence;
  const bodies = settlement.calls.map(({ call }) => call.call.body);
  const [lodged] = settlement.calls;
  const statements = bodies.flatMap((body) => (body.type === 'record' ? body.statements : []));
  const shares = bodies.flatMap((body) => (body.type === 'certify' ? body.shares : []));
  const certificate = joinShares(shares, genesis.quorum);
  const system = evidence.environment.flatMap(({ call }) =>
    call.call.body.type === 'register-system' ? [call.call.body.system] : [],
  )[0];
  if (!lodged || !certificate || !system) throw new Error('the evidence has a call, a certificate and a system');
  const { call } = lodged;
  return {
    'canonical-json': { language: 'json', text: canonicalText({ b: 1, a: 'é', list: [true, null] }) },
    hash: { language: 'text', text: hashOf({ b: 1, a: 'é', list: [true, null] }) },
    genesis: json(genesis),
    'network-id': { language: 'text', text: networkId(genesis) },
    instruction: json(instructionVectors().instruction),
    refusal: json(refusalOf(evidence.environment)),
    call: json({ ...call, call: { ...call.call, body: shortened(call.call.body) } }),
    statement: json(statements[0]),
    'certificate-share': json(shares[0]),
    certificate: json(systemCertificate(certificate)),
    entry: json(settlement.entries[0]),
    evidence: json({
      ...evidence,
      genesis: '…',
      environment: [`… ${evidence.environment.length} calls`],
      settlements: [
        {
          ...settlement,
          calls: [`… ${settlement.calls.length} calls`],
          entries: [`… ${settlement.entries.length} entries`],
        },
      ],
    }),
    system: json(system),
  };
}

function json(value: unknown): Example {
  return { language: 'json', text: compactJson(value) };
}

/** The fields of a lodged copy are long; the first three show their form. */
function shortened(body: object): object {
  if (!('fields' in body) || !Array.isArray(body.fields)) return body;
  return { ...body, fields: [...body.fields.slice(0, 3), `… ${body.fields.length - 3} more`] };
}

const vectorsSchema = z.object({ now: z.string(), instruction: z.record(z.string(), z.unknown()) });

function instructionVectors() {
  return vectorsSchema.parse(readJson('test/vectors/instructions/dvp.json'));
}

/** The answer to an instruction with a wrong check digit and an amount with too many digits, as the API words it. */
function refusalOf(environment: Evidence['environment']): object {
  const { instruction, now } = instructionVectors();
  const wrong = {
    ...instruction,
    security: { isin: 'XS0000000008', quantity: '1000000', unit: 'FAMT' },
    lcy: { amount: '1000000.5', currency: 'JPY' },
  };
  const problems = checkInstruction(wrong, registerOf(environment), Date.parse(now));
  const { refusal } = refuse('instruction-invalid', `The instruction has ${problems.length} problems.`, { problems });
  return problemDetails(refusal);
}

/** What the environment of the evidence registers, as instructions are checked against it. */
function registerOf(environment: Evidence['environment']): Register {
  const bodies = environment.map(({ call }) => call.call.body);
  const found = <T>(each: (body: CallBody) => T | undefined): T | undefined =>
    bodies.map(each).find((one) => one !== undefined);
  return {
    party: (lei) =>
      found((body) => (body.type === 'register-party' && body.party.lei === lei ? body.party : undefined)),
    account: (id) =>
      found((body) => (body.type === 'register-account' && body.account.id === id ? body.account : undefined)),
    instrument: (isin) =>
      found((body) =>
        body.type === 'register-instrument' && body.instrument.isin === isin ? body.instrument : undefined,
      ),
    system: (id) =>
      found((body) => (body.type === 'register-system' && body.system.id === id ? body.system : undefined)),
    scenario: (reference) =>
      found((body) =>
        body.type === 'propose-scenario' && scenarioReference(body.document) === reference
          ? {
              document: body.document,
              hash: scenarioHash(body.document),
              proposedBy: '',
              approvals: bodies.flatMap((each) =>
                each.type === 'genesis' ? each.genesis.organisations.map(({ id }) => id) : [],
              ),
            }
          : undefined,
      ),
    tradeIdUsed: () => false,
  };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
}
