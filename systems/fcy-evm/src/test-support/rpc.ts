import { setTimeout as delay } from 'node:timers/promises';

import type { RpcReply } from '../launcher/json-rpc.ts';
import { isObject, parseRpcReply } from '../launcher/json-rpc.ts';

const receiptWithinMs = 10_000;
const pollEveryMs = 5;

/** Posts any body and returns the parsed answer. */
export async function post(url: string, body: string): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return response.json();
}

export async function rpc(url: string, method: string, params: readonly unknown[]): Promise<RpcReply> {
  return parseRpcReply(await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
}

export async function rpcResult(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const reply = await rpc(url, method, params);
  if (!reply.ok) throw new Error(`${method}: ${reply.error.message}`);
  return reply.result;
}

export async function waitForReceipt(url: string, hash: unknown): Promise<Record<string, unknown>> {
  const deadline = performance.now() + receiptWithinMs;
  while (performance.now() < deadline) {
    const receipt = await rpcResult(url, 'eth_getTransactionReceipt', [hash]);
    if (isObject(receipt)) return receipt;
    await delay(pollEveryMs);
  }
  throw new Error(`There is no receipt of ${String(hash)} after ${receiptWithinMs} ms.`);
}
