import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hash, Statement } from '@linkspan/protocol';
import type { Log } from './clock.ts';
import {
  type InProcessNetwork,
  type InProcessValidator,
  sampleInstruction,
  type VirtualTime,
  watchInvariants,
  withVirtualNetwork,
} from '@linkspan/testkit';

/** The system with three validators, of which two must agree. */
const SYSTEM = 'fcy-evm';

for (const liar of [0, 1, 2]) {
  test(`F31 validator ${liar} of three lies about everything: the two others are believed`, () =>
    withVirtualNetwork(async (network, time) => {
      const invariants = watchInvariants(network);
      validator(network, liar).lie = (statement) => ({ ...statement, status: 'dead', terms: {}, reason: 'NARR' });
      const proposal = await lodge(network, time);
      const { state } = await network.until(proposal, ['settled', 'cancelled']);
      assert.deepEqual([state.phase, state.attention], ['settled', []]);
      await invariants.checkEnded();
    }));

  test(`validator ${liar} of three is down: the two others do it`, () =>
    withVirtualNetwork(async (network, time) => {
      const invariants = watchInvariants(network);
      validator(network, liar).down = true;
      const { state } = await network.until(await lodge(network, time), ['settled', 'cancelled'], 10_000);
      assert.equal(state.phase, 'settled');
      await invariants.checkEnded();
    }));
}

test('two validators that lie differently are shown; before the decision holds stay until the deadline, then come back', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    validator(network, 0).lie = (statement) => ({ ...statement, transaction: 'one' });
    validator(network, 1).lie = (statement) => ({ ...statement, transaction: 'another' });
    const proposal = await lodge(network, time);
    const { state } = await network.when('attention', proposal, (view) => view.state.attention.length > 0);
    assert.deepEqual([state.phase, state.attention[0]?.reason], ['preparing', 'disagreement']);
    await time.pass(30_000);
    for (const system of network.systems.values()) assert.equal(system.books.openHolds(), 1, system.system);
    const aborting = await network.until(proposal, ['aborting', 'cancelled']);
    assert.equal(aborting.state.phase, 'aborting');
    // Only what the liars speak of stays open; it waits for people.
    await time.pass(10_000);
    assert.deepEqual(
      [...network.systems.values()].filter((system) => system.books.openHolds() > 0).map(({ system }) => system),
      [SYSTEM],
    );
    await invariants.check();
  }));

test('F32 a key that contradicts itself is suspended on the ledger, both statements are kept, and the settlement goes on', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    lieTheSecondTime(network);
    const proposal = await lodge(network, time);
    const { state } = await network.until(proposal, ['settled', 'cancelled']);
    assert.equal(state.phase, 'settled');
    assert.ok(state.attention.some(({ reason }) => reason === 'equivocation'));
    const history = await network.ledger.evaluate('history', { id: proposal, limit: 100 });
    assert.ok(history.ok);
    const evidence = history.value.flatMap(({ changes }) => changes.filter(({ what }) => what === 'evidence'));
    assert.equal(evidence.length, 1, 'the evidence is kept once');
    // From now on the ledger takes nothing that this key signed, and the others are enough.
    const { state: next } = await network.until(await lodge(network, time, 'T-2'), ['settled', 'cancelled'], 10_000);
    assert.equal(next.phase, 'settled');
    await invariants.checkEnded();
  }));

test('F32 an organisation that starts anew learns from the ledger which keys are suspended', async () => {
  const refused: unknown[] = [];
  const log: Log = (_, message, context) => {
    if (context?.['code'] === 'statement-key-suspended') refused.push(message);
  };
  await withVirtualNetwork(
    async (network, time) => {
      const invariants = watchInvariants(network);
      lieTheSecondTime(network);
      await network.until(await lodge(network, time), ['settled', 'cancelled']);
      refused.length = 0;
      network.kill('central-bank-a');
      await network.start('central-bank-a');
      // Without the third one, the suspended key's signature would be among those that make the quorum.
      validator(network, 2).down = true;
      const proposal = await lodge(network, time, 'T-2');
      await time.pass(5_000);
      validator(network, 2).down = false;
      const { state } = await network.until(proposal, ['settled', 'cancelled'], 10_000);
      assert.equal(state.phase, 'settled');
      assert.deepEqual(refused, [], 'nothing was tried with the suspended key');
      await invariants.checkEnded();
    },
    { log },
  );
});

/**
 * The first validator says the truth about the hold and then something else, while the third one is away. Until then nothing that the owner of
 * the system says arrives anywhere, so that the others' statements have it look at the hold twice.
 */
function lieTheSecondTime(network: InProcessNetwork): void {
  const toldAt = new Map<string, number>();
  const [first, third] = [validator(network, 0), validator(network, 2)];
  third.down = true;
  first.lie = (statement): Statement => {
    const now = network.clock.now();
    const before = toldAt.get(statement.operation) ?? now;
    toldAt.set(statement.operation, before);
    // Within one asking it may be asked more than once, by another errand.
    if (now - before < 100) return statement;
    third.down = false;
    network.onCrossing = undefined;
    return { ...statement, transaction: 'another' };
  };
  network.onCrossing = ({ organisation, port, when }) => {
    const says = port === 'ledger-submit' || port === 'send-statements';
    return says && when === 'before' && organisation === 'central-bank-a' ? 'no-answer' : undefined;
  };
}

function validator(network: InProcessNetwork, index: number): InProcessValidator {
  const found = network.validatorsOf(SYSTEM)[index];
  assert.ok(found);
  return found;
}

function lodge(network: InProcessNetwork, time: VirtualTime, tradeId = 'T-1'): Promise<Hash> {
  return network.lodge(sampleInstruction(tradeId, time.now()));
}
