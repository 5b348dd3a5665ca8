import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import { type TestContext, test } from 'node:test';
import { secp256k1Signer } from '@linkspan/keys';
import { parseTraceparent, traceOfSettlement, withinTrace } from '@linkspan/plugin';
import { type CertificateShare, type Hash, hashOf, signCertificates, type SignedStatement } from '@linkspan/protocol';
import { createHttpPeers } from '../../apps/core-api/src/http-peers.ts';
import { certify, NETWORK, startWeb, webConnectorConfig } from './connector-systems.ts';
import {
  accepted,
  createTestValidator,
  limit,
  newOperation,
  SYSTEM,
  TERMS,
  verifierOf,
} from './connector-validators.ts';

type Seen = { readonly path: string; readonly traceparent: string | undefined };

/** A way to a server that writes down the trace of everything that passes; without one it answers that it is not there. */
async function openRecorder(
  t: TestContext,
  target?: string,
): Promise<{ readonly url: string; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    const { url: path = '', method, headers } = incoming;
    seen.push({ path, traceparent: headers['traceparent']?.toString() });
    if (target === undefined) return void incoming.resume().on('end', () => response.writeHead(503).end());
    const outgoing = forward(target + path, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${address.port}`, seen };
}

function tracesOf(seen: readonly Seen[]): Set<string | undefined> {
  return new Set(seen.map(({ traceparent }) => parseTraceparent(traceparent)?.traceId));
}

test('what is done for a settlement arrives at the connected system under the trace of the settlement', async (t) => {
  const system = await startWeb(SYSTEM);
  t.after(() => system[Symbol.asyncDispose]());
  const recorder = await openRecorder(t, system.url);
  // Two organisations' validators of one system, each with a connection of its own.
  const validators = await Promise.all(
    [0, 1].map((n) => createTestValidator(SYSTEM, webConnectorConfig(recorder.url, n))),
  );
  t.after(() => Promise.all(validators.map((validator) => validator[Symbol.asyncDispose]())));
  const verifier = verifierOf(
    SYSTEM,
    validators.map(({ endpoint }) => endpoint),
  );
  t.after(() => verifier[Symbol.asyncDispose]());
  const hold = newOperation(SYSTEM, 'hold', TERMS);
  await accepted(verifier.perform(hold, undefined, limit()));
  const release = newOperation(SYSTEM, 'release', { ...TERMS, hold: hold.id }, hold.settlement);
  await accepted(verifier.perform(release, certify('abort', hold.settlement, [hold.id], 2), limit()));
  const changing = recorder.seen.filter(({ path }) => path.startsWith('/holds'));
  assert.ok(changing.some(({ path }) => path === '/holds') && changing.some(({ path }) => path.endsWith('/release')));
  assert.deepEqual(tracesOf(changing), new Set([traceOfSettlement(hold.settlement).traceId]));
  const parents = changing.map(({ traceparent }) => parseTraceparent(traceparent)?.parentId);
  assert.equal(new Set(parents).size, parents.length, 'each request has an id of its own');
});

test('what organisations send each other about a settlement carries its trace, whoever sends it', async (t) => {
  const recorder = await openRecorder(t);
  const settlement = hashOf('a settlement');
  const proposal = hashOf('its proposal');
  await using first = createHttpPeers({ other: recorder.url });
  await using second = createHttpPeers({ other: recorder.url });
  await assert.rejects(first.sendShares('other', proposal, [shareOf(settlement)]));
  await assert.rejects(second.sendStatements('other', proposal, [statementOf(settlement)]));
  // Signatures are asked for by the proposal, which has another id; who asks knows the settlement.
  await assert.rejects(withinTrace(traceOfSettlement(settlement), () => second.askShares('other', proposal)));
  assert.equal(recorder.seen.length, 3);
  assert.deepEqual(tracesOf(recorder.seen), new Set([traceOfSettlement(settlement).traceId]));
});

function shareOf(settlement: Hash): CertificateShare {
  const certificate = {
    network: NETWORK,
    settlement,
    kind: 'commit',
    scenario: hashOf('scenario'),
    head: hashOf('head'),
    count: 3,
    epoch: 1,
    operations: [],
  } as const;
  const [share] = signCertificates(secp256k1Signer('1'.padStart(64, '0')), 7, [certificate]);
  assert.ok(share);
  return share;
}

function statementOf(settlement: Hash): SignedStatement {
  const { id: operation } = newOperation(SYSTEM, 'hold', TERMS, settlement);
  const statement = {
    schema: 'statement/1',
    network: NETWORK,
    settlement,
    operation,
    system: SYSTEM,
    status: 'effective',
    terms: TERMS,
    reason: '',
    transaction: '1',
  } as const;
  return { statement, signatures: [] };
}
