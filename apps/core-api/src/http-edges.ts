import { MOST_CONNECTIONS } from '@linkspan/plugin';
import { refuse } from '@linkspan/protocol';
import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem-reply.ts';

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
