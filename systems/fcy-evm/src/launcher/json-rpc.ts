/** One request of JSON-RPC 2.0; the id goes back as it came. */
export type RpcRequest = { id: RpcId; method: string; params: unknown };
export type RpcId = string | number | null;
export type RpcError = { code: number; message: string; data?: unknown };
export type RpcReply = { ok: true; result: unknown } | { ok: false; error: RpcError };

/** Error codes of JSON-RPC 2.0, and of EIP-1474 from -32000 on. */
export const rpcErrorCodes = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  limitExceeded: -32005,
} as const;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads one request; undefined when it is none. A notification (no id) counts as none: every call here has an answer. */
export function parseRpcRequest(value: unknown): RpcRequest | undefined {
  if (!isObject(value)) return undefined;
  const { id, method, params } = value;
  if (typeof method !== 'string') return undefined;
  if (typeof id !== 'string' && typeof id !== 'number' && id !== null) return undefined;
  return { id, method, params: params ?? [] };
}

/** Reads one reply; a body that is neither result nor error counts as an internal error. */
export function parseRpcReply(value: unknown): RpcReply {
  if (isObject(value)) {
    if (isObject(value.error)) return { ok: false, error: parseError(value.error) };
    if ('result' in value) return { ok: true, result: value.result };
  }
  return {
    ok: false,
    error: { code: rpcErrorCodes.internal, message: 'The reply is neither a result nor an error.' },
  };
}

export function printRpcReply(id: RpcId, reply: RpcReply): string {
  const outcome = reply.ok ? { result: reply.result } : { error: reply.error };
  return JSON.stringify({ jsonrpc: '2.0', id, ...outcome });
}

export function rpcFailure(code: number, message: string): RpcReply {
  return { ok: false, error: { code, message } };
}

function parseError(error: Record<string, unknown>): RpcError {
  const code = typeof error.code === 'number' ? error.code : rpcErrorCodes.internal;
  const message = typeof error.message === 'string' ? error.message : 'The node gave no message.';
  return 'data' in error ? { code, message, data: error.data } : { code, message };
}
