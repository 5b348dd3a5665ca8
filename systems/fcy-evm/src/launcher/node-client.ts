import { Agent, request } from 'node:http';

import type { RpcReply } from './json-rpc.ts';
import { parseRpcReply } from './json-rpc.ts';

/** Speaks to the chain node on loopback over kept connections. */
export type NodeClient = {
  /** Sends one JSON-RPC body as it is and returns the reply's body as it is; throws when no answer came. */
  forward(body: string): Promise<string>;
  /** Calls one method. A refusal by the node is a value; no answer is a thrown Error. */
  call(method: string, params: readonly unknown[]): Promise<RpcReply>;
  /** Calls one method that must succeed: a refusal is thrown, too. */
  demand(method: string, params: readonly unknown[]): Promise<unknown>;
  close(): void;
};

const answerWithinMs = 60_000;
const maxConnections = 32;

export function nodeClient(port: number): NodeClient {
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections });

  function forward(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const call = request({
        host: '127.0.0.1',
        port,
        method: 'POST',
        agent,
        headers,
        timeout: answerWithinMs,
      });
      call.on('timeout', () => call.destroy(new Error(`The chain node did not answer within ${answerWithinMs} ms.`)));
      call.on('error', reject);
      call.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      });
      call.end(body);
    });
  }

  async function call(method: string, params: readonly unknown[]): Promise<RpcReply> {
    return parseRpcReply(JSON.parse(await forward(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))));
  }

  async function demand(method: string, params: readonly unknown[]): Promise<unknown> {
    const reply = await call(method, params);
    if (!reply.ok) throw new Error(`The chain node refused ${method}: ${reply.error.message}`);
    return reply.result;
  }

  return { forward, call, demand, close: () => agent.destroy() };
}
