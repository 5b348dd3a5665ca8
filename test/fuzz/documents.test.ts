import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzEvidence } from '../../tools/fuzz/fuzz-evidence.ts';
import { fuzzHostileSystem } from '../../tools/fuzz/fuzz-hostile-system.ts';
import { fuzzParsers } from '../../tools/fuzz/fuzz-parsers.ts';

test('every reader of outside data gives a result or its documented fault, in time', async () => {
  const { findings, parsers, cases } = await fuzzParsers({ seed: 'test', cases: 4_000 });
  assert.deepEqual(findings, []);
  assert.ok(parsers > 30 && cases === 4_000);
});

test('changed evidence is refused, or says the same', () => {
  const { findings, accepted } = fuzzEvidence({ seed: 'test', cases: 1_000 });
  assert.deepEqual(findings, []);
  // Spaces, and what is the operator's word alone.
  assert.ok(accepted > 0 && accepted < 500);
});

for (const kind of ['web-api', 'evm'] as const) {
  test(`a ${kind} system that answers whatever it likes: a statement in the right form, a refusal or a fault`, async () => {
    assert.deepEqual((await fuzzHostileSystem(kind, { seed: 'test', cases: 600 })).findings, []);
  });
}
