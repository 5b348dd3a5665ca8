import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkView } from '@linkspan/contract';
import { type CertificateShare, type Hash, joinShares, type NetworkChange } from '@linkspan/protocol';
import {
  approveBody,
  type InProcessNetwork,
  proposeBody,
  sampleInstruction,
  testKeys,
  type VirtualTime,
  watchInvariants,
  withVirtualNetwork,
} from '@linkspan/testkit';
import fc from 'fast-check';

const [A, B, CSD] = ['central-bank-a', 'central-bank-b', 'csd-b'] as const;
const ORGANISATIONS = [A, B, CSD];
const NEXT = testKeys('next');
const ROTATE_A: NetworkChange = { what: 'rotate', organisation: A, certificateKey: NEXT.certificate.key };
const ENDS = ['settled', 'cancelled', 'rejected'] as const;

test('F34 holds of the first epoch are executed by a certificate of the second', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    await holdNextKey(network);
    const proposal = await held(network, time);
    await announce(network);
    installEverywhere(network, await read(network));
    await confirm(network, A, B);
    assert.equal((await read(network)).epoch, 2);
    network.system('fcy-evm').down = false;
    assert.equal((await network.until(proposal, ENDS)).state.phase, 'settled');
    const { shares } = await network.view(proposal);
    assert.equal(
      joinShares(shares.filter(isOf(2)), 2)?.certificate.kind,
      'commit',
      'the ledger has the certificate that was acted on',
    );
    await invariants.checkEnded();
  }));

test('what a system holds after it knows the announced epoch is executed before that epoch begins', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    await holdNextKey(network);
    await announce(network);
    const epoch = await read(network);
    // The one system knows it, and its owner has said so; the others do not, and take certificates of the first epoch.
    install(network, 'fcy-evm', epoch);
    await confirm(network, B === ownerOf(network, 'fcy-evm') ? B : A);
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    const { state } = await network.until(proposal, ENDS);
    assert.deepEqual([state.phase, state.epoch, (await read(network)).epoch], ['settled', 1, 1]);
    await invariants.checkEnded();
  }));

test('what is asked for while an epoch ends is signed again after a restart of everybody', () =>
  withVirtualNetwork(async (network, time) => {
    await holdNextKey(network);
    const proposal = await held(network, time);
    for (const organisation of ORGANISATIONS) network.kill(organisation);
    await announce(network);
    installEverywhere(network, await read(network));
    await confirm(network, B, CSD);
    for (const organisation of ORGANISATIONS) await network.start(organisation);
    network.system('fcy-evm').down = false;
    assert.equal((await network.until(proposal, ENDS)).state.phase, 'settled');
  }));

test('an organisation that does not hold its new key signs nothing; a quorum of others goes on', () =>
  withVirtualNetwork(async (network, time) => {
    await announce(network);
    installEverywhere(network, await read(network));
    await confirm(network, B, CSD);
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    assert.equal((await network.until(proposal, ENDS)).state.phase, 'settled');
    const keys = new Set((await network.view(proposal)).shares.map(({ key }) => key));
    assert.ok(!keys.has(NEXT.certificate.key));
    assert.ok(!keys.has(network.sample.organisations[A]?.certificate.key ?? NEXT.certificate.key));
  }));

test('an abort that was decided in one epoch releases in the next', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    await holdNextKey(network);
    network.system('csd').onRequest = ({ method }) => (method === 'submit' ? { refuse: 'LACK' } : undefined);
    network.system('rtgs').onRequest = ({ method, operation }) =>
      method === 'submit' && operation?.verb === 'release' ? 'lose-request' : undefined;
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    await network.until(proposal, ['aborting']);
    await announce(network);
    installEverywhere(network, await read(network));
    await confirm(network, A, CSD);
    network.system('rtgs').onRequest = undefined;
    assert.equal((await network.until(proposal, ENDS)).state.phase, 'cancelled');
    await invariants.checkEnded();
  }));

test('F33 a validator gets another key: what it signed before and nobody has taken is signed again by those that count', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const [, second, third] = network.validatorsOf('fcy-evm');
    assert.ok(second && third);
    // The first and the second sign; what they sign does not reach the ledger.
    third.down = true;
    network.onCrossing = ({ port, when }) => (port === 'ledger-submit' && when === 'before' ? 'no-answer' : undefined);
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    await time.pass(3_000);
    const keys = [second.signer.key, third.signer.key];
    const change: NetworkChange = { what: 'rotate-validators', system: 'fcy-evm', validators: { keys, threshold: 2 } };
    const view = await read(network);
    const owner = ownerOf(network, 'fcy-evm');
    await accepted(network, owner, proposeBody(view, change));
    await accepted(network, CSD, approveBody(view, change));
    third.down = false;
    network.onCrossing = undefined;
    assert.equal((await network.until(proposal, ENDS, 40_000)).state.phase, 'settled');
    await invariants.checkEnded();
  }));

