import Fastify from 'fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeApi } from './api-description.ts';
import type { Client } from './config.ts';
import { docsPage, PAGE_POLICY } from './docs-page.ts';
import { QueueFull, StorageUnavailable } from './group-commit.ts';
import { HTTP_OPTIONS, keepEdges, refuseNoHttp } from './http-edges.ts';
import { problemOf, REFUSALS, refuse } from './refusal.ts';
import type { Refusal, RefusalCode, Result } from './refusal.ts';
import type { Declared } from './route.ts';
import { bearerToken, TOKEN_LIFETIME_S } from './tokens.ts';
import type { TlsOptions } from './tls.ts';
import type { Tokens } from './tokens.ts';

export type Answer = { status: number; body: object };

export type Handler = (client: Client, request: FastifyRequest) => Result<Answer> | Promise<Result<Answer>>;

/** A route with what it takes and answers, for those who serve and those who describe it. */
export type Route = Declared<unknown, unknown, unknown> & { handle: Handler };

export type ServerParts = {
  name: string;
  tokens: Tokens;
  tls: TlsOptions | undefined;
  routes: Route[];
  onFault: (fault: unknown) => void;
  onClose: () => void;
};

/** The HTTP side: tokens, problem documents (RFC 9457), limits. What a request means is its route's business. */
export function buildServer({ name, tokens, tls, routes, onFault, onClose }: ServerParts): FastifyInstance {
  const app: FastifyInstance = Fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    ...(tls ? { https: { ...HTTP_OPTIONS, ...tls } } : { http: HTTP_OPTIONS }),
    forceCloseConnections: 'idle',
    clientErrorHandler: refuseNoHttp,
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, refusalOf(error, onFault)),
  });
  keepEdges(app);
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, new URLSearchParams(String(body)));
  });
  app.setErrorHandler<FastifyError>((error, _request, reply) => sendProblem(reply, refusalOf(error, onFault)));
  app.setNotFoundHandler((request, reply) => {
    return sendProblem(reply, refuse('route-unknown', `There is no ${request.method} ${request.url}.`).refusal);
  });
  app.addHook('preClose', async () => onClose());
  app.addHook('onRequest', async (request, reply) => {
    if (PUBLIC_PATHS.has(request.url.split('?')[0] ?? '')) return;
    const client = clientOf(tokens, request);
    if (!client.ok) return sendProblem(reply, client.refusal);
  });
  app.get('/healthz', () => ({ status: 'ok', name }));
  const description = describeApi(name, routes);
  const page = docsPage(description);
  app.get('/openapi.json', () => description);
  app.get('/docs', (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(page),
  );
  app.post('/oauth/token', (request, reply) => sendToken(tokens, request, reply));
  for (const { method, url, handle } of routes) {
    app.route({ method, url, handler: (request, reply) => serve(handle, tokens, request, reply) });
  }
  return app;
}

const BODY_LIMIT_BYTES = 256 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const PUBLIC_PATHS: ReadonlySet<string> = new Set(['/healthz', '/oauth/token', '/openapi.json', '/docs']);

async function serve(handle: Handler, tokens: Tokens, request: FastifyRequest, reply: FastifyReply) {
  const client = clientOf(tokens, request);
  if (!client.ok) return sendProblem(reply, client.refusal);
  const answer = await handle(client.value, request);
  if (!answer.ok) return sendProblem(reply, answer.refusal);
  return reply.code(answer.value.status).send(answer.value.body);
}

function clientOf(tokens: Tokens, request: FastifyRequest): Result<Client> {
  const token = bearerToken(request.headers.authorization);
  if (token === undefined) return refuse('token-missing', 'A bearer token is needed; get one at POST /oauth/token.');
  const client = tokens.clientOf(token);
  if (client === undefined) return refuse('token-invalid', 'The token is unknown or has expired.');
  return { ok: true, value: client };
}

/** RFC 6749 4.4; its errors have their own shape (5.2). Parameters that are not known are ignored there (3.2). */
function sendToken(tokens: Tokens, request: FastifyRequest, reply: FastifyReply) {
  reply.header('cache-control', 'no-store');
  if (!(request.body instanceof URLSearchParams)) return reply.code(400).send({ error: 'invalid_request' });
  if (request.body.get('grant_type') !== 'client_credentials') {
    return reply.code(400).send({ error: 'unsupported_grant_type' });
  }
  const token = tokens.issue(request.headers.authorization);
  if (token === undefined) {
    return reply.code(401).header('www-authenticate', 'Basic realm="token"').send({ error: 'invalid_client' });
  }
  return reply.send({ access_token: token, token_type: 'Bearer', expires_in: TOKEN_LIFETIME_S });
}

function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { code } = refusal;
  const [status] = REFUSALS[code];
  if (code === 'token-missing') reply.header('www-authenticate', 'Bearer');
  if (code === 'token-invalid') reply.header('www-authenticate', 'Bearer error="invalid_token"');
  if (status === 503) reply.header('retry-after', '1');
  return reply.code(status).type('application/problem+json').send(problemOf(refusal));
}

/** Translates what was thrown. Only what is known by its code is described; the rest goes to `onFault` alone. */
function refusalOf(error: FastifyError, onFault: (fault: unknown) => void): Refusal {
  if (error instanceof QueueFull) return refuse('busy', error.message).refusal;
  if (error instanceof StorageUnavailable) {
    onFault(error);
    return refuse('storage-unavailable', 'The storage takes no writes; nothing was booked.').refusal;
  }
  const known = FRAMEWORK_CODES[error.code] ?? (isClientError(error) ? 'request-invalid' : undefined);
  if (known !== undefined) return refuse(known, error.message).refusal;
  onFault(error);
  return refuse('internal', 'The request failed by a fault of this system.').refusal;
}

function isClientError(error: FastifyError): boolean {
  return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
}

const FRAMEWORK_CODES: Record<string, RefusalCode> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'json-malformed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'json-malformed',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-unsupported',
};
