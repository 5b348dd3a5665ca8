import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Certificate,
  type CertificateShare,
  type Hash,
  hashOf,
  type Operation,
  signCertificates,
  type Statement,
} from '@linkspan/protocol';
import {
  type InProcessNetwork,
  sampleInstruction,
  signStatement,
  type VirtualTime,
  watchInvariants,
  withVirtualNetwork,
} from '@linkspan/testkit';
import { writersOf } from './tracked.ts';

const OWNERS = ['central-bank-a', 'central-bank-b', 'csd-b'];

test('F22 copies that differ are shown field by field and rejected at the deadline; nothing is held', () =>
  withVirtualNetwork(async (network, time) => {
    const [one, other] = [sampleInstruction('T-1', time.now()), sampleInstruction('T-1', time.now())];
    await network.lodge(one, ['central-bank-a']);
    const security = { ...other.security, quantity: '2000000' };
    const proposal = await network.lodge({ ...other, security }, ['csd-b']);
    const shown = await network.view(proposal);
    assert.deepEqual(
      shown.state.differences.map(({ path }) => path),
      ['/security/quantity'],
    );
    const { state } = await network.until(proposal, ['rejected']);
    assert.ok(state.time >= Date.parse(one.deadline));
    for (const system of network.systems.values()) assert.deepEqual(system.history(), []);
  }));

test('F5 two coordinators of each organisation at once have every effect once', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    for (const organisation of OWNERS) await network.start(organisation);
    const proposals = await lodgeMany(network, time, 5);
    for (const proposal of proposals) {
      const { state } = await network.until(proposal, ['settled', 'cancelled']);
      assert.deepEqual([state.phase, state.sequence], ['settled', 4]);
    }
    await invariants.checkEnded();
  }));

test('F4 when the driver cannot write, the next organisation does after two seconds', () =>
  withVirtualNetwork(async (network, time) => {
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    const { state } = await network.view(proposal);
    const [driver, next] = writersOf(state, OWNERS);
    network.onCrossing = ({ organisation, port, when }) =>
      organisation === driver && port === 'ledger-submit' && when === 'before' ? 'no-answer' : undefined;
    const settled = await network.until(proposal, ['settled']);
    const history = await network.ledger.evaluate('history', { id: proposal, limit: 10 });
    assert.ok(history.ok);
    const [, matched, held] = history.value;
    assert.equal(held?.by.organisation, next);
    const waitedMs = (held?.time ?? 0) - (matched?.time ?? 0);
    assert.ok(waitedMs >= 2000 && waitedMs < 3000, `it took over after ${waitedMs} ms`);
    assert.equal(settled.state.sequence, 4);
  }));

test('what the ledger took is not written again while the own node does not show it yet', () =>
  withVirtualNetwork(async (network, time) => {
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    const { state } = await network.view(proposal);
    const [driver] = writersOf(state, OWNERS);
    let submissions = 0;
    network.onCrossing = ({ organisation, port, when }) => {
      if (organisation !== driver || when !== 'before') return undefined;
      if (port === 'ledger-submit') submissions += 1;
      return port === 'ledger-event' && submissions > 0 ? { delayMs: 4000 } : undefined;
    };
    await network.until(proposal, ['settled'], 60_000);
    assert.ok(submissions >= 1 && submissions <= 2, `it wrote ${submissions} times`);
  }));

test('F12 a ledger that answers nobody for ten minutes holds everything up and loses nothing', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const proposal = await network.lodge(sampleInstruction('T-1', time.now(), 3_600_000));
    network.onCrossing = ({ port, when }) => (port === 'ledger-submit' && when === 'before' ? 'no-answer' : undefined);
    // What the last organisation in line was sent is lost with it.
    const { state } = await network.view(proposal);
    const last = writersOf(state, OWNERS).at(-1) ?? '';
    await time.pass(600_000);
    assert.equal((await network.view(proposal)).state.phase, 'preparing');
    network.kill(last);
    await network.start(last);
    network.onCrossing = undefined;
    const { state: end } = await network.until(proposal, ['settled', 'cancelled'], 20_000);
    assert.equal(end.phase, 'settled');
    await invariants.checkEnded();
  }));

test('the last in line is gone for good and the ledger was silent at every other turn: somebody writes all the same', () =>
  withVirtualNetwork(async (network, time) => {
    const proposal = await network.lodge(sampleInstruction('T-1', time.now(), 3_600_000));
    const { state } = await network.view(proposal);
    const last = writersOf(state, OWNERS).at(-1);
    const silentUntil = time.now() + 10_000;
    network.onCrossing = ({ organisation, port, when }) =>
      when === 'before' && port === 'ledger-submit' && (organisation === last || time.now() < silentUntil)
        ? 'no-answer'
        : undefined;
    const { state: end } = await network.until(proposal, ['settled', 'cancelled'], 30_000);
    assert.equal(end.phase, 'settled');
  }));

