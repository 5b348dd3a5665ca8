import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createLiveFiles } from '@linkspan/keys';
import { type ArchivedLedger, openFabricLedger } from '@linkspan/ledger';
import { readDocument } from '@linkspan/plugin';
import { Fault } from '@linkspan/protocol';
import { type InProcessNetwork, inProcessNetwork, sampleInstruction } from '@linkspan/testkit';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { readLedger } from '../../apps/core-api/src/ledger-config.ts';
import { openLedger } from '../../apps/core-api/src/open-ledger.ts';
import { loadCryptoki } from '../../packages/keys/src/pkcs11/cryptoki.ts';
import { startTestNetwork, type TestNetwork, whyNoFabric } from '../integration/fabric-network.ts';
import { PIN, type SoftHsm, startSoftHsm } from './soft-hsm.ts';

const missing = await whyNoFabric();
const WHAT = 'settlements on Fabric, with the key of an organisation’s client in a token';

if (missing === undefined) describe(WHAT, settlements);
else test(WHAT, { skip: missing }, () => undefined);

function settlements(): void {
  let hsm: SoftHsm;
  let fabric: TestNetwork;
  let ledger: ArchivedLedger;
  let net: InProcessNetwork;
  let putKey: () => Promise<void>;

  before(async () => {
    hsm = startSoftHsm();
    fabric = await startTestNetwork(3);
    const [first] = fabric.network.organisations;
    assert.ok(first);
    const { client } = networkLayout(fabric.directory).organisation(first);
    // Nobody finds the key where it was.
    const keyFile = `${hsm.directory}/client.key`;
    renameSync(client.key, keyFile);
    putKey = async () => {
      await hsm.addToken('country-a');
      await hsm.importKey('country-a', keyFile, { label: 'client', id: '01' });
    };
    await putKey();
    const pkcs11 = { module: hsm.module, token: 'country-a', key: 'id:01', pinFile: hsm.secretFile('pin', `${PIN}\n`) };
    const config = { ...fabric.ledgerConfig(first), client: { certFile: client.certificate, pkcs11 } };
    ledger = await openFromConfiguration(config);
    // All that the organisations write goes through this one's client.
    net = await inProcessNetwork({ ledger });
  });

  after(async () => {
    await net?.[Symbol.asyncDispose]();
    await ledger?.[Symbol.asyncDispose]();
    await fabric?.[Symbol.asyncDispose]();
    hsm?.[Symbol.dispose]();
  });

  test('a trade settles', () => settle('HSM-1'));

  test('a trade settles though the token forgot its sessions', async () => {
    await loseSessions();
    await settle('HSM-2');
  });

  test('a trade waits while the token is away, and settles when it is back', async () => {
    await hsm.removeToken('country-a');
    await loseSessions();
    const settled = settle('HSM-3');
    const asked = ledger.height();
    assert.equal(await Promise.race([asked, nextTurns(50)]), 'nothing yet');
    await putKey();
    await asked;
    await settled;
  });

  test('what follows blocks and events starts over when the key was away', async () => {
    const [, second] = fabric.network.organisations;
    assert.ok(second);
    const options = fabric.ledgerOptions(second);
    const refused = Promise.withResolvers<void>();
    let refusals = 0;
    let isAway = true;
    await using other = await openFabricLedger({
      ...options,
      sign: async (message) => {
        if (!isAway) return options.sign(message);
        if (++refusals === 6) refused.resolve();
        throw new Fault('ledger-unavailable', 'The key is away.');
      },
    });
    const first = other.events(0, AbortSignal.timeout(30_000))[Symbol.asyncIterator]().next();
    await refused.promise;
    isAway = false;
    assert.equal((await first).done, false);
    assert.ok((await other.archive.environment()).length > 0);
  });

  async function settle(tradeId: string): Promise<void> {
    const proposal = await net.lodge(sampleInstruction(tradeId, Date.now(), 120_000));
    const { state } = await net.until(proposal, ['settled'], 60_000);
    assert.equal(state.phase, 'settled');
  }

  async function loseSessions(): Promise<void> {
    const cryptoki = await loadCryptoki(hsm.module);
    for (const slot of await cryptoki.slots()) await cryptoki.closeAllSessions(slot);
  }
}

/** As a CoreAPI opens it. */
async function openFromConfiguration(document: object): Promise<ArchivedLedger> {
  using files = createLiveFiles({ now: Date.now });
  const reader = readDocument(document);
  const config = readLedger(reader, { mode: 'production', at: (file) => file, files });
  const checked = reader.finish('configuration-invalid', () => config);
  assert.ok(checked.ok, JSON.stringify(checked));
  return openLedger(checked.value, { verify: () => false, now: Date.now, toleranceMs: 2000 });
}

/** Long enough that a signature would have been made, which takes one. */
async function nextTurns(count: number): Promise<'nothing yet'> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  return 'nothing yet';
}
