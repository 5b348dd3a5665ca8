import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ArchivedLedger, type GatewayAddress, openFabricLedger } from '@linkspan/ledger';
import { Fault, type JsonObject, type Result } from '@linkspan/protocol';
import { lodgeBody, sampleInstruction, type SampleNetwork, sampleNetwork } from '@linkspan/testkit';
import type { FabricOrganisation } from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { networkStatus } from '../../apps/cli/src/network/network-status.ts';
import { notedProcesses, stopProcess } from '../../apps/cli/src/network/node-process.ts';
import { startTestNetwork, type TestNetwork, whyNoFabric } from './fabric-network.ts';
import { type GatewayProxy, startGatewayProxy } from './gateway-proxy.ts';

const missing = await whyNoFabric();
const WHAT = 'faults of a real Fabric network';

if (missing === undefined) describe(WHAT, faults);
else test(WHAT, { skip: missing }, () => undefined);

function faults(): void {
  const sample: SampleNetwork = sampleNetwork();
  let fabric: TestNetwork;
  let proxy: GatewayProxy;
  /** Of the first organisation: it asks the proxy first, and the peer itself when that does not answer. */
  let ledger: ArchivedLedger;
  let others: readonly ArchivedLedger[];
  let trades = 0;

  before(async () => {
    fabric = await startTestNetwork(4);
    const [first, ...rest] = fabric.network.organisations;
    assert.ok(first);
    const options = fabric.ledgerOptions(first);
    const [peer] = options.gateways;
    assert.ok(peer);
    proxy = await proxyOf(first, peer);
    ledger = await openFabricLedger({ ...options, gateways: [{ ...peer, address: proxy.address }, peer] });
    others = await Promise.all(rest.map((each) => openFabricLedger(fabric.ledgerOptions(each))));
    for (const result of await ledger.submit(sample.setUp())) assert.ok(result.ok, JSON.stringify(result));
  });

  after(async () => {
    for (const each of [ledger, ...others]) await each[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await fabric[Symbol.asyncDispose]();
  });

  test('F2 a submission that is said to have failed but did not is found, and nothing is done twice', async () => {
    const before = proxy.seen.Endorse;
    proxy.next.Submit.push('deny');
    await lodgesOnce(ledger);
    assert.equal(proxy.seen.Endorse, before + 1, 'nothing new may be proposed before the fate of the first is known');
  });

  test('a submission that never arrived is sent again as it was', async () => {
    const before = { ...proxy.seen };
    proxy.next.Submit.push('drop');
    await lodgesOnce(ledger);
    assert.equal(proxy.seen.Endorse, before.Endorse + 1);
    assert.equal(proxy.seen.Submit, before.Submit + 2);
  });

  test('an organisation that nobody answers for a while asks again, of another gateway where there is one', async () => {
    proxy.next.CommitStatus.push('drop');
    await lodgesOnce(ledger);
    proxy.next.Endorse.push('drop');
    await lodgesOnce(ledger);
  });

  test('two organisations that write the same settlements at once both have their answer', async () => {
    const [other] = others;
    assert.ok(other);
    for (let round = 0; round < 5; round++) {
      const names = Array.from({ length: 6 }, () => newTrade());
      const calls = names.map((name) => lodgesOf(name));
      const both: readonly (readonly Result<JsonObject>[])[] = await Promise.all([
        ledger.submit(calls.map(([first]) => first)),
        other.submit(calls.map(([, second]) => second)),
      ]);
      assert.deepEqual(
        both.flat().filter((result) => !result.ok),
        [],
      );
      for (const name of names) assert.equal(await eventsOf(ledger, name), 2);
    }
  });

  test('F12 the leader among the orderers is killed: what is submitted then is done, once', async () => {
    const leader = (await networkStatus(fabric.network, fabric.directory)).find(({ isLeader }) => isLeader);
    const organisation = fabric.network.organisations.find(({ id }) => id === leader?.organisation);
    assert.ok(organisation);
    await kill(organisation, 'orderer');
    for (let i = 0; i < 3; i++) await lodgesOnce(others[i] ?? ledger);
    await fabric.bringUp();
  });

  test('without its chaincode an organisation waits, and the others do not', async () => {
    const [, second] = fabric.network.organisations;
    const [own, third] = others;
    assert.ok(second && own && third);
    await kill(second, 'chaincode');
    const waiting = lodgesOnce(own);
    await lodgesOnce(third);
    await fabric.bringUp();
    await waiting;
  });

  test('F12 two of four orderers are killed: nothing is done, and everything goes on when they are back', async () => {
    const [first, second, third] = fabric.network.organisations;
    assert.ok(first && second && third);
    await kill(first, 'orderer');
    await kill(second, 'orderer');
    const options = fabric.ledgerOptions(third);
    await using hasty = await openFabricLedger({
      ...options,
      archiveFile: `${options.archiveFile}.hasty`,
      patienceMs: 2000,
    });
    const tradeId = newTrade();
    const [call] = lodgesOf(tradeId);
    const height = await hasty.height();
    await assert.rejects(
      hasty.submit([call]),
      (error) => error instanceof Fault && error.code === 'ledger-unavailable' && error.mayHaveHappened,
    );
    assert.equal(await hasty.height(), height);
    await fabric.bringUp();
    const [result] = await (others[1] ?? ledger).submit([call]);
    assert.ok(result?.ok, JSON.stringify(result));
    assert.equal(await eventsOf(ledger, tradeId), 1);
  });

  for (const when of ['before', 'after'] as const) {
    test(`the gateway dies ${when} it hands a submission on: another one takes it or tells what became of it`, async () => {
      const [first] = fabric.network.organisations;
      assert.ok(first);
      const options = fabric.ledgerOptions(first);
      const [peer] = options.gateways;
      assert.ok(peer);
      await using dying = await proxyOf(first, peer);
      const gateways = [{ ...peer, address: dying.address }, peer];
      await using own = await openFabricLedger({ ...options, gateways, archiveFile: `${options.archiveFile}.${when}` });
      dying.next.Submit.push(`die ${when}`);
      await lodgesOnce(own);
      await lodgesOnce(own);
      assert.equal(dying.seen.Submit, 1);
    });
  }

  function newTrade(): string {
    trades += 1;
    return `FAULT-${trades}`;
  }

  function lodgesOf(tradeId: string) {
    const body = lodgeBody(sampleInstruction(tradeId, Date.now(), 3_600_000));
    return [sample.call('central-bank-a', body), sample.call('csd-b', body)] as const;
  }

  /** Lodges one side of a new trade, which must be accepted and be there once. */
  async function lodgesOnce(by: ArchivedLedger): Promise<void> {
    const tradeId = newTrade();
    const [result]: readonly Result<JsonObject>[] = await by.submit([lodgesOf(tradeId)[0]]);
    assert.ok(result?.ok, JSON.stringify(result));
    assert.equal(await eventsOf(by, tradeId), 1);
  }

  async function eventsOf(by: ArchivedLedger, tradeId: string): Promise<number> {
    const found = await by.evaluate('by-trade-id', { tradeId });
    assert.ok(found.ok && found.value[0] !== undefined);
    const about = await by.archive.about(found.value[0]);
    return about.length;
  }

  async function kill(organisation: FabricOrganisation, name: string): Promise<void> {
    const layout = networkLayout(fabric.directory).organisation(organisation);
    const noted = notedProcesses(layout).find((each) => each.name === name);
    assert.ok(noted);
    process.kill(noted.pid, 'SIGKILL');
    await stopProcess(layout, noted);
  }

  function proxyOf(organisation: FabricOrganisation, peer: GatewayAddress): Promise<GatewayProxy> {
    const { peer: files } = networkLayout(fabric.directory).organisation(organisation);
    const tlsCertificate = readFileSync(files.tlsCertificate, 'utf8');
    return startGatewayProxy({ ...peer, tlsCertificate, tlsKey: readFileSync(join(files.tlsKey), 'utf8') });
  }
}
