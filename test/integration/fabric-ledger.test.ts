import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ledger, type LedgerUnderTest, openFabricLedger } from '@linkspan/ledger';
import { ledgerConformance } from '@linkspan/ledger/conformance';
import { lodgeBody, sampleInstruction, sampleNetwork } from '@linkspan/testkit';
import { startTestNetwork, whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();

if (missing === undefined) ledgerConformance('Fabric, four countries with BFT ordering', setUp);
else test('ledger conformance: Fabric', { skip: missing }, () => undefined);

async function setUp(): Promise<LedgerUnderTest> {
  const fabric = await startTestNetwork(4);
  const [organisation] = fabric.network.organisations;
  assert.ok(organisation);
  const open = (): Promise<Ledger> => openFabricLedger(fabric.ledgerOptions(organisation));
  let ledger = await open();
  const sample = sampleNetwork();
  return {
    ledger,
    network: {
      setUp: () => sample.setUp(),
      call: (caller, body, nonce) => sample.call(caller, body, nonce),
      system: { id: 'csd', owner: 'csd-b' },
      party: '999900KITABANK00B013',
      lodgers: ['central-bank-a', 'csd-b'],
      lodge: (tradeId, now) => lodgeBody(sampleInstruction(tradeId, now, 3_600_000)),
      toleranceMs: 2000,
    },
    now: Date.now,
    restart: async () => {
      await ledger[Symbol.asyncDispose]();
      return (ledger = await open());
    },
    close: async () => {
      await ledger[Symbol.asyncDispose]();
      await fabric[Symbol.asyncDispose]();
    },
  };
}
