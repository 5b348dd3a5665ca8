import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { refuseNoHttp } from './http-edges.ts';

test('a body that never comes whole is answered with a problem document of its own, HTTP 408', async () => {
  const server = createServer({ requestTimeout: 50, headersTimeout: 50, connectionsCheckingInterval: 10 }, () => {});
  server.on('clientError', refuseNoHttp);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const socket = connect(address.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /instructions HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{');
    const answer = await text(socket);
    assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\ncontent-type: application\/problem\+json\r\n/);
    assert.match(answer, /"status":408,"code":"request-timeout"/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
