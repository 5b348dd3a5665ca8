import type { FastifyInstance } from 'fastify';
import type { ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { problemOf, refuse } from './refusal.ts';

/** Node would refuse a request without a host by itself, with an empty answer; and looks for requests that never end only twice a minute. */
export const HTTP_OPTIONS: ServerOptions = { requireHostHeader: false, connectionsCheckingInterval: 5_000 };

/** Answers what node would answer by itself, and bounds how many connections are open at all. */
export function keepEdges(app: FastifyInstance): void {
  app.server.maxConnections = MOST_CONNECTIONS;
  // An expectation that nobody knows may be passed over (RFC 9110 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (raw.httpVersion !== '1.1' || raw.headers.host !== undefined) return undefined;
    const { refusal } = refuse('request-invalid', 'A request of HTTP/1.1 names its host.');
    return reply.code(400).type('application/problem+json').send(problemOf(refusal));
  });
}

/** What is no HTTP at all, or never ends, never becomes a request; it is answered in the same form all the same. */
export function refuseNoHttp(error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const isLate = 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const { refusal } = isLate
    ? refuse('request-timeout', 'The request did not arrive whole within the time that is allowed for it.')
    : refuse('request-invalid', 'What came over this connection is no HTTP request.');
  const body = JSON.stringify(problemOf(refusal));
  const status = isLate ? '408 Request Timeout' : '400 Bad Request';
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}

const MOST_CONNECTIONS = 2_000;
