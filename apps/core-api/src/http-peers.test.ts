import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { Fault, hashOf } from '@linkspan/protocol';
import { createHttpPeers } from './http-peers.ts';
import { lodgeBoth, performAll, startTestNetwork } from './test-support.ts';

const PROPOSAL = hashOf('a proposal');

test('shares that an organisation signed are fetched from it', async () => {
  await using network = await startTestNetwork();
  await using peers = createHttpPeers(network.urls);
  const { proposal } = await lodgeBoth(network, network.instruction('PEERS'));
  assert.deepEqual(await peers.askShares('csd-b', proposal), []);
  await performAll(network, proposal);
  const [share] = await peers.askShares('csd-b', proposal);
  assert.equal(share?.certificate.kind, 'commit');
  assert.equal(share.key, network.sample.organisations['csd-b']?.certificate.key);
  await peers.sendShares('central-bank-a', proposal, [share]);
});

test('an organisation that is unknown, silent or refuses is a fault that may be tried again', async () => {
  await using peers = createHttpPeers({ silent: 'http://127.0.0.1:1' });
  for (const organisation of ['silent', 'unknown']) {
    await assert.rejects(
      peers.askShares(organisation, PROPOSAL),
      (error) => error instanceof Fault && error.code === 'peer-unavailable' && error.retryable,
    );
  }
  await using network = await startTestNetwork();
  await using real = createHttpPeers(network.urls);
  await assert.rejects(
    real.sendStatements('csd-b', PROPOSAL, []),
    (error) => error instanceof Fault && error.code === 'peer-unavailable',
  );
});

test('an answer of another form than promised is a fault', async () => {
  const server = createServer((_, response) => response.end('{"shares":"many"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  await using peers = createHttpPeers({ odd: `http://127.0.0.1:${address.port}` });
  await assert.rejects(
    peers.askShares('odd', PROPOSAL),
    (error) => error instanceof Fault && error.code === 'peer-unavailable',
  );
  server.closeAllConnections();
  server.close();
});
