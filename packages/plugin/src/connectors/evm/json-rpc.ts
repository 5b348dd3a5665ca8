import { Fault, type Live, type TlsCredentials } from '@linkspan/protocol';
import { isObject } from '../../document-reader.ts';
import { noAnswer } from '../../no-answer.ts';
import { createHttpPool } from '../../transport/http-pool.ts';

/** An Ethereum node's JSON-RPC. Calls made in one go travel in one HTTP request. Throws RpcError for a refusal, a Fault for no answer. */
export type JsonRpc = {
  call(method: string, params: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
};

/** The node answered, with an error. `data` holds a revert's encoded error, where there is one. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: string | undefined;

  constructor(code: number, message: string, data: string | undefined) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

const CONNECT_MS = 2_000;
const LARGEST_BATCH = 100;
/** A page of the log of a busy token has a few megabytes; a node that sends more is not read to the end. */
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

export function createJsonRpc(options: {
  readonly url: string;
  readonly system: string;
  readonly timeoutMs: number;
  readonly tls?: Live<TlsCredentials> | undefined;
}): JsonRpc {
  const url = new URL(options.url);
  const pool = createHttpPool({
    origin: url.origin,
    tls: options.tls,
    connectTimeoutMs: CONNECT_MS,
    pool: {
      connections: 16,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      maxResponseSize: LARGEST_ANSWER_BYTES,
    },
  });
  const path = `${url.pathname}${url.search}`;
  // Two lanes, because some nodes answer a transaction only once it is mined, and no read should wait for that.
  const lanes: Record<'reads' | 'writes', Pending[]> = { reads: [], writes: [] };
  let nextId = 1;

  function flush(lane: 'reads' | 'writes'): void {
    const all = lanes[lane];
    lanes[lane] = [];
    for (let i = 0; i < all.length; i += LARGEST_BATCH) void send(all.slice(i, i + LARGEST_BATCH));
  }

  async function send(batch: readonly Pending[]): Promise<void> {
    try {
      const requests = batch.map(({ id, method, params }) => ({ jsonrpc: '2.0', id, method, params }));
      const request = {
        path,
        method: 'POST' as const,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(requests.length === 1 ? requests[0] : requests),
      };
      const wholeMs = CONNECT_MS + 3 * options.timeoutMs;
      const answer = await pool.exchange(request, wholeMs, ({ body }): Promise<unknown> => body.json());
      const answers = new Map(
        (Array.isArray(answer) ? answer : [answer]).filter(isObject).map((one) => [one['id'], one]),
      );
      for (const pending of batch) settle(pending, answers.get(pending.id));
    } catch (error) {
      const fault = noAnswer('system-unavailable', options.system, error);
      for (const pending of batch) pending.reject(fault);
    }
  }

  function settle(pending: Pending, answer: Readonly<Record<string, unknown>> | undefined): void {
    if (answer && isObject(answer['error'])) pending.reject(refusalOf(rpcError(answer['error'])));
    else if (answer && 'result' in answer) pending.resolve(answer['result']);
    else
      pending.reject(
        noAnswer('system-unavailable', options.system, new Error(`${pending.method} was left out of the answer`)),
      );
  }

  function refusalOf(error: RpcError): Error {
    const saysNothing = SAY_NOTHING.has(error.code) && error.data === undefined;
    return saysNothing ? noAnswer('system-unavailable', options.system, error) : error;
  }

  return {
    call(method, params) {
      const lane = method === 'eth_sendRawTransaction' ? 'writes' : 'reads';
      return new Promise((resolve, reject) => {
        if (lanes[lane].length === 0) queueMicrotask(() => flush(lane));
        lanes[lane].push({ id: nextId++, method, params, resolve, reject });
      });
    },
    close: () => pool.close(),
  };
}

/**
 * Internal error (JSON-RPC 2.0) and limit exceeded (EIP-1474): a node in trouble, such as one whose backend just died. That is no refusal of
 * the call, and what was sent may have happened all the same.
 */
const SAY_NOTHING: ReadonlySet<number> = new Set([-32_603, -32_005]);

type Pending = {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
};

function rpcError(error: Readonly<Record<string, unknown>>): RpcError {
  const { code, message, data } = error;
  return new RpcError(
    typeof code === 'number' ? code : -32_000,
    typeof message === 'string' ? message : 'error',
    revertData(data),
  );
}

/** Nodes put the revert's bytes into `data`, or one level below it. */
function revertData(data: unknown): string | undefined {
  if (typeof data === 'string') return /^0x[0-9a-f]*$/i.test(data) ? data : undefined;
  return isObject(data) ? revertData(data['data'] ?? data['result']) : undefined;
}

export type Hex = `0x${string}`;

/** A node that does not speak as nodes do says nothing, and what was asked of it may have happened all the same. */
export function asHex(value: unknown): Hex {
  if (!isHexText(value)) throw unintelligible(value, 'hexadecimal was due');
  return value;
}

export function unintelligible(value: unknown, due: string): Fault {
  const shown = JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
  return new Fault('system-unavailable', `The node answered ${shown} where ${due}.`, { mayHaveHappened: true });
}

export function isHexText(value: unknown): value is Hex {
  return typeof value === 'string' && /^0x[0-9a-f]*$/i.test(value);
}

export function asNumber(value: unknown): number {
  const hex = asHex(value);
  const number = hex === '0x' ? Number.NaN : Number(hex);
  if (!Number.isSafeInteger(number)) throw unintelligible(value, 'a number up to 2^53-1 was due');
  return number;
}

export function toHex(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
