import type { Socket } from 'node:net';
import { accept, Broken, type Endpoint, ENDPOINTS, type Json, refuse, type Result } from '@linkspan/protocol';
import { HTTP_OPTIONS, refuseNoHttp, serverOptions, withinTrace } from '@linkspan/plugin';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { admitOrganisations, type OrganisationTls } from './admit-organisations.ts';
import type { Authentication } from './authentication/authentication.ts';
import { mountIssuer } from './authentication/mount-issuer.ts';
import { accessOf, guardRequests } from './authentication/request-guard.ts';
import { createClientLimits, type Limits } from './client-limits.ts';
import { serveEvents } from './event-stream.ts';
import { createHandlers, type Handler, type Handlers, type Services } from './handlers.ts';
import { keepEdges } from './http-edges.ts';
import { acceptJson, BODY_LIMIT_BYTES } from './json-body.ts';
import { INTERNAL, refusalOf, sendProblem } from './problem-reply.ts';
import { headerText, refuseParameters } from './request-parts.ts';
import { measureAnswers, traceRequests } from './request-trace.ts';
import type { Sender } from './requests.ts';

export type ServerOptions = {
  readonly services: Services;
  readonly authentication: Authentication;
  /** None where it serves without TLS, which is for development. */
  readonly tls?: OrganisationTls | undefined;
  readonly log: Logger;
  readonly limits: Limits;
  /** Learns of a broken invariant: nothing that this process says can be trusted any more. */
  readonly onBroken: (error: Broken) => void;
};

/** The API of one organisation over HTTP: the endpoint table, access tokens, limits, problems (RFC 9457). What a request means is its handler's business. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { services, authentication, tls, log, limits, onBroken } = options;
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    ...(tls
      ? { https: { ...HTTP_OPTIONS, ...serverOptions(tls.credentials.current(), 'welcome') } }
      : { http: HTTP_OPTIONS }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    forceCloseConnections: 'idle',
    clientErrorHandler: refuseNoHttp,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, refusalOf(error) ?? INTERNAL),
  });
  const closing = new AbortController();
  acceptJson(app);
  traceRequests(app);
  keepEdges(app);
  if (tls) admitOrganisations(app, tls, log);
  guardRequests(app, authentication, limits);
  measureAnswers(app, services, log);
  app.addHook('preClose', async () => closing.abort());
  endConnections(app);
  app.setNotFoundHandler((request, reply) => refuseUnknown(request, reply));
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (!refusal) {
      const { method, url, trace } = request;
      log.error({ err: error, method, url, trace: trace?.traceId }, 'a request failed');
    }
    if (error instanceof Broken) onBroken(error);
    return sendProblem(reply, refusal ?? INTERNAL);
  });
  const handlers = createHandlers(services);
  for (const name of namesOf(handlers)) addRoute(app, ENDPOINTS[name], handlers[name]);
  const { path, for: caller, scope } = ENDPOINTS.events;
  const streams = createClientLimits(STREAM_LIMITS, () => performance.now(), 'event streams');
  app.get(path, { exposeHeadRoute: false, config: { caller, scope } }, (request, reply) => {
    const entered = streams.enter(accessOf(request).client);
    if (!entered.ok) return sendProblem(reply, entered.refusal);
    reply.raw.once('close', () => entered.value());
    return serveEvents(services, request, reply, closing.signal, log);
  });
  if (authentication.issuer) mountIssuer(app, authentication.issuer);
  return app;
}

/** A page shows itself: no script, nothing from another host, in nobody's frame. */
const NOTHING_ELSE =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const REQUEST_TIMEOUT_MS = 30_000;
/** A trade id of 64 characters, every one of them encoded. */
const LONGEST_PARAMETER = 192;
const LAST_ANSWERS_MS = 5_000;
/** A person has a few windows open; a client with more has lost its own. */
const STREAM_LIMITS: Limits = { requestsPerSecond: 100, burst: 100, concurrent: 16 };

/** Closing waits for answers that are under way, for a while. Node does not count a connection on which nothing was asked yet as idle. */
function endConnections(app: FastifyInstance): void {
  const unused = new Set<Socket>();
  // Over TLS, requests come by other sockets than the connections that carry them.
  app.server.on('setSecureContext' in app.server ? 'secureConnection' : 'connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));
  app.addHook('preClose', async () => {
    for (const socket of unused) socket.destroy();
    setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS).unref();
  });
}

function namesOf(handlers: Handlers): (keyof Handlers)[] {
  return Object.keys(handlers).filter((name): name is keyof Handlers => Object.hasOwn(handlers, name));
}

function addRoute(app: FastifyInstance, endpoint: Endpoint, handle: Handler): void {
  app.route<{ readonly Params: Readonly<Record<string, string>> }>({
    method: endpoint.method,
    url: endpoint.path,
    config: { caller: endpoint.for, scope: endpoint.scope },
    handler: async (request, reply) => {
      const checked = checkForm(endpoint, request);
      if (!checked.ok) return sendProblem(reply, checked.refusal);
      const { query, params } = request;
      const [id = ''] = Object.values(params);
      const asked = { id, query, body: checked.value, sender: senderOf(request) };
      const answer = await withinTrace(request.trace, () => handle(asked));
      if (!answer.ok) return sendProblem(reply, answer.refusal);
      if (endpoint.media !== undefined) reply.type(endpoint.media).header('content-security-policy', NOTHING_ELSE);
      if (answer.value.location !== undefined) reply.header('location', answer.value.location);
      return reply.code(endpoint.status).header('cache-control', 'no-store').send(answer.value.body);
    },
  });
}

/** The body, null where there is none to have. What query and body mean is checked by the handler, against the endpoint's schemas. */
function checkForm(endpoint: Endpoint, { query, body }: FastifyRequest): Result<Json> {
  const parameters = endpoint.query ? accept(null) : refuseParameters(query, []);
  if (!parameters.ok) return parameters;
  if (!endpoint.body)
    return body === undefined || body === null
      ? accept(null)
      : refuse('request-invalid', 'There is nothing to say in a body here.');
  return isJson(body)
    ? accept(body)
    : refuse('json-malformed', 'A JSON body with the content type application/json is needed.');
}

/** Bodies come from the JSON parser and from nowhere else; without a body it was never asked. */
function isJson(body: unknown): body is Json {
  return body !== undefined;
}

/** Whom the access token names; nobody where none is asked for. */
function senderOf({ access, headers }: FastifyRequest): Sender | undefined {
  if (!access) return undefined;
  return { client: access.client, actor: access.subject, key: headerText(headers['idempotency-key']) };
}

/** 405 where the path exists for other methods. */
function refuseUnknown({ method, url }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = url.split('?')[0] ?? '';
  const methods = Object.values(ENDPOINTS).flatMap((endpoint) =>
    matches(endpoint.path, path) ? [endpoint.method] : [],
  );
  if (methods.length === 0)
    return sendProblem(reply, refuse('not-found', `There is nothing at ${path.slice(0, 200)}.`).refusal);
  const allowed = methods.join(', ');
  reply.header('allow', allowed);
  return sendProblem(reply, refuse('method-not-allowed', `${method} is not possible here, only ${allowed}.`).refusal);
}

function matches(pattern: string, path: string): boolean {
  const [parts, given] = [pattern.split('/'), path.split('/')];
  return (
    parts.length === given.length &&
    parts.every((part, i) => part === given[i] || (part.startsWith(':') && given[i] !== ''))
  );
}
