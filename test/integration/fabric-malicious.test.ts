import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  type CallBody,
  Fault,
  type Hash,
  type SignedCall,
  signCalls,
  signCertificates,
  verifyShare,
} from '@linkspan/protocol';
import { lodgeBody, sampleInstruction, signStatement } from '@linkspan/testkit';
import { replaceByLiar } from '../support/fabric-faults.ts';
import { type FabricScene, openFabricScene } from '../support/fabric-scene.ts';
import { whyNoLinks } from '../support/linked-network.ts';

const missing = await whyNoLinks();
const WHAT = 'one organisation of a real Fabric network is malicious';

if (missing === undefined) describe(WHAT, liars);
else test(WHAT, { skip: missing }, () => undefined);

function liars(): void {
  let scene: FabricScene;

  before(async () => {
    scene = await openFabricScene();
  });

  afterEach(() => {
    scene.net.system('rtgs').down = false;
    scene.net.system('rtgs').wake();
    scene.join();
  });

  after(() => scene[Symbol.asyncDispose]());

  test('F39 F40 a CoreAPI that sends the calls of others, forged, replayed or early, changes nothing on the ledger', async () => {
    const { sample } = scene.net;
    const proposal = await held('API');
    const evil = scene.ledger(1);
    const height = await scene.ledger(0).height();
    const refusalOf = async (call: SignedCall): Promise<string> => {
      const [result] = await evil.submit([call]);
      return result?.ok === false ? result.refusal.code : 'accepted';
    };
    const cancel: CallBody = { type: 'cancel', proposal };
    const own = sample.call('central-bank-b', cancel);
    const inOthersName = { ...own, call: { ...own.call, organisation: 'central-bank-a' } };
    const key = sample.organisations['central-bank-b']?.call ?? assert.fail();
    const [signed] = signCalls(key, [{ ...own.call, organisation: 'csd-b' }]);
    const [elsewhere] = signCalls(key, [{ ...own.call, network: proposal }]);
    const early = sample.call('central-bank-b', { type: 'expire', proposal });
    const made = sample.call('central-bank-b', await deadByOneself(proposal));
    const again = sample.setUp().at(-1);
    assert.ok(signed && elsewhere && again);
    const refusals: string[] = [];
    for (const call of [inOthersName, signed, elsewhere, early, made, again]) refusals.push(await refusalOf(call));
    assert.deepEqual(refusals, [
      'signature-invalid',
      'key-unknown',
      'network-mismatch',
      'deadline-not-passed',
      'statement-key-unknown',
      'accepted',
    ]);
    assert.equal(await scene.ledger(0).height(), height, 'nothing was even ordered');
    assert.equal(await scene.phaseOf(proposal), 'preparing');
    scene.net.system('rtgs').down = false;
    scene.net.system('rtgs').wake();
    await scene.everythingSettles();
  });

  test('F31 F40 an organisation that withholds its shares delays nobody, and one that signs the opposite convinces no system', async () => {
    scene.net.onCrossing = ({ organisation, port, when, to }) =>
      when === 'before' &&
      ((port === 'send-shares' && organisation === 'central-bank-b') ||
        (port === 'ask-shares' && to === 'central-bank-b'))
        ? 'no-answer'
        : undefined;
    scene.net.system('rtgs').onRequest = ({ operation }) =>
      operation?.verb === 'execute' ? 'lose-request' : undefined;
    const proposal = await scene.lodge('SHARES');
    const { state, certificates } = await scene.net.until(proposal, ['committed'], 60_000);
    const [called] = certificates;
    const signer = scene.net.sample.organisations['central-bank-b']?.certificate;
    assert.ok(called && signer);
    const hold = state.operations.find(({ system, verb }) => system === 'rtgs' && verb === 'hold');
    assert.ok(hold);
    const abort = { ...called, kind: 'abort', operations: [hold.id] } as const;
    const [share] = signCertificates(signer, 1, [abort]);
    assert.ok(share);
    const { block, path, signature } = share;
    const liar = scene.net.coordinator('central-bank-b');
    await scene.waitFor('it has signed the decision', async () => (await liar.shares(proposal)).length > 0);
    const [commit] = await liar.shares(proposal);
    for (const signatures of [
      [{ key: signer.key, signature }],
      [
        { key: signer.key, signature },
        { key: signer.key, signature },
      ],
    ]) {
      const why = scene.net
        .system('rtgs')
        .books.closeAsStranger('release', hold.id, { certificate: abort, block, path, signatures });
      assert.equal(why, '1 have signed; 2 are needed.');
    }
    scene.net.coordinator('central-bank-a').receiveShares(proposal, [share]);
    scene.net.system('rtgs').onRequest = undefined;
    await scene.everythingSettles();
    // Both signatures hold, under one key, over two decisions of one settlement: whoever has them can show who signed.
    assert.ok(commit);
    for (const each of [commit, share]) assert.ok(each.key === signer.key && verifyShare(scene.net.verify, each));
    assert.deepEqual([commit.certificate.kind, share.certificate.kind], ['commit', 'abort']);
  });

  test('F32 a validator key that says two things is suspended on the ledger of every country', async () => {
    const proposal = await scene.lodge('EQUIVOCATES');
    const { state } = await scene.net.until(proposal, ['settled'], 60_000);
    const operation = state.operations.find(({ system, verb }) => system === 'fcy-evm' && verb === 'hold');
    const [liar] = scene.net.sample.validators['fcy-evm'] ?? [];
    assert.ok(operation && liar);
    const about = {
      schema: 'statement/1',
      network: scene.net.sample.id,
      settlement: state.settlement ?? proposal,
      operation: operation.id,
      system: 'fcy-evm',
    } as const;
    const [one, other] = (['one', 'another'] as const).map((transaction) =>
      signStatement({ ...about, status: 'dead', terms: {}, reason: 'NARR', transaction }, liar),
    );
    assert.ok(one && other);
    const report: CallBody = { type: 'report', proposal, statements: [one, other] };
    const [result] = await scene.ledger(2).submit([scene.net.sample.call('csd-b', report)]);
    assert.ok(result?.ok, JSON.stringify(result));
    await scene.allCatchUp();
    for (const index of scene.countries.keys()) {
      const view = await scene.ledger(index).evaluate('settlement', { id: proposal });
      assert.ok(view.ok && view.value.state.attention.some(({ reason }) => reason === 'equivocation'));
    }
  });

  test('F40 a peer whose contract endorses other results: the others leave it aside, its own calls fail, and the logs name it', async () => {
    const heal = await replaceByLiar(scene, 3, 'endorsement');
    scene.watchFrom(0);
    for (const proposal of await scene.lodgeMany('ENDORSES', 3)) await scene.net.until(proposal, ['settled'], 60_000);
    await using hasty = await scene.hastyLedger(3, 2000);
    const call = scene.net.sample.call('csd-b', lodgeBody(sampleInstruction('LIAR', Date.now())));
    await assert.rejects(
      hasty.submit([call]),
      (error) => error instanceof Fault && error.code === 'ledger-unavailable',
    );
    const logs = [0, 1, 2].map((index) => readFileSync(join(scene.layoutOf(index).logs, 'peer.log'), 'utf8'));
    assert.ok(
      logs.some((log) => /mismatch.*invoked-endorser.*country-d/.test(log)),
      'an honest peer names who answered otherwise',
    );
    await heal();
    scene.watchFrom(3);
    await scene.everythingSettles();
  });

  test('F40 a peer that answers falsely fools its own organisation alone: the trade is undone or waits, and is not half', async () => {
    const heal = await replaceByLiar(scene, 1, 'answers');
    const proposal = await scene.lodge('ANSWERS', 6000);
    const { state } = await scene.net.until(proposal, ['aborting', 'cancelled', 'settled'], 60_000);
    assert.notEqual(state.phase, 'settled', 'the owner of a system was told that there is nothing to do');
    // Left to choose, a gateway would now ask the liar: nobody else is there.
    for (const honest of [0, 2, 3]) await scene.kill(honest, 'chaincode');
    await using hasty = await scene.hastyLedger(0, 2000);
    await assert.rejects(hasty.evaluate('settlement', { id: proposal }), { code: 'ledger-unavailable' });
    await heal();
    await scene.net.until(proposal, ['cancelled'], 90_000);
    await scene.everythingEnds();
  });

  test('F40 an orderer that accepts everything and sends nothing: another leads, peers turn to others, and their logs name it', async () => {
    const leader = await scene.leader();
    const watcher = (leader + 1) % scene.countries.length;
    scene.watchFrom(watcher);
    let isNamed = false;
    // Which orderer a peer has its blocks from is its own choice, so each of them is silent in its turn until a peer has noticed.
    for (let turn = 0; turn < scene.countries.length && !isNamed; turn++) {
      const silent = (leader + turn) % scene.countries.length;
      scene.watchFrom((silent + 1) % scene.countries.length);
      scene.pause(silent, 'orderer');
      for (const proposal of await scene.lodgeMany(`SILENT-${turn}`, 2))
        await scene.net.until(proposal, ['settled'], 60_000);
      const endpoint = `:${scene.country(silent).outside?.orderer}`;
      isNamed = [...scene.countries.keys()].some((index) => {
        const log = readFileSync(join(scene.layoutOf(index).logs, 'peer.log'), 'utf8');
        return log.split('\n').some((line) => line.includes('Block censorship detected') && line.includes(endpoint));
      });
      scene.resume(silent, 'orderer');
    }
    assert.ok(isNamed, 'the peers that were served by a silent orderer say which one it was');
    await scene.everythingEnds();
  });

  /** A settlement that waits for its last hold. */
  async function held(tradeId: string): Promise<Hash> {
    scene.net.system('rtgs').down = true;
    const open = scene.net.system('csd').books.openHolds();
    const proposal = await scene.lodge(tradeId);
    await scene.waitFor('the other holds are made', async () => scene.net.system('csd').books.openHolds() > open);
    await scene.waitFor('they are on the ledger', async () => {
      const { operations } = (await scene.net.view(proposal)).state;
      return operations.every(({ system, status }) => system === 'rtgs' || status !== 'requested');
    });
    return proposal;
  }

  /** A `dead` that nobody but the organisation itself has signed. */
  async function deadByOneself(proposal: Hash): Promise<CallBody> {
    const { state } = await scene.net.view(proposal);
    const operation =
      state.operations.find(({ system }) => system === 'rtgs') ?? assert.fail('there is a hold to make');
    const about = {
      network: scene.net.sample.id,
      settlement: state.settlement ?? proposal,
      operation: operation.id,
    } as const;
    const key = scene.net.sample.organisations['central-bank-b']?.call ?? assert.fail();
    const said = { status: 'dead', terms: {}, reason: 'NARR', transaction: 'none' } as const;
    const statement = { schema: 'statement/1', system: 'rtgs', ...about, ...said } as const;
    return { type: 'record', proposal, statements: [signStatement(statement, key)] };
  }
}
