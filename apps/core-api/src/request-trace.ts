import { newTrace, parseTraceparent, type Trace, traceparent } from '@linkspan/plugin';
import { ENDPOINTS } from '@linkspan/protocol';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Measurements } from './measurements.ts';
import { headerText } from './request-parts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's trace (W3C Trace Context), or a new one. */
    trace: Trace;
  }
}

/** Every request belongs to a trace, which its answer names. */
export function traceRequests(app: FastifyInstance): void {
  app.decorateRequest('trace');
  app.addHook('onRequest', async (request, reply) => {
    request.trace = parseTraceparent(headerText(request.headers['traceparent'])) ?? newTrace();
    reply.header('traceparent', traceparent(request.trace));
  });
}

/** Counts and logs every answer: by its route, since a path may hold anything, and never with its headers. */
export function measureAnswers(
  app: FastifyInstance,
  {
    organisation,
    measurements,
  }: { readonly organisation: string; readonly measurements: Pick<Measurements, 'answered'> },
  log: Logger,
): void {
  app.addHook('onResponse', async ({ method, routeOptions, trace, access }, reply) => {
    const route = routeOptions.url ?? 'none';
    const { statusCode: status, elapsedTime } = reply;
    const client = access ? { client: access.client, subject: access.subject } : {};
    log.info({ trace: trace?.traceId, method, route, status, ms: Math.round(elapsedTime), ...client }, 'answered');
    // Streams last as long as their readers like, which measures nothing; paths that nobody knows are counted as one.
    if (route === ENDPOINTS.events.path && status < 300) return;
    measurements.answered({ organisation, method, route, status, seconds: elapsedTime / 1000 });
  });
}
