import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Fault, type SignedCall } from '@linkspan/protocol';
import type { CallerAnswer } from '../support/fabric-caller.ts';
import { killEverything, SHIFTED_CLOCK, shiftClock } from '../support/fabric-faults.ts';
import { whyNoLinks } from '../support/linked-network.ts';
import { type FabricScene, openFabricScene } from '../support/fabric-scene.ts';

const missing = await whyNoLinks();
const WHAT = 'faults of a real Fabric network while settlements run';

if (missing === undefined) describe(WHAT, faults);
else test(WHAT, { skip: missing }, () => undefined);

function faults(): void {
  let scene: FabricScene;

  before(async () => {
    scene = await openFabricScene();
  });

  afterEach(() => scene.join());

  after(() => scene[Symbol.asyncDispose]());

  test('F11 one country of four is cut off: the others go on without it, and it catches up when the line is back', async () => {
    scene.partition([3]);
    scene.watchFrom(0);
    const proposals = await scene.lodgeMany('CUT-OFF', 2);
    for (const proposal of proposals) await scene.net.until(proposal, ['settled'], 60_000);
    const [there, here] = [await scene.ledger(3).height(), await scene.ledger(0).height()];
    assert.ok(there < here, 'what happens does not reach it');
    scene.join();
    await scene.allCatchUp();
    scene.watchFrom(3);
    await scene.everythingSettles();
  });

  test('F11 F12 the network is split in two and two: nothing is decided on either side, holds stay, and all ends right when it is whole', async () => {
    scene.net.system('rtgs').down = true;
    const proposals = await scene.lodgeMany('SPLIT', 2);
    await scene.waitFor('the first holds are made', async () => scene.net.system('csd').books.openHolds() === 2);
    scene.partition([2, 3]);
    scene.net.system('rtgs').down = false;
    scene.net.system('rtgs').wake();
    await scene.waitFor('the last holds are made', async () => scene.net.system('rtgs').books.openHolds() === 2);
    await using hasty = await scene.hastyLedger(2, 3000);
    const call = scene.net.sample.call('csd-b', { type: 'cancel', proposal: proposals[0] ?? assert.fail() });
    await assert.rejects(
      hasty.submit([call]),
      (error) => error instanceof Fault && error.code === 'ledger-unavailable',
    );
    for (const side of [0, 3]) {
      scene.watchFrom(side);
      for (const proposal of proposals) assert.equal(await scene.phaseOf(proposal), 'preparing');
    }
    for (const system of scene.net.systems.values()) assert.equal(system.books.openHolds(), 2, system.system);
    scene.join();
    await scene.allCatchUp();
    await scene.everythingEnds();
  });

  test('F11 with fifty milliseconds between the countries everything settles', async () => {
    scene.join(25);
    await scene.lodgeMany('FAR', 3);
    await scene.everythingSettles();
  });

  test('F12 two of four orderers are killed while money is held: it stays held and nothing is decided, until they are back', async () => {
    scene.net.system('rtgs').down = true;
    const proposal = await scene.lodge('HELD');
    await scene.waitFor('the other holds are made', async () => scene.net.system('csd').books.openHolds() === 1);
    for (const index of [0, 1]) await scene.kill(index, 'orderer');
    scene.net.system('rtgs').down = false;
    scene.net.system('rtgs').wake();
    await scene.waitFor('the last hold is made', async () => scene.net.system('rtgs').books.openHolds() === 1);
    await using hasty = await scene.hastyLedger(3, 2000);
    const call = scene.net.sample.call('csd-b', { type: 'cancel', proposal });
    await assert.rejects(
      hasty.submit([call]),
      (error) => error instanceof Fault && error.code === 'ledger-unavailable',
    );
    assert.equal(await scene.phaseOf(proposal), 'preparing');
    for (const system of scene.net.systems.values()) assert.equal(system.books.openHolds(), 1, system.system);
    await scene.fabric.bringUp();
    await scene.everythingEnds();
  });

  test('F4 F12 everything everywhere is killed at once and started again: what was under way goes on', async () => {
    const lodging = scene.lodgeMany('RESTART', 3);
    await scene.waitFor('something is held', async () => scene.net.system('csd').books.openHolds() > 0);
    const heal = await killEverything(scene);
    await heal();
    await lodging;
    await scene.everythingEnds();
  });

  test('F49 F50 the disks of a country are wiped: it fills them from the others, and signs nothing else than before', async () => {
    scene.net.system('rtgs').onRequest = ({ operation }) =>
      operation?.verb === 'execute' ? 'lose-request' : undefined;
    const open = await scene.lodge('WIPED-OPEN');
    await scene.net.until(open, ['committed'], 60_000);
    const before = signedBy(scene, 2);
    await scene.wipe(2);
    await scene.fabric.bringUp();
    await scene.reopen(2);
    await scene.startCoordinator(2);
    scene.net.system('rtgs').onRequest = undefined;
    const proposals = [open, ...(await scene.lodgeMany('WIPED', 2))];
    await scene.everythingSettles();
    const after = signedBy(scene, 2);
    for (const [subject, content] of after) assert.equal(before.get(subject) ?? content, content, subject);
    const settled = await Promise.all(proposals.map(async (each) => (await scene.net.view(each)).state.settlement));
    const decisions = settled.map((each) => after.get(String(each)));
    assert.deepEqual(new Set(decisions.slice(1)), new Set(['commit']), 'it signs again, and what the ledger says');
  });

  test('F15 the clock of a country is wrong by ten minutes: it neither passes a deadline early nor stops the others', async () => {
    scene.net.system('rtgs').down = true;
    const proposal = await scene.lodge('CLOCK', 300_000);
    await scene.waitFor('the other holds are made', async () => scene.net.system('csd').books.openHolds() === 1);
    const heal = await shiftClock(scene, 1, 600_000);
    // By its clock the deadline is over, and its own contract says so too.
    const said = await submitFrom(
      scene,
      1,
      [scene.net.sample.call('central-bank-b', { type: 'expire', proposal })],
      600_000,
    );
    assert.ok('code' in said, JSON.stringify(said));
    assert.equal(said.code, 'ledger-unavailable');
    assert.match(
      said.message,
      /country-[acd]: chaincode response 500, clock\|The proposal's time is [56]\d{5} ms from this organisation's clock/,
    );
    // Its own contract refuses what comes in time.
    await using hasty = await scene.hastyLedger(1, 2000);
    const request = scene.net.sample.call('central-bank-b', { type: 'cancel', proposal });
    await assert.rejects(hasty.submit([request]), (error) => error instanceof Fault && /clock/.test(error.message));
    assert.equal(await scene.phaseOf(proposal), 'preparing');
    scene.net.system('rtgs').down = false;
    scene.net.system('rtgs').wake();
    assert.equal((await scene.net.until(proposal, ['settled'], 60_000)).state.phase, 'settled');
    await heal();
    await scene.everythingSettles();
  });
}

