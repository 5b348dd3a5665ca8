import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Verdict, verifyEvidenceText } from '@linkspan/audit';
import { createVerify } from '@linkspan/keys';
import { canonicalJson, isCanonicalisable } from '@linkspan/protocol';
import { Random } from '../torture/random.ts';
import type { Finding } from './fuzz-api.ts';
import { mutateBytes, mutateValue } from './mutate-json.ts';
import { isRecord } from './schema-values.ts';

export type EvidenceReport = {
  readonly cases: number;
  readonly casesPerSecond: number;
  readonly accepted: number;
  readonly findings: readonly Finding[];
};

/** Changes evidence that is right: it must be refused, or say the same. A case follows from seed and number alone. */
export function fuzzEvidence(options: {
  readonly seed: string;
  readonly cases: number;
  readonly signal?: AbortSignal;
}): EvidenceReport {
  const folder = join(import.meta.dirname, '../../test/vectors/audit/valid');
  const files = readdirSync(folder).map((name) => ({
    name,
    right: parsed(readFileSync(join(folder, name), 'utf8')),
  }));
  const verify = createVerify({ memoize: 20_000 });
  const known = new Map<string, Verdict>();
  const findings: Finding[] = [];
  const started = performance.now();
  let [number, accepted] = [0, 0];
  for (; number < options.cases && !options.signal?.aborted && findings.length < 30; number++) {
    const random = new Random(options.seed, `evidence ${number}`);
    const { name, right } = random.pick(files);
    const text = random.chance(0.25)
      ? mutateBytes(random, right).toString('utf8')
      : (JSON.stringify(mutateValue(random, right)) ?? 'null');
    const before = known.get(name) ?? verifyEvidenceText(JSON.stringify(right), { verify });
    known.set(name, before);
    const what = judge(right, before, text, () => verifyEvidenceText(text, { verify }));
    if (what === 'accepted') accepted += 1;
    else if (what !== undefined) findings.push({ case: number, what, how: name, request: text.slice(0, 200) });
  }
  return {
    cases: number,
    casesPerSecond: Math.round((number / (performance.now() - started)) * 1000),
    accepted,
    findings,
  };
}

function judge(right: unknown, before: Verdict, text: string, verify: () => Verdict): string | undefined {
  let after: Verdict;
  try {
    after = verify();
  } catch (error) {
    return error instanceof Error ? `threw ${error.name}: ${error.message}` : String(error);
  }
  if (after.verdict === 'refused') return undefined;
  const file = parsed(text);
  const places = differences(right, file, '').filter((place) => !OPERATORS_WORD.some((pattern) => pattern.test(place)));
  if (places.length > 0) return `verified although it differs at ${places.slice(0, 5).join(' ')}`;
  if (membersIn(text) !== countMembers(file)) return 'verified although members are there twice';
  return after.verdict === before.verdict || after.verdict === 'incomplete'
    ? 'accepted'
    : `the verdict changed from ${before.verdict} to ${after.verdict}`;
}

/**
 * What no signature covers: when the ledger put a call where, as long as the order stays; which settlement was asked for; and the sentence about
 * the host, instead of which a verifier tells its own.
 */
const OPERATORS_WORD = [/\/(block|time|index)$/, /\/role$/, /^\/host\/proves$/];

function differences(one: unknown, other: unknown, at: string): string[] {
  if (isCanonicalisable(one) && isCanonicalisable(other) && canonicalJson(one) === canonicalJson(other)) return [];
  if (!isParent(one) || !isParent(other) || Array.isArray(one) !== Array.isArray(other)) return [at];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].flatMap((name) => differences(memberOf(one, name), memberOf(other, name), `${at}/${name}`));
}

function isParent(value: unknown): value is object {
  return isRecord(value) || Array.isArray(value);
}

function memberOf(parent: object, name: string): unknown {
  return Object.hasOwn(parent, name) ? Reflect.get(parent, name) : undefined;
}

/** Colons outside of texts, which is how many members a text writes. */
function membersIn(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
}

function countMembers(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + countMembers(each), 0);
  return isRecord(value) ? Object.values(value).reduce<number>((sum, each) => sum + 1 + countMembers(each), 0) : 0;
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}