test('certificate shares that get lost are asked for', () =>
  withVirtualNetwork(async (network, time) => {
    let asked = 0;
    network.onCrossing = ({ port, when }) => {
      if (port === 'ask-shares' && when === 'before') asked += 1;
      return port === 'send-shares' && when === 'before' ? 'no-answer' : undefined;
    };
    const [proposal] = await lodgeMany(network, time, 1);
    assert.ok(proposal);
    const { state } = await network.until(proposal, ['settled', 'cancelled'], 5_000);
    assert.equal(state.phase, 'settled');
    assert.ok(asked > 0);
  }));

test('F40 one silent organisation delays nobody: whoever asks it for shares waits for the others alone', () =>
  withVirtualNetwork(async (network, time) => {
    network.onCrossing = ({ port, when, to }) => {
      if (port === 'send-shares' && when === 'before') return 'no-answer';
      return port === 'ask-shares' && when === 'before' && to === 'csd-b' ? { delayMs: 600_000 } : undefined;
    };
    const [proposal] = await lodgeMany(network, time, 1);
    assert.ok(proposal);
    const { state } = await network.until(proposal, ['settled', 'cancelled'], 5_000);
    assert.equal(state.phase, 'settled');
  }));

test('F31 statements and shares that other organisations make up do no harm', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    for (const system of network.systems.values()) {
      system.onRequest = ({ method }) => (method === 'submit' ? { delayMs: 100 } : undefined);
    }
    const began = time.now();
    const [proposal] = await lodgeMany(network, time, 1);
    assert.ok(proposal);
    for (const organisation of OWNERS)
      network.coordinator(organisation).receiveShares(proposal, floodOfShares(network, proposal));
    await forgeStatements(network, proposal);
    const committed = await network.until(proposal, ['committed']);
    const [called] = committed.certificates;
    assert.ok(called);
    for (const organisation of OWNERS)
      network.coordinator(organisation).receiveShares(proposal, forgedShares(network, called));
    await forgeStatements(network, proposal);
    const { state, shares } = await network.until(proposal, ['settled', 'cancelled'], 5_000);
    assert.equal(state.phase, 'settled');
    assert.deepEqual(state.attention, []);
    assert.ok(time.now() - began < 1_000, `it took ${time.now() - began} ms`);
    assert.ok(shares.length >= 2, 'the signatures of the quorum are on the ledger');
    await invariants.checkEnded();
  }));

test('F40 an organisation that signs nothing stops nobody; two that are away do, until one is back', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    network.onCrossing = ({ organisation, port, when, to }) => {
      const silent = (port === 'send-shares' && organisation === 'csd-b') || (port === 'ask-shares' && to === 'csd-b');
      return silent && when === 'before' ? 'no-answer' : undefined;
    };
    const [first] = await lodgeMany(network, time, 1);
    assert.ok(first);
    assert.equal((await network.until(first, ['settled', 'cancelled'], 5_000)).state.phase, 'settled');

    network.onCrossing = undefined;
    network.system('fcy-evm').onRequest = ({ operation }) =>
      operation?.verb === 'execute' ? 'lose-request' : undefined;
    const second = await network.lodge(sampleInstruction('T-2', time.now()));
    network.onCrossing = ({ organisation, port }) => {
      // Both go before they have signed anything about the second one.
      if (port === 'journal' && organisation !== 'central-bank-a') network.kill(organisation);
      return undefined;
    };
    await network.until(second, ['committed']);
    network.system('fcy-evm').onRequest = undefined;
    await time.pass(120_000);
    const { state } = await network.view(second);
    assert.equal(state.phase, 'committed');
    assert.ok(state.attention.some(({ reason, waitingFor }) => reason === 'unanswered' && waitingFor === 'fcy-evm'));
    assert.ok(
      state.operations.filter(({ purpose }) => purpose === 'complete').every(({ status }) => status === 'requested'),
    );
    network.onCrossing = undefined;
    await network.start('central-bank-b');
    await network.start('csd-b');
    assert.equal((await network.until(second, ['settled', 'cancelled'], 20_000)).state.phase, 'settled');
    await invariants.checkEnded();
  }));

test('F16 the last outcome and expire at the deadline: the order on the ledger decides', async (t) => {
  for (const [arrival, end] of [
    [-1, 'settled'],
    [0, 'cancelled'],
  ] as const) {
    await t.test(`an outcome at the deadline ${arrival} ms: ${end}`, () =>
      withVirtualNetwork(async (network, time) => {
        const invariants = watchInvariants(network);
        const instruction = sampleInstruction('T-1', time.now());
        const deadline = Date.parse(instruction.deadline);
        network.system('fcy-evm').onRequest = ({ method, operation }) =>
          method === 'submit' && operation?.verb === 'hold' ? { delayMs: deadline + arrival - time.now() } : undefined;
        const proposal = await network.lodge(instruction);
        const { state } = await network.until(proposal, ['settled', 'cancelled']);
        assert.equal(state.phase, end);
        await invariants.checkEnded();
      }),
    );
  }
});

