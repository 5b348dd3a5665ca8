import type { ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { problemDetails, type Refusal, refuse } from '@linkspan/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Node would refuse a request without a host by itself, with an empty answer; and looks for requests that never end only twice a minute. */
export const HTTP_OPTIONS: ServerOptions = { requireHostHeader: false, connectionsCheckingInterval: 5_000 };

/** How long a request may take to arrive. Answers may take longer: they wait for a system. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Answers what node would answer by itself, past the error table, and bounds how many connections are open at all. */
export function keepEdges(
  app: FastifyInstance,
  sendRefusal: (reply: FastifyReply, refusal: Refusal) => FastifyReply,
): void {
  app.server.maxConnections = MOST_CONNECTIONS;
  // An expectation that nobody knows may be passed over (RFC 9110 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  // Only JSON has a meaning here; a text would reach the parsers of requests as one.
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
      return sendRefusal(reply, refuse('http-malformed', 'A request of HTTP/1.1 names its host.').refusal);
  });
}

/** What is no HTTP at all never becomes a request; it is answered in the same form all the same. */
export function refuseNoHttp(_error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(
    problemDetails(refuse('http-malformed', 'What came over this connection is no HTTP request.').refusal),
  );
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}

const MOST_CONNECTIONS = 2_000;
