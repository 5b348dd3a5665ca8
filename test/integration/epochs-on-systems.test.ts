import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1Signer } from '@linkspan/keys';
import type { Connector } from '@linkspan/plugin';
import {
  type CertificateKey,
  type Epoch,
  epochForSystems,
  type Hash,
  hashOf,
  joinShares,
  type Operation,
  sealEpoch,
  type SignedCertificate,
  signCertificates,
  type Signer,
  type SystemEpoch,
  type Terms,
} from '@linkspan/protocol';
import {
  EVM_ACCOUNTS,
  evmConnectorConfig,
  installOnEvm,
  installOnWeb,
  NETWORK,
  openConnector,
  ORGANISATIONS,
  QUORUM,
  startEvm,
  startWeb,
  webConnectorConfig,
} from './connector-systems.ts';

const [STAYS, REPLACED] = ORGANISATIONS;
const REPLACING = secp256k1Signer('4'.padStart(64, '0'));
/** The epoch that a contract announces after one organisation's key was replaced. */
const SECOND: Epoch = {
  epoch: 2,
  quorum: QUORUM,
  members: ORGANISATIONS.map((signer, i) => {
    return { organisation: `organisation-${i}`, certificateKey: signer === REPLACED ? REPLACING.key : signer.key };
  }),
};

test('a Web API system installs what the network announces and takes what is signed again under it', async () => {
  await using process = await startWeb('rtgs');
  const connector = await openConnector('rtgs', webConnectorConfig(process.url, 0));
  const terms = { from: 'rtgs:0042', to: 'rtgs:0099', amount: '10', currency: 'JPY' };
  await checkEpochs('rtgs', connector, terms, (next) => installOnWeb(process.url, next));
});

test('an EVM token does the same', async () => {
  await using process = await startEvm();
  const token = String(process.ready['token']);
  const connector = await openConnector('fcy-evm', evmConnectorConfig(process.url, token, 0));
  const [from, to] = [EVM_ACCOUNTS.payer, EVM_ACCOUNTS.payee].map((account) => `fcy-evm:${account}`);
  const terms = { from: from ?? '', to: to ?? '', amount: '10.00', currency: 'USD' };
  await checkEpochs('fcy-evm', connector, terms, (next) => installOnEvm(process.url, token, next));
});

async function checkEpochs(
  system: string,
  connector: Connector,
  terms: Terms,
  install: (next: SystemEpoch) => Promise<void>,
): Promise<void> {
  await using _ = connector;
  assert.ok(STAYS && REPLACED);
  const operation = (id: string, verb: Operation['verb'], of: Terms): Operation => {
    return { id: hashOf(id), network: NETWORK, settlement: hashOf('settlement'), system, verb, terms: of };
  };
  const hold = (id: string) => operation(id, 'hold', terms);
  const execute = (id: string) => operation(`execute ${id}`, 'execute', { ...terms, hold: hashOf(id) });
  const holds = ['before', 'also before', 'after'].map(hashOf);
  const [first, second] = [certificate(1, holds, 7, [STAYS, REPLACED]), certificate(2, holds, 0, [STAYS, REPLACING])];
  const takes = async (id: string, signed: SignedCertificate): Promise<void> => {
    assert.deepEqual(await connector.submit(execute(id), signed), { status: 'sent' });
    assert.equal((await until(() => connector.lookup(execute(id)))).status, 'effective');
  };
  for (const id of ['before', 'also before']) await connector.submit(hold(id), undefined);
  await until(() => connector.lookup(hold('also before')));
  assert.equal(refusedAbout(await connector.submit(execute('before'), second)), 'certificate', 'it is not known yet');
  const seals = [STAYS, REPLACED].map((signer) => ({ key: signer.key, signature: sealEpoch(signer, NETWORK, SECOND) }));
  await assert.rejects(
    install(epochForSystems(NETWORK, SECOND, seals.slice(0, 1), QUORUM)),
    'one signature is too few',
  );
  await install(epochForSystems(NETWORK, SECOND, seals, QUORUM));
  await connector.submit(hold('after'), undefined);
  await until(() => connector.lookup(hold('after')));
  await takes('before', second);
  await takes('also before', first);
  assert.equal(refusedAbout(await connector.submit(execute('after'), first)), 'certificate');
  await takes('after', second);
}

/** As organisations sign it: under a later epoch alone, as of no block. */
function certificate(
  epoch: number,
  operations: readonly Hash[],
  block: number,
  signers: readonly Signer<CertificateKey>[],
): SignedCertificate {
  const said = { network: NETWORK, settlement: hashOf('settlement'), kind: 'commit', epoch, operations } as const;
  const whole = { ...said, scenario: hashOf('scenario'), head: hashOf('head'), count: 3 };
  const signed = joinShares(
    signers.flatMap((signer) => signCertificates(signer, block, [whole])),
    QUORUM,
  );
  assert.ok(signed);
  return signed;
}

function refusedAbout(submission: Awaited<ReturnType<Connector['submit']>>): string | undefined {
  return submission.status === 'refused' ? submission.about : 'it was taken';
}

async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = AbortSignal.timeout(20_000);
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    deadline.throwIfAborted();
  }
}
