import { ERRORS, Fault, problem, problemDetails, type Refusal, refuse } from '@linkspan/protocol';
import type { FastifyReply } from 'fastify';

/** Answers with a refusal as a problem document (RFC 9457). What may be tried again may be after a second. */
export function sendProblem(reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { status, retryable } = ERRORS[refusal.code];
  if (retryable) reply.header('retry-after', '1');
  return reply.code(status).type('application/problem+json').send(problemDetails(refusal));
}

/** What a client may know about something that was thrown; undefined where it is a defect of ours, which only the log may tell. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Fault) {
    if (error.code === 'internal') return undefined;
    const { code, message, mayHaveHappened } = error;
    return { code, message, ...(mayHaveHappened ? { details: { mayHaveHappened } } : {}) };
  }
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const known = FRAMEWORK_REFUSALS[code];
  if (known) return known;
  return error.statusCode < 500
    ? refuse('request-invalid', 'The request is no HTTP request that can be understood here.').refusal
    : undefined;
}

export const INTERNAL: Refusal = {
  code: 'internal',
  message: 'The request failed by a fault of this program; its log says more.',
};

const NOT_JSON = refuse(
  'json-malformed',
  'The body must be JSON text (RFC 8259) with the content type application/json.',
).refusal;

const FRAMEWORK_REFUSALS: Readonly<Record<string, Refusal>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: NOT_JSON,
  FST_ERR_CTP_EMPTY_JSON_BODY: NOT_JSON,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: refuse(
    'media-type-unsupported',
    'The body must be JSON, with the content type application/json.',
  ).refusal,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: NOT_JSON,
  FST_ERR_CTP_BODY_TOO_LARGE: refuse('body-too-large', 'The body is larger than 256 KiB.').refusal,
  JSON_MEMBER_REPEATED: refuse('json-malformed', 'An object in the body has two members of one name.').refusal,
  JSON_TOO_DEEP: refuse('request-invalid', 'The JSON is nested deeper than 32 levels.', {
    problems: [problem('', 'limit-exceeded', 'The JSON is nested deeper than 32 levels.')],
  }).refusal,
};
