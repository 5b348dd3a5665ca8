import assert from 'node:assert/strict';
import { once } from 'node:events';
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
    await assert.rejects(peers.askShares(organisation, PROPOSAL), isPeerFault);
  }
  await using network = await startTestNetwork();
  await using real = createHttpPeers(network.urls);
  await assert.rejects(real.sendStatements('csd-b', PROPOSAL, []), (error) => {
    return isPeerFault(error) && error instanceof Fault && /HTTP 422/.test(String(error.cause));
  });
});

test('an answer of another form than promised is a fault', async () => {
  const server = createServer((_, response) => response.end('{"shares":"many"}')).listen(0, '127.0.0.1');
  await using opened = new AsyncDisposableStack();
  opened.defer(() => void server.close());
  opened.defer(() => server.closeAllConnections());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const peers = opened.use(createHttpPeers({ odd: `http://127.0.0.1:${address.port}` }));
  await assert.rejects(peers.askShares('odd', PROPOSAL), isPeerFault);
});

function isPeerFault(error: unknown): boolean {
  return error instanceof Fault && error.code === 'peer-unavailable' && error.retryable;
}
