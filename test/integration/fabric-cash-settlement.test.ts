import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, hashToHex } from '@linkspan/protocol';
import { inProcessNetwork, sampleInstruction, sampleNetwork } from '@linkspan/testkit';
import { startCash } from './cash-chaincode-system.ts';
import { whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();
const WHAT = 'a settlement of the default scenario whose local currency is chaincode on Fabric';

if (missing === undefined) test(WHAT, { timeout: 240_000 }, settlement);
else test(WHAT, { skip: missing }, () => undefined);

const CENTRAL_BANK = '9001';
const KITA = '0042';
const YEN = 1_000_000n;

/** The payer of the yen is the intermediary, the payee the seller, in accounts of the chaincode that are named as those of the RTGS are. */
async function settlement(): Promise<void> {
  const { id, plan, validators } = sampleNetwork();
  const { organisations, quorum } = plan.genesis;
  const signers = organisations.map(({ certificateKey }) => addressOf(certificateKey)).toSorted();
  const certificates = { network: hashToHex(id), epoch: 1, quorum, signers };
  await using cash = await startCash({ certificates, accounts: { [CENTRAL_BANK]: 3n * YEN, [KITA]: 0n } });
  const connect = (executor: number) => cash.connect({ system: 'rtgs', currency: 'JPY', digits: 0 }, executor % 3);
  const connectors = await Promise.all((validators['rtgs'] ?? []).map((_, i) => connect(i)));
  await using reader = await connect(0);
  const yen = async (): Promise<string[]> => {
    const { positions } = await reader.read({ type: 'balances', accounts: [CENTRAL_BANK, KITA] });
    return positions.map(({ balance, held }) => `${balance} ${held}`);
  };
  await using net = await inProcessNetwork({
    connectorOf: (system, validator) => (system === 'rtgs' ? connectors[validator] : undefined),
  });

  const settled = await net.lodge(sampleInstruction('CASH-1', Date.now()));
  await net.until(settled, ['settled'], 60_000);
  assert.deepEqual(await yen(), [`${2n * YEN} 0`, `${YEN} 0`]);

  // A second and a third trade at once: their holds are on the same account, so their transactions meet.
  const both = await Promise.all(['CASH-2', 'CASH-3'].map((name) => net.lodge(sampleInstruction(name, Date.now()))));
  for (const proposal of both) await net.until(proposal, ['settled'], 60_000);
  assert.deepEqual(await yen(), ['0 0', `${3n * YEN} 0`]);

  // Now the central bank is short: nothing is delivered anywhere, and nothing stays held.
  const short = await net.lodge(sampleInstruction('CASH-4', Date.now()));
  await net.until(short, ['cancelled'], 60_000);
  assert.deepEqual(await yen(), ['0 0', `${3n * YEN} 0`]);
  for (const system of ['fcy-evm', 'csd'])
    for (const { held } of Object.values(net.totals(system))) assert.equal(held, 0n);
}
