import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parse, type Problem, type Result, type ScenarioDocument, scenarioDocumentSchema } from '@linkspan/protocol';
import {
  applyJsonPatch,
  familyChoices,
  familyDocument,
  type JsonPatch,
  readPatchVectors,
  readScenario,
  sampleNetwork,
} from '@linkspan/testkit';
import fc from 'fast-check';
import { bindRoles } from './bindings.ts';
import { validate } from './validate.ts';

const vectors = readPatchVectors('test/vectors/scenarios/scenario.json');

test('every valid vector keeps every rule', () => {
  assert.ok(vectors.valid.length > 0);
  for (const { why, change } of vectors.valid) assert.deepEqual(problemsOf(read(change)), [], why);
});

test('every invalid vector breaks exactly its rules, each at its pointer', () => {
  assert.ok(vectors.invalid.length > 0);
  for (const { why, change, problems } of vectors.invalid) {
    const found = problemsOf(read(change));
    assert.deepEqual(places(found), places(problems), why);
    for (const { message } of found) assert.match(message, /\.$/);
  }
});

test('every scenario of the catalogue keeps every rule and has the name of its folder', () => {
  const folders = readdirSync(new URL('../../../scenarios/', import.meta.url), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory(),
  );
  assert.ok(folders.some(({ name }) => name === 'dvp-buyer-overseas'));
  for (const { name } of folders) {
    const document = readScenario(name);
    assert.equal(document.name, name);
    assert.deepEqual(validate(document), [], name);
  }
});

test('a document that lost any operation, or whose operation names another role, is never accepted as it is', () => {
  fc.assert(
    fc.property(familyChoices, fc.nat(), (choices, at) => {
      const document = familyDocument(choices);
      const places = document.stages.flatMap((stage, index) =>
        'operations' in stage
          ? Object.entries(stage.operations).map(([name, { verb }]) => ({ index, name, verb }))
          : [],
      );
      const chosen = places.filter(({ verb }) => verb !== 'mint' && verb !== 'await')[at % places.length];
      if (!chosen) return;
      const stages = document.stages.map((stage, index) => {
        if (index !== chosen.index || !('operations' in stage)) return stage;
        return {
          ...stage,
          operations: Object.fromEntries(Object.entries(stage.operations).filter(([name]) => name !== chosen.name)),
        };
      });
      assert.ok(validate({ ...document, stages }).length > 0, `${chosen.verb} ${chosen.name}`);
    }),
  );
});

test('a role is played by the system that its accounts name, if that is of its type and promises all it demands', () => {
  const document = readScenario('dvp-buyer-overseas');
  const [fcy, lcy, csd] = ['fcy-evm', 'rtgs', 'csd'].map(
    (id) =>
      sampleNetwork().plan.calls.flatMap(({ body }) =>
        body.type === 'register-system' && body.system.id === id ? [body.system] : [],
      )[0],
  );
  assert.ok(fcy && lcy && csd);
  const accounts = {
    '/buyer/accounts/fcy': 'fcy-evm:1',
    '/buyer/accounts/security': 'csd:2',
    '/intermediary/accounts/fcy': 'fcy-evm:2',
    '/intermediary/accounts/lcy': 'rtgs:1',
    '/seller/accounts/lcy': 'rtgs:2',
    '/seller/accounts/security': 'csd:1',
  };
  const fields = Object.entries(accounts).map(([path, value]) => ({ path, value }));
  const bind = (...systems: readonly (typeof fcy)[]) =>
    bindRoles(document, fields, { system: (id) => systems.find((system) => system.id === id) });
  assert.deepEqual(bind(fcy, lcy, csd), {
    participants: [
      { role: 'csd', system: 'csd', owner: 'csd-b' },
      { role: 'fcy', system: 'fcy-evm', owner: 'central-bank-a' },
      { role: 'lcy', system: 'rtgs', owner: 'central-bank-b' },
    ],
    problems: [],
  });
  assert.deepEqual(places(bind(fcy, lcy).problems), ['/seller/accounts/security system-unknown']);
  assert.deepEqual(places(bind(fcy, { ...lcy, types: ['securities'] }, csd).problems), [
    '/intermediary/accounts/lcy promise-missing',
  ]);
  const weaker = { ...fcy, promises: fcy.promises.filter((promise) => promise !== 'hold-immune') };
  const [problem] = bind(weaker, lcy, csd).problems;
  assert.equal(problem?.pointer, '/buyer/accounts/fcy');
  assert.match(problem.message, /does not promise hold-immune/);
});

test('every account that a role’s operations name is in the instruction, and in the role’s own system', () => {
  const document = readScenario('dvp-buyer-overseas');
  const systems = sampleNetwork().plan.calls.flatMap(({ body }) =>
    body.type === 'register-system' ? [body.system] : [],
  );
  const bind = (accounts: Record<string, string>) =>
    places(
      bindRoles(document, flatten(accounts), { system: (id) => systems.find((system) => system.id === id) }).problems,
    );
  const flatten = (accounts: Record<string, string>) =>
    Object.entries(accounts).map(([path, value]) => ({ path, value }));
  const right = {
    '/buyer/accounts/fcy': 'fcy-evm:1',
    '/buyer/accounts/security': 'csd:2',
    '/intermediary/accounts/fcy': 'fcy-evm:2',
    '/intermediary/accounts/lcy': 'rtgs:1',
    '/seller/accounts/lcy': 'rtgs:2',
    '/seller/accounts/security': 'csd:1',
  };
  assert.deepEqual(bind(right), []);
  assert.deepEqual(bind({ ...right, '/seller/accounts/lcy': 'csd:1' }), [
    '/seller/accounts/lcy account-system-differs',
  ]);
  const { '/seller/accounts/lcy': _, ...fewer } = right;
  assert.deepEqual(bind(fewer), ['/seller/accounts/lcy missing']);
});

function read(change: JsonPatch): Result<ScenarioDocument> {
  return parse(scenarioDocumentSchema, applyJsonPatch(vectors.document, change), 'scenario-invalid');
}

function problemsOf(document: Result<ScenarioDocument>): readonly Problem[] {
  return document.ok ? validate(document.value) : (document.refusal.problems ?? []);
}

function places(problems: readonly { readonly pointer: string; readonly code: string }[]): string[] {
  return problems.map(({ pointer, code }) => `${pointer} ${code}`).toSorted();
}
