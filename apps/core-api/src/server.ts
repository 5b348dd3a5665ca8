import type { Socket } from 'node:net';
import {
  accept,
  Broken,
  type Endpoint,
  ENDPOINTS,
  type Json,
  problem,
  problemDetails,
  refuse,
  type Result,
} from '@linkspan/protocol';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { type ClientLimits, createClientLimits, type Limits } from './client-limits.ts';
import { streamEvents, streamStart } from './event-stream.ts';
import { createHandlers, type Handler, type Handlers, type Services } from './handlers.ts';
import { acceptJson, BODY_LIMIT_BYTES } from './json-body.ts';
import { INTERNAL, refusalOf, sendProblem } from './problem-reply.ts';
import type { Sender } from './requests.ts';

export type ServerOptions = {
  readonly services: Services;
  readonly log: Logger;
  readonly limits: Limits;
  /** Learns of a broken invariant: nothing that this process says can be trusted any more. */
  readonly onBroken: (error: Broken) => void;
};

/** The API of one organisation over HTTP: the endpoint table, limits, problems (RFC 9457). What a request means is its handler's business. */
export function createServer({ services, log, limits, onBroken }: ServerOptions): FastifyInstance {
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    forceCloseConnections: 'idle',
    clientErrorHandler: refuseNoHttp,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, refusalOf(error) ?? INTERNAL),
  });
  const closing = new AbortController();
  acceptJson(app);
  limitClients(app, limits);
  measureAnswers(app, services);
  app.addHook('preClose', async () => closing.abort());
  endConnections(app);
  app.setNotFoundHandler((request, reply) => refuseUnknown(request, reply));
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (!refusal) log.error({ err: error, method: request.method, url: request.url }, 'a request failed');
    if (error instanceof Broken) onBroken(error);
    return sendProblem(reply, refusal ?? INTERNAL);
  });
  const handlers = createHandlers(services);
  for (const name of namesOf(handlers)) addRoute(app, ENDPOINTS[name], handlers[name]);
  const { path, for: caller } = ENDPOINTS.events;
  app.get(path, { exposeHeadRoute: false, config: { caller } }, (request, reply) =>
    serveEvents(services, request, reply, closing.signal, log),
  );
  return app;
}

/** A page shows itself: no script, nothing from another host, in nobody's frame. */
const NOTHING_ELSE =
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const REQUEST_TIMEOUT_MS = 30_000;
/** A trade id of 64 characters, every one of them encoded. */
const LONGEST_PARAMETER = 192;
const LAST_ANSWERS_MS = 5_000;

/**
 * Turns a client away that asks too much, before its body is read. Other organisations, and whoever looks whether the process lives, have limits of
 * their own, so that no program of the organisation can shut them out.
 */
function limitClients(app: FastifyInstance, limits: Limits): void {
  const now = (): number => performance.now();
  const perCaller: Readonly<Record<Endpoint['for'], ClientLimits>> = {
    operators: createClientLimits(limits, now),
    organisations: createClientLimits(limits, now),
    everyone: createClientLimits(limits, now),
  };
  app.addHook('onRequest', async (request, reply) => {
    const entered = perCaller[request.routeOptions.config.caller ?? 'everyone'].enter(request.ip);
    if (!entered.ok) return sendProblem(reply, entered.refusal);
    reply.raw.once('close', entered.value);
  });
}

/** Streams last as long as their readers like, which measures nothing; paths that nobody knows are counted as one. */
function measureAnswers(app: FastifyInstance, { organisation, measurements }: Services): void {
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    if (routeOptions.url === ENDPOINTS.events.path && reply.statusCode < 300) return;
    const route = routeOptions.url ?? 'none';
    const { statusCode: status, elapsedTime } = reply;
    measurements.answered({ organisation, method, route, status, seconds: elapsedTime / 1000 });
  });
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly caller?: Endpoint['for'];
  }
}

/** Closing waits for answers that are under way, for a while. Node does not count a connection on which nothing was asked yet as idle. */
function endConnections(app: FastifyInstance): void {
  const unused = new Set<Socket>();
  app.server.on('connection', (socket) => {
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
    config: { caller: endpoint.for },
    handler: async (request, reply) => {
      const checked = checkForm(endpoint, request);
      if (!checked.ok) return sendProblem(reply, checked.refusal);
      const sender = senderOf(request);
      if (!sender.ok) return sendProblem(reply, sender.refusal);
      const { query, params } = request;
      const [id = ''] = Object.values(params);
      const answer = await handle({ id, query, body: checked.value, sender: sender.value });
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

function refuseParameters(query: unknown, allowed: readonly string[]): Result<null> {
  const names = typeof query === 'object' && query !== null ? Object.keys(query) : [];
  const unknown = names.filter((name) => !allowed.includes(name));
  if (unknown.length === 0) return accept(null);
  const problems = unknown.map((name) =>
    problem(`/${name}`, 'member-unknown', `There is no parameter "${name.slice(0, 64)}" here.`),
  );
  return refuse('request-invalid', problems.map(({ message }) => message).join(' '), { problems });
}

/** Bodies come from the JSON parser and from nowhere else; without a body it was never asked. */
function isJson(body: unknown): body is Json {
  return body !== undefined;
}

/**
 * Without authentication, which only development has, whoever asks says who acts: `X-Actor`, or else `operator`. Each of them has
 * Idempotency-Keys of its own.
 */
function senderOf({ headers }: FastifyRequest): Result<Sender> {
  const actor = headers['x-actor'] === undefined ? 'operator' : headerText(headers['x-actor']);
  if (actor === undefined || !/^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(actor))
    return refuse('request-invalid', 'X-Actor is at most 100 printable ASCII characters.');
  return accept({ client: actor, actor, key: headerText(headers['idempotency-key']) });
}

/** Where the same header came more than once it is no single text. */
function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

async function serveEvents(
  { ledger, directory }: Services,
  request: FastifyRequest,
  reply: FastifyReply,
  signal: AbortSignal,
  log: Logger,
): Promise<FastifyReply> {
  const { query, headers } = request;
  const known = refuseParameters(query, ['from']);
  if (!known.ok) return sendProblem(reply, known.refusal);
  const from = new Map(Object.entries(query ?? {})).get('from');
  const start = await streamStart(
    ledger,
    headerText(headers['last-event-id']),
    from === undefined ? undefined : String(from),
  );
  if (!start.ok) return sendProblem(reply, start.refusal);
  reply.hijack();
  try {
    await streamEvents(reply.raw, { ledger, directory }, start.value, signal);
  } catch (error) {
    // The stream has begun, so its status is sent; the reader comes back by itself and is told the reason then.
    if (!signal.aborted) log.warn({ err: error }, 'an event stream ended');
  }
  return reply;
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

/** What is no HTTP at all never becomes a request; it is answered in the same form all the same. */
function refuseNoHttp(_error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(
    problemDetails(refuse('http-malformed', 'What came over this connection is no HTTP request.').refusal),
  );
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
