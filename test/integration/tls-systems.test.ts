import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLiveFiles } from '@linkspan/keys';
import { type Connector, readConnector } from '@linkspan/plugin';
import { Fault, type Result } from '@linkspan/protocol';
import { startDomesticWeb } from '@stand-in/domestic-web';
import { createAuthority } from '../../apps/cli/src/certificates/certificate-authority.ts';
import { openTlsFolder, type TlsFolder } from './tls-files.ts';

const SERVER = { names: { ip: ['127.0.0.1'] } };
const CLIENT = { names: { uri: ['urn:test:validator'] } };

test('a connector proves itself to its system by certificate and secret, and both are renewed while it runs', async () => {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openTlsFolder());
  const { certFile, keyFile, caFile } = await folder.issue('rtgs', SERVER);
  const url = await startRtgs(opened, folder, { certFile, keyFile, clientCaFile: caFile });
  const files = opened.use(createLiveFiles({ now: Date.now }));
  const context = { mode: 'production', at: (file: string) => file, files } as const;
  const tls = await folder.issue('validator', CLIENT);
  const configuration = {
    kind: 'web-api',
    baseUrl: url,
    tls,
    clientId: 'validator',
    clientSecretFile: folder.write('secret', 'right'),
    assets: [{ id: 'JPY', kind: 'cash' }],
  };
  const connector = opened.use(valid(await readConnector('rtgs', configuration, context))());
  assert.equal(await balanceIn(connector), 500n);

  await folder.issue('validator', CLIENT);
  folder.write('secret', 'wrong');
  files.reread();
  assert.equal(await balanceIn(connector), 500n, 'the token is good for a while yet');
  const other = opened.use(valid(await readConnector('rtgs', configuration, context))());
  await assert.rejects(balanceIn(other), isUnavailable(/does not accept the client/));
  folder.write('secret', 'right');
  files.reread();
  assert.equal(await balanceIn(other), 500n);

  const none = valid(await readConnector('rtgs', { ...configuration, tls: { caFile: tls.caFile } }, context))();
  await assert.rejects(balanceIn(opened.use(none)), isUnavailable(/gave no answer/));
  const stranger = await folder.issue('stranger', CLIENT, await createAuthority('a stranger'));
  const foreign = valid(await readConnector('rtgs', { ...configuration, tls: stranger }, context))();
  await assert.rejects(balanceIn(opened.use(foreign)), isUnavailable(/gave no answer/));
  const believing = valid(await readConnector('rtgs', { ...configuration, tls: undefined }, context))();
  await assert.rejects(
    balanceIn(opened.use(believing)),
    isUnavailable(/gave no answer/),
    'an authority that Node does not know',
  );
});

async function startRtgs(
  opened: AsyncDisposableStack,
  folder: TlsFolder,
  tls: { certFile: string; keyFile: string; clientCaFile: string },
): Promise<string> {
  const system = await startDomesticWeb({
    name: 'rtgs',
    port: 0,
    dataDir: `${folder.path}/data`,
    tls,
    certificates: { network: `0x${'a'.repeat(64)}`, epoch: 1, quorum: 1, signers: [`0x${'1'.repeat(40)}`] },
    clients: [{ id: 'validator', secret: 'right', roles: ['executor', 'reader'] }],
    assets: [{ id: 'JPY', kind: 'cash', digits: 0 }],
    accounts: [{ id: '9001', name: 'A', operators: ['validator'], positions: { JPY: '500' } }],
  });
  opened.defer(() => system.close());
  return system.url;
}

async function balanceIn(connector: Connector): Promise<bigint | undefined> {
  const { positions } = await connector.read({ type: 'balances' });
  return positions.find(({ account }) => account.endsWith('9001'))?.balance;
}

function isUnavailable(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === 'system-unavailable' && message.test(error.message);
}

function valid<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : result.refusal.message);
  return result.value;
}
