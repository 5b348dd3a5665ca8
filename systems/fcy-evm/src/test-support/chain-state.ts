import assert from 'node:assert/strict';
import type { Address, Hex } from 'viem';
import { encodeFunctionData } from 'viem';
import type { HDAccount } from 'viem/accounts';

import { tokenAbi } from '../compiled/token-abi.ts';
import { isObject } from '../launcher/json-rpc.ts';
import { post, rpcResult } from './rpc.ts';

/** The hashes of all blocks, by height. */
export async function blockHashes(url: string): Promise<string[]> {
  const height = Number(await rpcResult(url, 'eth_blockNumber', []));
  const hashes = [];
  for (let block = 0; block <= height; block++) {
    const header = await rpcResult(url, 'eth_getBlockByNumber', [`0x${block.toString(16)}`, false]);
    assert.ok(isObject(header) && typeof header.hash === 'string');
    hashes.push(header.hash);
  }
  return hashes;
}

export async function balanceOf(url: string, token: string, account: Address): Promise<bigint> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'balanceOf', args: [account] });
  const answer = await rpcResult(url, 'eth_call', [{ to: token, data }, 'latest']);
  assert.ok(typeof answer === 'string');
  return BigInt(answer);
}

/** Signed transfers of one minor unit each, with nonces from `firstNonce` on. */
export function signTransfers(
  signer: HDAccount,
  token: Hex,
  to: Address,
  firstNonce: number,
  count: number,
): Promise<Hex[]> {
  const data = encodeFunctionData({ abi: tokenAbi, functionName: 'transfer', args: [to, 1n] });
  const fees = { type: 'legacy', gas: 100_000n, gasPrice: 0n, chainId: 31_337 } as const;
  const nonces = Array.from({ length: count }, (_, index) => firstNonce + index);
  return Promise.all(nonces.map((nonce) => signer.signTransaction({ ...fees, to: token, nonce, data })));
}

/** Sends raw transactions in one JSON-RPC batch and returns what is said to each: a hash, or an error's message. */
export async function sendBatch(url: string, transactions: readonly Hex[]): Promise<string[]> {
  const calls = transactions.map((raw, id) => ({
    jsonrpc: '2.0',
    id,
    method: 'eth_sendRawTransaction',
    params: [raw],
  }));
  const replies = await post(url, JSON.stringify(calls));
  assert.ok(Array.isArray(replies));
  return replies.map((reply: unknown) => {
    assert.ok(isObject(reply));
    if (typeof reply.result === 'string') return reply.result;
    assert.ok(isObject(reply.error) && typeof reply.error.message === 'string');
    return reply.error.message;
  });
}
