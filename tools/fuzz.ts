import { parseArgs } from 'node:util';
import { startCoreApiTarget } from './fuzz/core-api-target.ts';
import { startDomesticWebTarget } from './fuzz/domestic-web-target.ts';
import { type Finding, fuzzApi } from './fuzz/fuzz-api.ts';
import { fuzzEvidence } from './fuzz/fuzz-evidence.ts';
import { fuzzHostileSystem } from './fuzz/fuzz-hostile-system.ts';
import { fuzzParsers } from './fuzz/fuzz-parsers.ts';
import { startValidatorTarget } from './fuzz/validator-target.ts';

const USAGE = `npm run fuzz -- [--seed S] [--minutes N] [--only NAME]

Gives every endpoint and every reader of outside data what it does not expect: requests made from the API's own OpenAPI document and then changed,
documents that were right, systems that answer anything. Each answer must come in time, be in the documented form and tell nothing of the inside;
every reader must give a result or the fault that it documents; changed evidence must never verify. Exit 0 only if so.

  --seed S      what is drawn; printed, so that a run can be repeated (a case follows from seed and number alone)
  --minutes N   how long (2), in rounds of everything
  --only NAME   core-api, validator, domestic-web, parsers, evidence, web-api or evm`;

type Round = (
  seed: string,
  signal: AbortSignal,
) => Promise<{ readonly findings: readonly Finding[]; readonly [what: string]: unknown }>;

const API_CASES = 3_000;
const ROUNDS: Readonly<Record<string, Round>> = {
  'core-api': (seed, signal) => fuzzTarget(startCoreApiTarget, seed, signal),
  validator: (seed, signal) => fuzzTarget(startValidatorTarget, seed, signal),
  'domestic-web': (seed, signal) => fuzzTarget(startDomesticWebTarget, seed, signal),
  parsers: (seed, signal) => fuzzParsers({ seed, cases: 10_000, signal }),
  evidence: async (seed, signal) => fuzzEvidence({ seed, cases: 3_000, signal }),
  'web-api': (seed, signal) => fuzzHostileSystem('web-api', { seed, cases: 1_500, signal }),
  evm: (seed, signal) => fuzzHostileSystem('evm', { seed, cases: 1_500, signal }),
};

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: Date.now().toString(36) },
      minutes: { type: 'string', default: '2' },
      only: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const names = Object.keys(ROUNDS).filter((name) => values.only === undefined || values.only === name);
  const minutes = Number(values.minutes);
  if (values.help || names.length === 0 || !(minutes > 0 && minutes <= 10_000)) {
    process.stdout.write(`${USAGE}\n`);
    return values.help ? 0 : 2;
  }
  const signal = AbortSignal.timeout(minutes * 60_000);
  let found = 0;
  for (let round = 0; !signal.aborted; round++) {
    for (const name of names)
      found += await runRound(name, round === 0 ? values.seed : `${values.seed}-${round}`, signal);
  }
  process.stdout.write(`${found} findings\n`);
  return found === 0 ? 0 : 1;
}

async function runRound(name: string, seed: string, signal: AbortSignal): Promise<number> {
  const round = ROUNDS[name];
  if (!round || signal.aborted) return 0;
  const { findings, ...report } = await round(seed, signal);
  process.stdout.write(`${name} --seed ${seed}: ${JSON.stringify(report)}, ${findings.length} findings\n`);
  for (const each of findings)
    process.stdout.write(`  case ${each.case} ${each.how}: ${each.what}\n    ${JSON.stringify(each.request)}\n`);
  return findings.length;
}

async function fuzzTarget(start: typeof startCoreApiTarget, seed: string, signal: AbortSignal): ReturnType<Round> {
  await using target = await start();
  return { ...(await fuzzApi(target, { seed, cases: API_CASES, signal })) };
}
