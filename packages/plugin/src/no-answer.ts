import { Fault } from '@linkspan/protocol';

/**
 * Translates what an HTTP client throws into the one Fault that says whether the request may have arrived. Only a connection that was never made
 * proves that it did not.
 */
export function noAnswer(code: 'system-unavailable' | 'validator-unavailable', who: string, cause: unknown): Fault {
  const why = errorCode(cause) ?? (cause instanceof Error ? cause.message : 'unknown');
  return new Fault(code, `${who} gave no answer (${why}).`, {
    cause,
    mayHaveHappened: !NEVER_SENT.has(errorCode(cause) ?? ''),
  });
}

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  // A host with several addresses gives one error for each; they failed alike.
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return errorCode(error.cause);
}
