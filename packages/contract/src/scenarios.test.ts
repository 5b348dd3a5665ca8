import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallBody, hashOf, scenarioHash, type ScenarioDocument, scenarioReference } from '@linkspan/protocol';
import { ContractScene, lodgeBody, readScenario, sampleNetwork } from '@linkspan/testkit';
import { runQuery } from './queries.ts';

const net = sampleNetwork();
const base = readScenario('dvp-buyer-overseas');
const next: ScenarioDocument = { ...base, version: 2 };
const approving = (document: ScenarioDocument): CallBody => ({
  type: 'approve-scenario',
  scenario: scenarioReference(document),
  hash: scenarioHash(document),
});

test('a scenario is used only when every owner of a system that it touches has approved its hash', () => {
  const scene = new ContractScene(net);
  const lodging = lodgeBody({ ...scene.instruction('T-1'), scenario: scenarioReference(next) });
  const problem = () =>
    scene.refused('csd-b', lodging).problems?.map(({ pointer, code, message }) => [pointer, code, message]);
  assert.equal(problem()?.[0]?.[1], 'scenario-unknown');
  scene.accepted('central-bank-b', { type: 'propose-scenario', document: next });
  assert.deepEqual(problem(), [
    ['/scenario', 'scenario-not-approved', 'dvp-buyer-overseas@2 is not approved by central-bank-a and csd-b.'],
  ]);
  scene.accepted('central-bank-a', approving(next));
  assert.deepEqual(problem()?.[0]?.[2], 'dvp-buyer-overseas@2 is not approved by csd-b.');
  scene.accepted('csd-b', approving(next));
  scene.accepted('csd-b', approving(next));
  scene.accepted('csd-b', lodging);
  const found = runQuery(scene.world, 'register', {});
  assert.ok(found.ok);
  const registered = found.value.scenarios.find(({ document }) => document.version === 2);
  assert.deepEqual(registered?.approvals, ['central-bank-a', 'central-bank-b', 'csd-b']);
});

test('whoever proposes a document that is proposed already approves it', () => {
  const scene = new ContractScene(net);
  for (const organisation of ['csd-b', 'central-bank-a', 'csd-b'])
    scene.accepted(organisation, { type: 'propose-scenario', document: next });
  const found = runQuery(scene.world, 'register', {});
  const registered = found.ok && found.value.scenarios.find(({ document }) => document.version === 2);
  assert.deepEqual(registered && [registered.proposedBy, registered.approvals], ['csd-b', ['central-bank-a', 'csd-b']]);
});

test('a name and version stand for one document for ever', () => {
  const scene = new ContractScene(net);
  const changed = { ...base, ends: { ...base.ends, settled: 'Another sentence.' } };
  assert.equal(scene.refused('csd-b', { type: 'propose-scenario', document: changed }).code, 'already-registered');
  assert.equal(scene.refused('csd-b', approving(changed)).code, 'already-registered');
  assert.deepEqual(scene.accepted('csd-b', { type: 'propose-scenario', document: base }), {
    scenario: scenarioReference(base),
    hash: scenarioHash(base),
  });
});

test('a document that breaks rules, or that nobody proposed, is refused', () => {
  const scene = new ContractScene(net);
  const refusal = scene.refused('csd-b', {
    type: 'propose-scenario',
    document: { ...next, stages: next.stages.slice(0, 2) },
  });
  assert.equal(refusal.code, 'scenario-invalid');
  assert.ok((refusal.problems?.length ?? 0) >= 2);
  assert.equal(scene.refused('csd-b', approving(next)).code, 'not-registered');
  assert.equal(
    scene.refused('csd-b', { ...approving(next), type: 'approve-scenario', scenario: 'none@1', hash: hashOf('x') })
      .code,
    'not-registered',
  );
});

test('a settlement keeps the scenario with which it began', () => {
  const scene = new ContractScene(net);
  const proposal = scene.begin('T-1');
  scene.accepted('csd-b', { type: 'propose-scenario', document: next });
  scene.answerAll(proposal);
  scene.answerAll(proposal);
  const { state } = scene.view(proposal);
  assert.equal(state.phase, 'settled');
  assert.deepEqual(state.scenario, { reference: scenarioReference(base), hash: scenarioHash(base) });
});

test('a copy for another scenario than the other side’s is refused', () => {
  const scene = new ContractScene(net);
  scene.accepted('csd-b', { type: 'propose-scenario', document: next });
  scene.accepted('central-bank-a', approving(next));
  scene.accepted('central-bank-b', approving(next));
  scene.lodge('csd-b', scene.instruction('T-1'));
  const other = lodgeBody({ ...scene.instruction('T-1'), scenario: scenarioReference(next) });
  assert.match(scene.refused('central-bank-a', other).message, /dvp-buyer-overseas@1/);
});