test('F17 an effect that nobody saw before the abort is found by its fence and undone', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const fcy = network.system('fcy-evm');
    const instruction = sampleInstruction('T-1', time.now());
    fcy.onRequest = ({ method, operation }) => {
      if (operation?.verb !== 'hold' || time.now() >= Date.parse(instruction.deadline)) return undefined;
      return method === 'submit' ? 'lose-answer' : 'lose-request';
    };
    const proposal = await network.lodge(instruction);
    const { state } = await network.until(proposal, ['settled', 'cancelled']);
    assert.equal(state.phase, 'cancelled');
    const fcyOperations = state.operations.filter(({ system }) => system === 'fcy-evm');
    assert.deepEqual(
      fcyOperations.map(({ verb, status }) => `${verb} ${status}`),
      ['hold effective', 'release effective'],
    );
    await invariants.checkEnded();
  }));

test('F17 a request that arrives after its fence does nothing', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    network.system('rtgs').onRequest = ({ method, operation }) =>
      method === 'submit' && operation?.verb === 'hold' ? { arriveAfterMs: 90_000 } : undefined;
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    assert.equal((await network.until(proposal, ['settled', 'cancelled'])).state.phase, 'cancelled');
    await time.pass(100_000);
    await invariants.checkEnded();
  }));

test('a system that is away keeps a committed settlement waiting, and nothing else', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const rtgs = network.system('rtgs');
    rtgs.onRequest = ({ operation }) => {
      if (operation?.verb === 'execute') rtgs.down = true;
      return undefined;
    };
    const [proposal] = await lodgeMany(network, time, 1);
    assert.ok(proposal);
    await network.until(proposal, ['committed']);
    await time.pass(300_000);
    const { state } = await network.view(proposal);
    assert.equal(state.phase, 'committed');
    assert.deepEqual(
      state.attention.map(({ reason, waitingFor }) => `${reason} ${waitingFor}`),
      ['unanswered rtgs'],
    );
    rtgs.onRequest = undefined;
    rtgs.down = false;
    rtgs.wake();
    const { state: end } = await network.until(proposal, ['settled', 'cancelled']);
    assert.deepEqual([end.phase, end.attention], ['settled', []]);
    await invariants.checkEnded();
  }));

async function lodgeMany(network: InProcessNetwork, time: VirtualTime, count: number): Promise<Hash[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => network.lodge(sampleInstruction(`T-${i}`, time.now()))));
}

/** So many true signatures of one organisation over what nobody calls for that there would be no room for anything else. */
function floodOfShares(network: InProcessNetwork, proposal: Hash): CertificateShare[] {
  const signer = network.sample.organisations['csd-b']?.certificate;
  assert.ok(signer);
  return Array.from({ length: 200 }, (_, count) =>
    signCertificates(signer, 7, [madeUp(network, proposal, count + 1)]),
  ).flat();
}

function madeUp(network: InProcessNetwork, settlement: Hash, count: number): Certificate {
  return {
    network: network.sample.id,
    settlement,
    kind: 'commit',
    scenario: hashOf('s'),
    head: hashOf('h'),
    count,
    epoch: 1,
    operations: [],
  };
}

function forgedShares(network: InProcessNetwork, called: Certificate): CertificateShare[] {
  const { organisations } = network.sample;
  const [a, csd] = [organisations['central-bank-a']?.certificate, organisations['csd-b']?.certificate];
  assert.ok(a && csd);
  const [honest] = signCertificates(csd, 7, [called]);
  const [other] = signCertificates(csd, 7, [{ ...called, kind: 'abort' }]);
  assert.ok(honest && other);
  return [{ ...honest, key: a.key }, { ...honest, block: 8 }, { ...honest, certificate: other.certificate }, other];
}

/** Sends to everybody what others than the right validators, or too few of them, say about every open operation. */
async function forgeStatements(network: InProcessNetwork, proposal: Hash): Promise<void> {
  const { state } = await network.view(proposal);
  const { validators } = network.sample;
  const strangers = validators['csd']?.slice(0, 1) ?? [];
  const forged = state.operations
    .filter(({ status }) => status === 'requested')
    .flatMap((operation) => {
      const statement = deadStatement(network, state.settlement ?? proposal, operation);
      const tooFew = signStatement(statement, ...(validators['fcy-evm']?.slice(0, 1) ?? []));
      const wrongSystem = signStatement({ ...statement, system: 'csd' }, ...strangers);
      return operation.system === 'csd' ? [tooFew] : [signStatement(statement, ...strangers), tooFew, wrongSystem];
    });
  for (const organisation of OWNERS) network.coordinator(organisation).receiveStatements(proposal, forged);
}

function deadStatement(
  network: InProcessNetwork,
  settlement: Hash,
  operation: Pick<Operation, 'id' | 'system'>,
): Statement {
  const { id, system } = operation;
  const about = { network: network.sample.id, settlement, operation: id, system } as const;
  return { schema: 'statement/1', ...about, status: 'dead', terms: {}, reason: 'NARR', transaction: 'none' };
}
