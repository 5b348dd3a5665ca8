import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { scenarioDocumentSchema, scenarioHash } from '@linkspan/protocol';
import { type InProcessNetwork, sampleInstruction, watchInvariants, withVirtualNetwork } from '@linkspan/testkit';
import { writersOf } from './tracked.ts';

const DOCUMENT = scenarioDocumentSchema.parse(
  JSON.parse(readFileSync(new URL('../../../scenarios/dvp-buyer-overseas/scenario.json', import.meta.url), 'utf8')),
);

test('people are told of a silent system as soon as the scenario says so, and not before', () =>
  withVirtualNetwork(async (network, time) => {
    const reference = await registerVersion(network, { ...DOCUMENT, version: 2, unansweredAfterSeconds: 5 });
    const csd = network.system('csd');
    csd.onRequest = ({ operation }) => (operation?.verb === 'deliver' ? 'lose-request' : undefined);
    const proposal = await network.lodge({ ...sampleInstruction('T-1', time.now(), 600_000), scenario: reference });
    await network.until(proposal, ['committed']);
    await time.pass(4_500);
    assert.deepEqual((await network.view(proposal)).state.attention, []);
    await time.pass(1_500);
    const { state } = await network.view(proposal);
    assert.deepEqual(
      state.attention.map(({ reason, waitingFor }) => [reason, waitingFor]),
      [['unanswered', 'csd']],
    );
    csd.onRequest = undefined;
    assert.equal((await network.until(proposal, ['settled', 'cancelled'])).state.phase, 'settled');
  }));

test('F41 when the first to say so is gone, another organisation says that the deadline has passed, and it is decided once', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const silent = network.system('csd');
    silent.down = true;
    const proposal = await network.lodge(sampleInstruction('T-1', time.now(), 10_000));
    await time.pass(5_000);
    const { state } = await network.view(proposal);
    const [first] = writersOf(state, network.organisations);
    assert.ok(first);
    network.kill(first);
    await time.pass(4_900);
    assert.equal((await network.view(proposal)).state.phase, 'preparing');
    await network.until(proposal, ['aborting'], 60_000);
    await network.start(first);
    silent.down = false;
    silent.wake();
    await network.until(proposal, ['cancelled'], 60_000);
    const history = await network.ledger.evaluate('history', { id: proposal, limit: 100 });
    assert.ok(history.ok);
    const decided = history.value.flatMap(({ changes }) => changes.filter(({ what }) => what === 'decided'));
    assert.equal(decided.length, 1);
    await invariants.checkEnded();
  }));

async function registerVersion(network: InProcessNetwork, document: typeof DOCUMENT): Promise<string> {
  const [proposer, ...others] = network.organisations;
  assert.ok(proposer);
  const proposed = await network.submit(proposer, { type: 'propose-scenario', document });
  assert.ok(proposed.ok);
  const scenario = `${document.name}@${document.version}`;
  for (const organisation of others) {
    const approved = await network.submit(organisation, {
      type: 'approve-scenario',
      scenario,
      hash: scenarioHash(document),
    });
    assert.ok(approved.ok);
  }
  return scenario;
}
