import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startTestNetwork } from './test-support.ts';

test('what node would answer by itself is a problem document too, and an unknown expectation is passed over', async (t) => {
  await using network = await startTestNetwork();
  const ask = async (head: string): Promise<string> => {
    const socket = connect(Number(new URL(network.urls['csd-b'] ?? '').port), '127.0.0.1');
    await once(socket, 'connect');
    socket.end(head);
    return text(socket);
  };
  await t.test('no host', async () => {
    const answer = await ask('GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /application\/problem\+json/);
    assert.match(answer, /"code":"http-malformed"/);
  });
  await t.test('an expectation', async () => {
    const answer = await ask('GET /healthz HTTP/1.1\r\nhost: a\r\nexpect: something\r\nconnection: close\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });
});
