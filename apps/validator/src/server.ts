import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Broken, ERRORS, Fault, problemDetails, type Refusal, type Result } from '@linkspan/protocol';
import {
  clientNames,
  HTTP_OPTIONS,
  keepCurrent,
  newTrace,
  parseAttest,
  parseFence,
  parseObservationQuery,
  parseRead,
  parseSubmit,
  parseTraceparent,
  PATHS,
  refuseNoHttp,
  serverOptions,
  type Validator,
  withinTrace,
} from '@linkspan/plugin';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { MutualTls, ValidatorConfig } from './config.ts';
import { keepEdges, REQUEST_TIMEOUT_MS } from './http-edges.ts';

const BODY_LIMIT_BYTES = 128 * 1024;
const HEARTBEAT_MS = 15_000;

/** The validator over HTTP. What a request means is the validator's business; here are paths, limits, problems (RFC 9457) and the event stream. */
export function createServer(config: ValidatorConfig, validator: Validator, key: string, log: Logger): FastifyInstance {
  const { tls } = config.listen;
  const server = tls
    ? { https: { ...HTTP_OPTIONS, ...serverOptions(tls.credentials.current(), 'needed') } }
    : { http: HTTP_OPTIONS };
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    clientErrorHandler: refuseNoHttp,
    frameworkErrors: (error, _request, reply) => void sendRefusal(reply, refusalOf(error)),
    ...server,
  });
  keepEdges(app, sendRefusal);
  if (tls) refuseStrangers(app, tls, log);

  post(PATHS.submit, parseSubmit, (request) => validator.submit(request));
  post(PATHS.attest, parseAttest, (request) => validator.attest(request));
  post(PATHS.fence, parseFence, (request) => validator.fence(request));
  post(PATHS.read, parseRead, (request) => validator.read(request));
  app.get(PATHS.observations, { exposeHeadRoute: false }, (request, reply) =>
    streamObservations(validator, request, reply, log),
  );
  app.get(PATHS.health, () => ({ status: 'ok', network: config.network, system: config.system, key }));
  app.setNotFoundHandler((request, reply) =>
    sendRefusal(reply, { code: 'not-found', message: `There is no ${request.method} ${request.url}.` }),
  );
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    if (refusal.code === 'internal') log.error({ err: error, url: request.url }, 'a request failed');
    else if (ERRORS[refusal.code].status >= 500) log.warn({ url: request.url, code: refusal.code }, refusal.message);
    // A broken invariant means that nothing this process says can be trusted: it must end, and not as a mere answer.
    if (error instanceof Broken) queueMicrotask(() => rethrow(error));
    return sendRefusal(reply, refusal);
  });
  return app;

  function post<T>(
    path: string,
    parse: (body: unknown) => Result<T>,
    handle: (request: T) => Promise<Result<object>>,
  ): void {
    app.post(path, async (request, reply) => {
      const parsed = parse(request.body);
      if (!parsed.ok) return sendRefusal(reply, parsed.refusal);
      const trace = parseTraceparent(header(request, 'traceparent')) ?? newTrace();
      const answer = await withinTrace(trace, () => handle(parsed.value));
      if (!answer.ok) return sendRefusal(reply, answer.refusal);
      const pending = 'status' in answer.value && answer.value.status === 'pending';
      return reply.code(pending ? 202 : 200).send(answer.value);
    });
  }
}

/** Where the same header came more than once it is no single text. */
function header({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** A certificate of the authority is not enough: other services have them too. Only clients that are named may ask for anything. */
function refuseStrangers(app: FastifyInstance, { credentials, clients }: MutualTls, log: Logger): void {
  const stop = keepCurrent(app.server, credentials);
  app.addHook('onClose', async () => stop());
  app.addHook('onRequest', async ({ raw, ip }, reply) => {
    const names = clientNames(raw.socket) ?? [];
    if (names.some((name) => clients.includes(name))) return;
    const given = names.length === 0 ? 'no name' : names.join(', ');
    log.warn({ ip, names }, 'a client with a certificate of the authority, but of no name that may ask, was refused');
    return sendRefusal(reply, {
      code: 'not-entitled',
      message: `The client's certificate is of ${given.slice(0, 200)}, which may ask for nothing here.`,
    });
  });
}

/** Server-sent events. The id of each is the cursor after it, so a client goes on where it stopped by `after` or `Last-Event-ID`. */
async function streamObservations(
  validator: Validator,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): Promise<unknown> {
  const query = parseObservationQuery(request.query);
  if (!query.ok) return sendRefusal(reply, query.refusal);
  const last = request.headers['last-event-id'];
  const resumed = parseObservationQuery({ after: typeof last === 'string' && last !== '' ? last : undefined });
  if (!resumed.ok) return sendRefusal(reply, resumed.refusal);
  const after = resumed.value.after || query.value.after;
  const gone = new AbortController();
  reply.hijack();
  const { raw } = reply;
  raw.once('close', () => gone.abort());
  raw.on('error', () => gone.abort());
  // Behind a body that nobody reads it would not be seen that the reader has gone.
  request.raw.resume();
  // Whoever went away before now has closed the connection already, and it closes only once.
  if (raw.destroyed || request.raw.socket.destroyed) gone.abort();
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // A comment now and then, so that a connection that died without a word is noticed.
  const heartbeat = setInterval(() => raw.write(':\n\n'), HEARTBEAT_MS);
  try {
    raw.write(':\n\n');
    for await (const signed of validator.observations(after, query.value.filter, gone.signal)) {
      await writeEvent(raw, signed.observation.after, JSON.stringify(signed), gone.signal);
    }
  } catch (error) {
    if (!gone.signal.aborted) log.warn({ err: error }, 'an event stream ended');
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
  return reply;
}

async function writeEvent(raw: ServerResponse, id: string, data: string, signal: AbortSignal): Promise<void> {
  if (raw.write(`id: ${id}\ndata: ${data}\n\n`)) return;
  // A slow reader slows its own stream down; nothing is queued for it here.
  await once(raw, 'drain', { signal });
}

function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return reply.code(ERRORS[refusal.code].status).type('application/problem+json').send(problemDetails(refusal));
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Fault)
    return { code: error.code, message: error.message, details: { mayHaveHappened: error.mayHaveHappened } };
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || code === 'FST_ERR_CTP_EMPTY_JSON_BODY')
    return { code: 'json-malformed', message: 'The body is not JSON.' };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { code: 'body-too-large', message: `A body has at most ${BODY_LIMIT_BYTES} bytes.` };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return { code: 'media-type-unsupported', message: 'The body must be application/json.' };
  // Whatever else the framework refuses is the request's fault as long as it says so.
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500)
    return { code: 'request-invalid', message: 'The request is no HTTP request that can be understood here.' };
  return { code: 'internal', message: ERRORS.internal.title };
}

function rethrow(error: Error): never {
  throw error;
}
