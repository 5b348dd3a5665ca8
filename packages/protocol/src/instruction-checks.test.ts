import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { applyJsonPatch, type JsonPatch, jsonPatchSchema, readScenario } from '@linkspan/testkit';
import fc from 'fast-check';
import { z } from 'zod';
import { PROBLEMS } from './errors.ts';
import { identifierSchema } from './genesis.ts';
import { hashOf } from './hash.ts';
import { parseInstant } from './instant.ts';
import { checkInstruction } from './instruction-checks.ts';
import {
  accountRecordSchema,
  instrumentRecordSchema,
  partyRecordSchema,
  type SystemRecord,
  systemRecordSchema,
} from './records.ts';
import type { Register } from './register.ts';
import type { Problem } from './refusal.ts';

const systemSchema = systemRecordSchema.unwrap().pick({ id: true, owner: true, types: true, windows: true });
const vectors = z
  .strictObject({
    now: z.string(),
    register: z.strictObject({
      systems: z.array(systemSchema),
      parties: z.array(partyRecordSchema),
      accounts: z.array(accountRecordSchema),
      instruments: z.array(instrumentRecordSchema),
      scenarios: z.array(
        z.strictObject({
          reference: z.string(),
          approvals: z.array(identifierSchema),
          retired: z.literal(true).optional(),
        }),
      ),
      usedTradeIds: z.array(z.strictObject({ tradeId: z.string(), lodgers: z.array(z.string()) })),
    }),
    instruction: z.json(),
    valid: z.array(z.strictObject({ why: z.string(), change: jsonPatchSchema })),
    invalid: z.array(
      z.strictObject({
        why: z.string(),
        change: jsonPatchSchema,
        problems: z.array(z.strictObject({ pointer: z.string(), code: z.string() })),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../test/vectors/instructions/dvp.json', import.meta.url), 'utf8')));

const now = instant(vectors.now);
const register = registerOf();

test('every valid vector has no problem', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { why, change } of vectors.valid) assert.deepEqual(check(change), [], why);
});

test('F14 F23 F24 F25 F26 F27 every invalid vector has exactly its problems, each at its pointer, in a sentence, with the reason of the table', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { why, change, problems } of vectors.invalid) {
    const found = check(change);
    assert.deepEqual(sorted(found), sorted(problems), why);
    for (const { code, message, iso } of found) {
      assert.match(message, /\.$/, why);
      assert.equal(iso, PROBLEMS[code].iso);
    }
  }
});

test('the vectors name every problem that an instruction can have', () => {
  const named = new Set(vectors.invalid.flatMap(({ problems }) => problems.map(({ code }) => code)));
  const elsewhere = [
    'scenario-takes-another-schema',
    'system-unknown',
    'promise-missing',
    'reference-unknown',
    'rule-broken',
    'limit-exceeded',
    'out-of-range',
  ];
  assert.deepEqual(
    Object.keys(PROBLEMS).filter((code) => !named.has(code) && !elsewhere.includes(code)),
    [],
  );
});

/** Changes of one field each that are wrong whatever the other fields say, with the one problem that they have. */
const alone = vectors.invalid.filter(({ change, problems }) => {
  const [step, ...more] = change;
  return (
    step !== undefined &&
    more.length === 0 &&
    problems.length === 1 &&
    problems[0]?.pointer === step.path &&
    step.path !== ''
  );
});
/** What a problem needs to know of other fields. Where one of those is reported, the problem itself may stay unsaid. */
const NEEDS: Record<string, readonly string[]> = {
  'unit-wrong': ['/security/isin'],
  'party-differs': ['/seller/lei', '/buyer/lei'],
  'account-of-another-party': ['/seller/lei'],
  'account-asset-differs': ['/lcy/currency', '/intermediary/lei'],
  'amount-too-precise': ['/lcy/currency'],
  'amount-not-positive': ['/fcy/currency'],
  'date-disagrees': ['/deadline'],
  'trade-id-used': ['/seller/lei', '/buyer/lei', '/intermediary/lei', '/scenario', '/seller', '/buyer'],
  'scenario-not-approved': ['/seller/accounts/security', '/seller/accounts/lcy'],
};

test('no field hides another one’s problem: whatever else is wrong, each problem that stands by itself is told', () => {
  assert.ok(alone.length > 30);
  fc.assert(
    fc.property(fc.subarray(alone, { minLength: 2, maxLength: 12 }), (chosen) => {
      const changes = chosen.filter(
        ({ change }, index) => chosen.findIndex((other) => overlaps(other.change, change)) === index,
      );
      const found = check(changes.flatMap(({ change }) => change));
      const pointers = new Set(found.map(({ pointer }) => pointer));
      for (const { why, problems } of changes) {
        for (const { pointer, code } of problems) {
          if ((NEEDS[code] ?? []).some((needed) => pointers.has(needed))) continue;
          assert.ok(
            found.some((each) => each.pointer === pointer && each.code === code),
            `${why} is not told`,
          );
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('F23 a missing field is told, and hides no problem of any other', () => {
  const paths = pathsOf(vectors.instruction, '');
  for (const { why, change, problems } of alone) {
    const [expected] = problems;
    assert.ok(expected);
    for (const path of paths) {
      if (
        overlaps(change, [{ op: 'remove', path }]) ||
        (NEEDS[expected.code] ?? []).some((needed) => path.startsWith(needed))
      )
        continue;
      const found = check([...change, { op: 'remove', path }]);
      assert.ok(
        found.some(({ pointer, code }) => pointer === path && code === 'missing'),
        path,
      );
      assert.ok(
        found.some(({ pointer, code }) => pointer === expected.pointer && code === expected.code),
        `${why}, without ${path}`,
      );
    }
  }
});

test('whatever comes in, the answer is a list of problems', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...pathsOf(vectors.instruction, '')), (value, path) => {
      assert.ok(Array.isArray(checkInstruction(value, register, now)));
      const json = z.json().parse(JSON.parse(JSON.stringify(value)));
      assert.ok(
        Array.isArray(
          checkInstruction(applyJsonPatch(vectors.instruction, [{ op: 'replace', path, value: json }]), register, now),
        ),
      );
    }),
  );
});

function check(change: JsonPatch): Problem[] {
  return checkInstruction(applyJsonPatch(vectors.instruction, change), register, now);
}

function sorted(problems: readonly { readonly pointer: string; readonly code: string }[]): string[] {
  return problems.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
}

/** Whether two changes are about one place, or one lies within the other. */
function overlaps(a: JsonPatch, b: JsonPatch): boolean {
  return a.some(({ path: left }) =>
    b.some(({ path: right }) => `${left}/`.startsWith(`${right}/`) || `${right}/`.startsWith(`${left}/`)),
  );
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => pathsOf(member, `${path}/${name}`));
}

function registerOf(): Register {
  const { systems, parties, accounts, instruments, scenarios, usedTradeIds } = vectors.register;
  const document = readScenario('dvp-buyer-overseas');
  const rest = {
    name: 'A system',
    kind: 'any',
    promises: [],
    finality: 'at once',
    validators: { keys: [], threshold: 1 },
  };
  return {
    party: (lei) => parties.find((party) => party.lei === lei),
    account: (id) => accounts.find((account) => account.id === id),
    instrument: (isin) => instruments.find((instrument) => instrument.isin === isin),
    system: (id) => systems.map((system): SystemRecord => ({ ...rest, ...system })).find((system) => system.id === id),
    scenario: (name) => {
      const found = scenarios.find(({ reference }) => reference === name);
      if (!found) return undefined;
      const { approvals, retired = false } = found;
      return { document, hash: hashOf(document), proposedBy: 'csd-b', approvals, retired };
    },
    tradeIdUsed: (tradeId, lodgers) =>
      usedTradeIds.some((used) => used.tradeId === tradeId && used.lodgers.join() === lodgers.join()),
  };
}

function instant(text: string): number {
  const parsed = parseInstant(text);
  assert.ok(parsed.ok);
  return parsed.value;
}
