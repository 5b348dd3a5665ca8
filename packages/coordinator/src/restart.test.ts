import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Hash } from '@linkspan/protocol';
import {
  type InProcessNetwork,
  sampleInstruction,
  type VirtualTime,
  watchInvariants,
  withVirtualNetwork,
} from '@linkspan/testkit';
import { openSigningJournal } from './journal.ts';

const ORGANISATION = 'csd-b';

test('a restart signs again what is still open, from before its block on and not from the beginning', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    const fcy = network.system('fcy-evm');
    fcy.onRequest = ({ operation }) => (operation?.verb === 'execute' ? 'lose-request' : undefined);
    await busy(network, time, 70, 'before');
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    await network.until(proposal, ['committed']);
    await time.pass(100);
    await busy(network, time, 140, 'after');
    assert.equal((await network.coordinator(ORGANISATION).shares(proposal)).length, 1);

    await network.stop(ORGANISATION);
    const { checkpoint, certificates } = { checkpoint: checkpointOf(network), ...(await network.view(proposal)) };
    assert.ok(checkpoint >= 64, `the checkpoint is ${checkpoint}`);
    assert.ok(checkpoint < (await network.ledger.height()) - 130, `the checkpoint is ${checkpoint}`);
    await network.start(ORGANISATION);
    await time.pass(100);
    const shares = await network.coordinator(ORGANISATION).shares(proposal);
    assert.deepEqual(
      shares.map(({ certificate }) => certificate),
      certificates,
    );
    fcy.onRequest = undefined;
    assert.equal((await network.until(proposal, ['settled', 'cancelled'])).state.phase, 'settled');
    await invariants.checkEnded();
  }));

test('a restart goes on with what was asked before its checkpoint', () =>
  withVirtualNetwork(async (network, time) => {
    const csd = network.system('csd');
    csd.down = true;
    const proposal = await network.lodge(sampleInstruction('T-1', time.now()));
    // The others' statements are recorded, so that nothing about it comes after the checkpoint.
    await time.pass(5_000);
    await busy(network, time, 140, 'after');
    await network.stop(ORGANISATION);
    assert.ok(checkpointOf(network) > 64);
    csd.down = false;
    csd.wake();
    await network.start(ORGANISATION);
    assert.equal((await network.until(proposal, ['settled', 'cancelled'])).state.phase, 'settled');
  }));

test('F50 a coordinator with an old journal and checkpoint reads again what it has done, and changes nothing', () =>
  withVirtualNetwork(async (network, time) => {
    const invariants = watchInvariants(network);
    await settle(network, time, 'T-1');
    await network.stop(ORGANISATION);
    const [path, old] = [network.journalPath(ORGANISATION), `${network.journalPath(ORGANISATION)}.old`];
    copyFileSync(path, old);
    await network.start(ORGANISATION);
    for (let i = 2; i < 22; i++) await settle(network, time, `T-${i}`);
    await network.stop(ORGANISATION);

    for (const journal of [old, undefined]) {
      for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
      if (journal !== undefined) copyFileSync(journal, path);
      const height = await network.ledger.height();
      const effects = [...network.systems.values()].map((system) => system.history().length);
      await network.start(ORGANISATION);
      await time.pass(60_000);
      assert.equal(await network.ledger.height(), height);
      assert.deepEqual(
        [...network.systems.values()].map((system) => system.history().length),
        effects,
      );
      await settle(network, time, journal === undefined ? 'T-new' : 'T-old');
      await network.stop(ORGANISATION);
    }
    await invariants.checkEnded();
  }));

test('a coordinator that has lost its journal signs nothing of what has ended, and what is open all the same', () =>
  withVirtualNetwork(async (network, time) => {
    for (let i = 1; i < 4; i++) await settle(network, time, `T-${i}`);
    network.system('fcy-evm').onRequest = ({ operation }) =>
      operation?.verb === 'execute' ? 'lose-request' : undefined;
    const open = await network.lodge(sampleInstruction('T-open', time.now()));
    await network.until(open, ['committed']);
    await network.stop(ORGANISATION);
    for (const ending of ['', '-wal', '-shm']) rmSync(network.journalPath(ORGANISATION) + ending, { force: true });
    await network.start(ORGANISATION);
    await time.pass(5_000);
    assert.equal((await network.coordinator(ORGANISATION).shares(open)).length, 1);
    assert.equal(signedBlocks(network), 1);
  }));

test('a journal that has signed the other decision keeps the organisation from signing; a quorum of others goes on', () =>
  withVirtualNetwork(async (network, time) => {
    const instruction = sampleInstruction('T-1', time.now());
    network.system('fcy-evm').onRequest = ({ method, operation }) =>
      method === 'submit' && operation?.verb === 'hold' ? { delayMs: 1_000 } : undefined;
    const proposal = await network.lodge(instruction);
    const { state } = await network.view(proposal);
    await network.stop(ORGANISATION);
    const journal = openSigningJournal(network.journalPath(ORGANISATION));
    const about = {
      network: state.network,
      settlement: state.settlement ?? proposal,
      scenario: state.scenario.hash,
    } as const;
    journal.write(1_000_000, 'root', [
      { ...about, kind: 'abort', head: state.proposal, count: 3, epoch: 1, operations: [] },
    ]);
    journal[Symbol.dispose]();
    await network.start(ORGANISATION);
    const settled = await network.until(proposal, ['settled', 'cancelled']);
    assert.equal(settled.state.phase, 'settled');
    const key = network.sample.organisations[ORGANISATION]?.certificate.key;
    assert.ok(settled.shares.length >= 2 && settled.shares.every((share) => share.key !== key));
  }));

async function settle(network: InProcessNetwork, time: VirtualTime, tradeId: string): Promise<void> {
  const proposal = await network.lodge(sampleInstruction(tradeId, time.now()));
  assert.equal((await network.until(proposal, ['settled', 'cancelled'])).state.phase, 'settled');
}

/** Makes so many blocks with something in them: proposals that are taken back. */
async function busy(network: InProcessNetwork, time: VirtualTime, blocks: number, name: string): Promise<void> {
  for (let i = 0; i < blocks; i += 2) {
    const proposal: Hash = await network.lodge(sampleInstruction(`${name}-${i}`, time.now()), ['central-bank-a']);
    const retracted = await network.submit('central-bank-a', { type: 'retract', proposal });
    assert.ok(retracted.ok);
  }
  await time.idle();
}

function signedBlocks(network: InProcessNetwork): number {
  using database = new DatabaseSync(network.journalPath(ORGANISATION), { readOnly: true });
  return Number(database.prepare('SELECT count(*) AS count FROM signed_block').get()?.['count']);
}

function checkpointOf(network: InProcessNetwork): number {
  using journal = openSigningJournal(network.journalPath(ORGANISATION));
  return journal.checkpoint();
}
