import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { hashSchema, type Hash } from '@linkspan/protocol';
import { type ArchivedLedger, openFabricLedger } from '@linkspan/ledger';
import { inProcessNetwork, sampleInstruction } from '@linkspan/testkit';
import { collectEvidence } from '../apps/core-api/src/evidence.ts';
import { networkLayout } from '../apps/cli/src/network/network-layout.ts';
import { startTestNetwork } from '../test/integration/fabric-network.ts';

/**
 * Records test/recordings/fabric from real Fabric networks of four countries: the evidence of one settlement with its blocks, and the first block of
 * another network of the same shape. Only what every member of the channel sees; no private key. Run again when the form of either changes.
 */
const folder = resolve(import.meta.dirname, '../test/recordings/fabric');

await record();
await recordOther();

async function record(): Promise<void> {
  await using fabric = await startTestNetwork(4);
  const ledgers = await Promise.all(
    fabric.network.organisations.map((each) => openFabricLedger(fabric.ledgerOptions(each))),
  );
  try {
    writeFileSync(resolve(folder, 'settled.json'), `${JSON.stringify(await settle(ledgers))}\n`);
  } finally {
    for (const ledger of ledgers) await ledger[Symbol.asyncDispose]();
  }
}

async function settle(ledgers: readonly ArchivedLedger[]): Promise<object> {
  const [ledger] = ledgers;
  if (!ledger) throw new Error('the network has no organisation');
  const homes = ['central-bank-a', 'central-bank-b', 'csd-b'];
  const ledgerOf = (organisation: string): ArchivedLedger => ledgers[homes.indexOf(organisation)] ?? ledger;
  await using net = await inProcessNetwork({ ledger, ledgerOf });
  const proposal: Hash = hashSchema.parse(await net.lodge(sampleInstruction('FABRIC-1', Date.now())));
  await net.until(proposal, ['settled'], 60_000);
  const { genesis } = net.sample.plan;
  const evidence = await collectEvidence({ ledger, archive: ledger.archive, genesis }, proposal);
  if (!evidence.ok) throw new Error(evidence.refusal.message);
  return evidence.value;
}

async function recordOther(): Promise<void> {
  await using fabric = await startTestNetwork(4);
  writeFileSync(resolve(folder, 'other-genesis.block'), readFileSync(networkLayout(fabric.directory).genesisBlock));
}
