import { MOST_CONNECTIONS } from '@linkspan/plugin';
import { type Refusal, refuse } from '@linkspan/protocol';
import type { FastifyInstance, FastifyReply } from 'fastify';

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
