import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ArchivedLedger, hashOfFirstBlock, openFabricLedger, verifyBlocks } from '@linkspan/ledger';
import { Fault, hashOf } from '@linkspan/protocol';
import { type InProcessNetwork, inProcessNetwork, sampleInstruction } from '@linkspan/testkit';
import { addOrganisation } from '../../apps/cli/src/network/add-organisation.ts';
import { type ChaincodeProgram, waitUntilAnswered } from '../../apps/cli/src/network/chaincode-definition.ts';
import type { NetworkChanger } from '../../apps/cli/src/network/channel-update.ts';
import { fabricPrograms } from '../../apps/cli/src/network/fabric-programs.ts';
import { Administrator } from '../../apps/cli/src/network/lifecycle.ts';
import {
  type FabricNetwork,
  type FabricOrganisation,
  PORTS_OF_ORGANISATION,
  readNetworkFile,
} from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { bringUp } from '../../apps/cli/src/network/network-up.ts';
import { isRunning, notedProcesses, stopProcess } from '../../apps/cli/src/network/node-process.ts';
import { waitForHeight, waitUntil } from '../../apps/cli/src/network/node-requests.ts';
import { orderersOf, viewOf } from '../../apps/cli/src/network/node-standing.ts';
import { removeOrganisation } from '../../apps/cli/src/network/remove-organisation.ts';
import { upgradeContract } from '../../apps/cli/src/network/upgrade-contract.ts';
import { freePorts, startTestNetwork, type TestNetwork, whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();
const WHAT = 'a Fabric network that changes while settlements run';

if (missing === undefined) describe(WHAT, changes);
else test(WHAT, { skip: missing }, () => undefined);

const NEXT: ChaincodeProgram = {
  main: join(import.meta.dirname, 'fabric-next-contract.ts'),
  args: ['--release', 'next'],
  version: 'next',
};

function changes(): void {
  let fabric: TestNetwork;
  let network: FabricNetwork;
  let changer: NetworkChanger;
  let ledgers: readonly ArchivedLedger[];
  let fifth: ArchivedLedger | undefined;
  let net: InProcessNetwork;
  let trades = 0;

  before(async () => {
    fabric = await startTestNetwork(4);
    network = fabric.network;
    const programs = await fabricPrograms(process.env, () => undefined);
    changer = { programs, layout: networkLayout(fabric.directory), say: () => undefined };
    ledgers = await Promise.all(network.organisations.map((each) => openFabricLedger(fabric.ledgerOptions(each))));
    const [ledger] = ledgers;
    assert.ok(ledger);
    net = await inProcessNetwork({ ledger, ledgerOf: (organisation) => ledgers[placeOf(organisation)] ?? ledger });
  });

  after(async () => {
    await net[Symbol.asyncDispose]();
    for (const ledger of [...ledgers, ...(fifth ? [fifth] : [])]) await ledger[Symbol.asyncDispose]();
    await fabric[Symbol.asyncDispose]();
  });

  test('F48 another version of the contract takes over, at every organisation, and no settlement stands still', async () => {
    const report = await whileSettling(() => upgradeContract(changer, network, { program: NEXT }));
    assert.deepEqual([report.definition, report.behind], [{ sequence: 2, version: 'next' }, new Map()]);
    assert.equal(report.before.sequence, 1);
    for (const each of network.organisations) {
      assert.equal(await versionAt(each), 'next');
      const names = notedProcesses(changer.layout.organisation(each)).map(({ name }) => name);
      assert.deepEqual(names.toSorted(), ['chaincode', 'orderer', 'peer']);
    }
    const again = await upgradeContract(changer, network, { program: NEXT });
    assert.equal(again.definition.sequence, 2);
  });

  test('F55 a fifth organisation joins, its contract answers, and it reads the same state', async () => {
    const port = await freePorts(PORTS_OF_ORGANISATION);
    const entry = { id: 'country-e', host: '127.0.0.1', port };
    network = await whileSettling(() => addOrganisation(changer, network, entry, NEXT));
    const [first] = ledgers;
    const joined = network.organisations.at(-1);
    assert.ok(first && joined);
    assert.deepEqual([joined.number, network.endorsements], [5, 4]);
    assert.deepEqual(readNetworkFile(JSON.parse(readFileSync(changer.layout.definitionFile, 'utf8'))), network);
    assert.equal(await versionAt(joined), 'next');
    fifth = await openFabricLedger(fabric.ledgerOptions(joined));
    const height = await first.height();
    await waitForHeight('The ledger of country-e', async () => fifth?.height(), height);
    assert.equal(await digestOf(fifth), await digestOf(first));
  });

  test('its orderer and its endorsements count: it stands in for one that is away', async () => {
    const [, , , fourth, newcomer] = network.organisations;
    assert.ok(fourth && newcomer);
    const own = changer.layout.organisation(fourth);
    // It is told of blocks that it missed before it agrees on the next ones.
    await whileSettling(() =>
      waitUntil('An orderer that agrees', async () => ((await viewOf(newcomer, network.channel))?.agreed ?? 0) > 2),
    );
    await Promise.all(notedProcesses(own).map((each) => stopProcess(own, each)));
    await settle();
    // Nothing may depend on an organisation that has only just come, so the four others have to be there first.
    await assert.rejects(
      addOrganisation(changer, network, { id: 'country-f', host: '127.0.0.1', port: 40_000 }, NEXT),
      (error) => error instanceof Fault && error.code === 'not-ready' && error.message.includes('country-d'),
    );
    const { programs } = changer;
    await bringUp({ network, directory: fabric.directory, programs, say: () => undefined, chaincode: NEXT });
    await waitUntilAnswered(fourth, administratorOf(fourth), 'next');
  });

  test('F55 the fifth is removed again: its processes end, settlements go on, and evidence is whole across every change', async () => {
    const leaving = network.organisations.find(({ id }) => id === 'country-e');
    assert.ok(leaving);
    await fifth?.[Symbol.asyncDispose]();
    fifth = undefined;
    network = await whileSettling(() => removeOrganisation(changer, network, 'country-e'));
    assert.deepEqual([network.organisations.length, network.endorsements], [4, 3]);
    assert.ok(!notedProcesses(changer.layout.organisation(leaving)).some(isRunning));
    await settle();
    const orderers = await orderersOf(network.organisations, network.channel);
    assert.deepEqual(
      orderers.map(({ isConsenter, isActive }) => isConsenter && isActive),
      [true, true, true, true],
    );
    const report = await evidenceOfAll();
    assert.equal(report.configurations, 5);
    await assert.rejects(
      removeOrganisation(changer, network, 'country-d'),
      (error) => error instanceof Fault && error.code === 'quorum-invalid',
    );
    for (const system of ['fcy-evm', 'rtgs', 'csd'])
      for (const { held } of Object.values(net.totals(system))) assert.equal(held, 0n);
  });

  /** Settles one trade after the other, two at a time, as long as something is done, and at least one from after it. */
  async function whileSettling<T>(work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const lane = async (): Promise<void> => {
      for (let last = false; !last;) {
        last = isDone;
        await settle();
      }
    };
    const lanes = Promise.all([lane(), lane()]);
    try {
      return await work();
    } finally {
      isDone = true;
      await lanes;
    }
  }

  async function settle(): Promise<void> {
    trades += 1;
    const proposal = await net.lodge(sampleInstruction(`CHANGE-${trades}`, Date.now(), 120_000));
    const { state } = await net.until(proposal, ['settled', 'cancelled', 'rejected'], 60_000);
    assert.equal(state.phase, 'settled');
  }

  function administratorOf(organisation: FabricOrganisation): Administrator {
    return new Administrator(changer.programs, network, changer.layout, organisation);
  }

  async function versionAt(organisation: FabricOrganisation): Promise<string> {
    return (await administratorOf(organisation).ask('version')).trim();
  }

  /** Everything that the first organisation's archive has, checked from the channel's first block on. */
  async function evidenceOfAll() {
    const [ledger] = ledgers;
    assert.ok(ledger);
    const { archive } = ledger;
    const environment = await archive.environment();
    const { proposals } = await archive.period(0, Date.now() + 60_000, { limit: 500 });
    const settlements = await Promise.all(
      proposals.map(async (proposal) => ({ proposal, calls: await archive.about(proposal) })),
    );
    const calls = [...environment, ...settlements.flatMap((each) => each.calls)];
    const blocks = await archive.blocks(calls.map(({ block }) => block));
    assert.ok(blocks);
    const pin = hashOfFirstBlock(readFileSync(changer.layout.genesisBlock));
    const verdict = verifyBlocks({ environment, settlements, fabric: blocks }, pin);
    assert.ok(verdict.ok, JSON.stringify(verdict));
    return verdict.value;
  }
}

/** The sample network's three organisations are at home in the first three countries. */
function placeOf(organisation: string): number {
  return ['central-bank-a', 'central-bank-b', 'csd-b'].indexOf(organisation);
}

/** The hash of everything that questions show of a ledger's state. */
async function digestOf(ledger: Pick<ArchivedLedger, 'evaluate'>): Promise<string> {
  const register = await ledger.evaluate('register', {});
  const listed = await ledger.evaluate('settlements', { limit: 500 });
  assert.ok(register.ok && listed.ok);
  return hashOf([register, listed]);
}