test('F34 whenever an epoch is announced, installed and begun, every settlement ends as it would have', async () => {
  const moment = fc.integer({ min: 0, max: 4_000 });
  const plan = fc.record({
    announcedAt: moment,
    installed: fc.record({ 'fcy-evm': moment, csd: moment, rtgs: moment }),
    confirmed: fc.record({ [A]: moment, [B]: moment, [CSD]: moment }),
    lodged: fc.array(moment, { minLength: 1, maxLength: 4 }),
    answersAfterMs: fc.integer({ min: 0, max: 1_500 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, ({ announcedAt, installed, confirmed, lodged, answersAfterMs }) =>
      withVirtualNetwork(async (network, time) => {
        const invariants = watchInvariants(network);
        await holdNextKey(network);
        const begin = time.now();
        for (const system of network.systems.values())
          system.onRequest = ({ method }) => (method === 'submit' ? { delayMs: answersAfterMs } : undefined);
        const proposals: Hash[] = [];
        const deeds: { readonly at: number; readonly do: () => Promise<void> | void }[] = [
          { at: announcedAt, do: () => announce(network) },
          ...Object.entries(installed).map(([system, at]) => ({
            at: announcedAt + at,
            do: async () => install(network, system, await read(network)),
          })),
          ...Object.entries(confirmed).map(([organisation, at]) => ({
            // Its systems know the epoch before it says so.
            at:
              announcedAt + Math.max(at, ...ownSystems(network, organisation).map((id) => Reflect.get(installed, id))),
            do: async () => void (await network.submit(organisation, { type: 'confirm-epoch', epoch: 2 }, `c ${at}`)),
          })),
          ...lodged.map((at, i) => ({
            at,
            do: async () => void proposals.push(await network.lodge(sampleInstruction(`T-${i}`, begin))),
          })),
        ];
        for (const deed of deeds.toSorted((a, b) => a.at - b.at)) {
          await time.pass(Math.max(0, begin + deed.at - time.now()));
          await deed.do();
        }
        for (const proposal of proposals) {
          const { state } = await network.until(proposal, ENDS);
          assert.deepEqual([state.phase, state.attention], ['settled', []]);
        }
        await time.pass(5_000);
        for (const proposal of proposals) {
          const { shares } = await network.view(proposal);
          const complete = [1, 2].some((epoch) => joinShares(shares.filter(isOf(epoch)), 2) !== undefined);
          assert.ok(complete, 'the ledger has the certificate');
        }
        await invariants.checkEnded();
        assert.equal((await read(network)).epoch, 2);
      }),
    ),
    { numRuns: 12, examples: [[ENDS_WITH_THE_EPOCH]] },
  );
});

/** The epoch begins while the last statements are on their way, and who records them has only its own signature of the new one. */
const ENDS_WITH_THE_EPOCH = {
  announcedAt: 1_509,
  installed: { 'fcy-evm': 491, csd: 0, rtgs: 0 },
  confirmed: { [A]: 0, [B]: 491, [CSD]: 0 },
  lodged: [0],
  answersAfterMs: 999,
};

function isOf(epoch: number): (share: CertificateShare) => boolean {
  return ({ certificate }) => certificate.epoch === epoch;
}

/** The organisation's coordinator has the key that it will sign with, beside the one that it signs with. */
async function holdNextKey(network: InProcessNetwork): Promise<void> {
  await network.stop(A);
  network.nextKeys[A] = { nextCertificate: NEXT.certificate };
  await network.start(A);
}

/** A settlement that is committed and cannot execute what is held in one system. */
async function held(network: InProcessNetwork, time: VirtualTime): Promise<Hash> {
  const system = network.system('fcy-evm');
  system.onRequest = ({ method, operation }) => {
    if (method === 'submit' && operation?.verb === 'execute') system.down = true;
    return undefined;
  };
  const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
  await network.until(proposal, ['committed']);
  await time.until('the system is down', () => system.down, 10_000);
  system.onRequest = undefined;
  return proposal;
}

async function read(network: InProcessNetwork): Promise<NetworkView> {
  const answer = await network.ledger.evaluate('network', {});
  assert.ok(answer.ok && answer.value);
  return answer.value;
}

async function announce(network: InProcessNetwork): Promise<void> {
  const view = await read(network);
  const certificateOf = (organisation: string) => network.sample.organisations[organisation]?.certificate;
  await accepted(network, A, proposeBody(view, ROTATE_A, certificateOf(A)));
  await accepted(network, CSD, approveBody(view, ROTATE_A, certificateOf(CSD)));
}

async function confirm(network: InProcessNetwork, ...organisations: readonly string[]): Promise<void> {
  for (const organisation of organisations) await accepted(network, organisation, { type: 'confirm-epoch', epoch: 2 });
}

async function accepted(
  network: InProcessNetwork,
  organisation: string,
  body: Parameters<InProcessNetwork['submit']>[1],
) {
  const result = await network.submit(organisation, body, `${body.type} ${organisation}`);
  assert.ok(result.ok, JSON.stringify(result));
}

function installEverywhere(network: InProcessNetwork, view: NetworkView): void {
  for (const system of network.systems.keys()) install(network, system, view);
}

function install(network: InProcessNetwork, system: string, { announced, current }: NetworkView): void {
  const { epoch, members, quorum } = announced ?? current;
  const keys = members.map(({ certificateKey }) => certificateKey);
  network.system(system).books.installEpoch({ epoch, keys, quorum });
}

function ownSystems(network: InProcessNetwork, organisation: string): string[] {
  return [...network.systems.keys()].filter((system) => ownerOf(network, system) === organisation);
}

function ownerOf(network: InProcessNetwork, system: string): string {
  const registered = network.sample.plan.calls.flatMap(({ body }) =>
    body.type === 'register-system' && body.system.id === system ? [body.system.owner] : [],
  );
  return registered[0] ?? '';
}
