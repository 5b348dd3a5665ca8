import type { ServerOptions } from 'node:http';
import { refuse } from '@linkspan/protocol';
import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem-reply.ts';

/** Node would refuse a request without a host by itself, with an empty answer; and looks for requests that never end only twice a minute. */
export const HTTP_OPTIONS: ServerOptions = { requireHostHeader: false, connectionsCheckingInterval: 5_000 };

/** Answers what node would answer by itself, past the error table, and bounds how many connections are open at all. */
export function keepEdges(app: FastifyInstance): void {
  app.server.maxConnections = MOST_CONNECTIONS;
  // An expectation that nobody knows may be passed over (RFC 9110 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', async ({ raw }, reply) => {
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
      return sendProblem(reply, refuse('http-malformed', 'A request of HTTP/1.1 names its host.').refusal);
  });
}

/** Each needs a file descriptor, of which a process often has 4,096 for everything. */
const MOST_CONNECTIONS = 2_000;
