import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Hash } from '@linkspan/protocol';
import { findOperation } from '@linkspan/scenario';
import { type InProcessNetwork, sampleInstruction, watchInvariants, withVirtualNetwork } from '@linkspan/testkit';

/** The last hold of the settlement is on its way to the system for minutes; meanwhile people say that it is dead. */
async function calledDead(network: InProcessNetwork, pass: (ms: number) => Promise<void>): Promise<Hash> {
  const csd = network.system('csd');
  csd.onRequest = ({ method }) => (method === 'submit' ? { arriveAfterMs: 200_000 } : 'lose-request');
  const proposal = await network.lodge(sampleInstruction('T-1', network.clock.now(), 10_000));
  await network.when('attention', proposal, ({ state }) => state.attention.length > 0);
  const { state } = await network.view(proposal);
  const [operation] = state.operations.filter(({ status }) => status === 'requested');
  assert.ok(operation);
  for (const organisation of network.organisations) {
    for (const actor of ['first', 'second']) {
      const result = await network.submit(
        organisation,
        { type: 'resolve', proposal, operation: operation.id, status: 'dead', why: 'NARR' },
        actor,
        actor,
      );
      assert.ok(result.ok, JSON.stringify(result));
    }
  }
  await network.until(proposal, ['cancelled']);
  await pass(1_000);
  return proposal;
}

test('what people called dead is fenced all the same when the system is back, so that it can never happen', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const proposal = await calledDead(network, (ms) => time.pass(ms));
    network.system('csd').onRequest = undefined;
    await time.pass(300_000);
    assert.equal(network.system('csd').books.openHolds(), 0);
    assert.deepEqual(contradictions((await network.view(proposal)).state), []);
    // Whoever does not want to wait brings the certificate by hand, also after the end.
    const [abort] = await network.coordinator('csd-b').certificates(proposal);
    const [called] = (await network.view(proposal)).state.operations.filter(({ byPeople }) => byPeople);
    assert.ok(abort?.signed && called);
    assert.deepEqual([abort.certificate.kind, abort.signed.signatures.length], ['abort', abort.quorum]);
    assert.ok(abort.certificate.operations.includes(called.id));
    await invariants.checkEnded();
  }));

test('what people called dead and took effect after all is kept as evidence, and people are told', () =>
  withVirtualNetwork(async (network, time) => {
    const proposal = await calledDead(network, (ms) => time.pass(ms));
    await time.pass(300_000);
    assert.equal(network.system('csd').books.openHolds(), 1);
    network.system('csd').onRequest = undefined;
    const { state } = await network.when('contradiction', proposal, (view) => contradictions(view.state).length > 0);
    assert.equal(state.phase, 'cancelled', 'evidence changes nothing');
    const [flag] = contradictions(state);
    assert.equal(flag?.waitingFor, 'csd');
    assert.ok(state.operations.some(({ id, byPeople }) => byPeople && findOperation(state, id)));
  }));

function contradictions({ attention }: Awaited<ReturnType<InProcessNetwork['view']>>['state']) {
  return attention.filter(({ reason }) => reason === 'contradiction');
}