/** What an organisation's journal says that it signed: a root for each block, and a kind for each settlement. */
function signedBy(scene: FabricScene, index: number): ReadonlyMap<string, string> {
  const organisation = scene.organisationIn(index) ?? assert.fail('an organisation is at home there');
  const journal = new DatabaseSync(scene.net.journalPath(organisation), { readOnly: true });
  try {
    const blocks = journal.prepare('SELECT block, root FROM signed_block').all();
    const decisions = journal.prepare('SELECT lower(hex(settlement)) AS settlement, kind FROM signed_decision').all();
    return new Map([
      ...blocks.map(({ block, root }) => [`block ${String(block)}`, String(root)] as const),
      ...decisions.map(({ settlement, kind }) => [`sha256:${String(settlement)}`, String(kind)] as const),
    ]);
  } finally {
    journal.close();
  }
}

/** Submits calls from a country in a process whose clock is wrong by so much. */
async function submitFrom(
  scene: FabricScene,
  index: number,
  calls: readonly SignedCall[],
  offMs: number,
): Promise<CallerAnswer> {
  const config = scene.fabric.ledgerConfig(scene.country(index));
  const caller = fileURLToPath(new URL('../support/fabric-caller.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', `${SHIFTED_CLOCK}?ms=${offMs}`, caller], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const options = {
    ...config,
    archiveFile: join(scene.layoutOf(index).folder, 'wrong-clock.sqlite'),
    patienceMs: 2000,
    calls,
  };
  child.stdin.end(JSON.stringify(options));
  return JSON.parse(await text(child.stdout));
}
