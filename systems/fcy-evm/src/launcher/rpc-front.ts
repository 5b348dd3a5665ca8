import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

import type { RpcReply, RpcRequest } from './json-rpc.ts';
import { parseRpcRequest, printRpcReply, rpcErrorCodes, rpcFailure } from './json-rpc.ts';
import type { Miner } from './miner.ts';
import type { NodeClient } from './node-client.ts';
import { messageOf, StartError } from './start-error.ts';

/**
 * The methods that strangers may call. It is a list of what is allowed, because the node obeys whoever reaches it: it has
 * unlocked accounts, and whatever enters it beside the journal would be lost, and would break the replay, at the next kill.
 */
const servedMethods = new Set([
  'eth_accounts',
  'eth_blobBaseFee',
  'eth_blockNumber',
  'eth_call',
  'eth_chainId',
  'eth_createAccessList',
  'eth_estimateGas',
  'eth_feeHistory',
  'eth_gasPrice',
  'eth_getBalance',
  'eth_getBlockByHash',
  'eth_getBlockByNumber',
  'eth_getBlockReceipts',
  'eth_getBlockTransactionCountByHash',
  'eth_getBlockTransactionCountByNumber',
  'eth_getCode',
  'eth_getFilterChanges',
  'eth_getFilterLogs',
  'eth_getLogs',
  'eth_getProof',
  'eth_getRawTransactionByHash',
  'eth_getStorageAt',
  'eth_getTransactionByBlockHashAndIndex',
  'eth_getTransactionByBlockNumberAndIndex',
  'eth_getTransactionByHash',
  'eth_getTransactionCount',
  'eth_getTransactionReceipt',
  'eth_maxPriorityFeePerGas',
  'eth_newBlockFilter',
  'eth_newFilter',
  'eth_newPendingTransactionFilter',
  'eth_syncing',
  'eth_uninstallFilter',
  'net_listening',
  'net_version',
  'txpool_content',
  'txpool_inspect',
  'txpool_status',
  'web3_clientVersion',
  'web3_sha3',
]);

const maxBodyBytes = 4 * 1024 * 1024;
const maxBatch = 1000;
const maxTransactionHexDigits = 2 * 128 * 1024;

/**
 * Serves JSON-RPC 2.0 over HTTP on loopback, batches too: `eth_sendRawTransaction` goes to the miner, reads go to the
 * node as they are, everything else is refused. `documents` are read by GET, each under its path. Throws a StartError
 * when the port is taken; port 0 takes a free one.
 */
export async function openRpcFront(
  port: number,
  { node, miner, documents }: { node: NodeClient; miner: Miner; documents: ReadonlyMap<string, FrontDocument> },
): Promise<RpcFront> {
  const server = createServer((request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') return sendDocument(request, response, documents);
    answerHttp(request, response, node, miner).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  const boundPort = await listen(server, port);

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  return { url: `http://127.0.0.1:${boundPort}`, close };
}

/** Something to read, as it is sent. */
export type FrontDocument = { type: string; body: string };

export type RpcFront = { url: string; close(): Promise<void> };

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is already in use' : `cannot be opened: ${error.message}`;
      reject(new StartError(`Port ${port} on 127.0.0.1 ${why}.`, error));
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no port.'));
      else resolve(address.port);
    });
  });
}

function sendDocument(
  request: IncomingMessage,
  response: ServerResponse,
  documents: ReadonlyMap<string, FrontDocument>,
): void {
  const [path = ''] = (request.url ?? '').split('?');
  const document = documents.get(path);
  if (document === undefined) return void response.writeHead(404).end();
  const { type, body } = document;
  response.writeHead(200, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'content-security-policy': pagePolicy,
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

async function answerHttp(
  request: IncomingMessage,
  response: ServerResponse,
  node: NodeClient,
  miner: Miner,
): Promise<void> {
  if (request.method !== 'POST') return void response.writeHead(405, { allow: 'GET, HEAD, POST' }).end();
  const body = await readBody(request);
  if (body === undefined) return void response.writeHead(413, { connection: 'close' }).end();
  const reply = await answerBody(body, node, miner);
  response.writeHead(200, { 'content-type': 'application/json' }).end(reply);
}

/** Undefined when the body is longer than is taken. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new Error('The request body is not binary.');
    length += chunk.length;
    if (length > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function answerBody(body: string, node: NodeClient, miner: Miner): Promise<string> {
  const parsed = parseJson(body);
  if (parsed === undefined) return printRpcReply(null, rpcFailure(rpcErrorCodes.parse, 'The body is not JSON.'));
  if (!Array.isArray(parsed.value)) return answerOne(parsed.value, node, miner);
  const { value: calls } = parsed;
  if (calls.length === 0 || calls.length > maxBatch) {
    const message = `A batch has 1 to ${maxBatch} calls.`;
    return printRpcReply(null, rpcFailure(rpcErrorCodes.invalidRequest, message));
  }
  // Started in order, so that transactions of one batch reach the miner in the order in which they were written.
  const replies = await Promise.all(calls.map((call) => answerOne(call, node, miner)));
  return `[${replies.join(',')}]`;
}

function parseJson(body: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

async function answerOne(value: unknown, node: NodeClient, miner: Miner): Promise<string> {
  const request = parseRpcRequest(value);
  if (request === undefined) {
    return printRpcReply(null, rpcFailure(rpcErrorCodes.invalidRequest, 'This is not a JSON-RPC 2.0 request.'));
  }
  if (request.method === 'eth_sendRawTransaction') {
    return printRpcReply(request.id, await submitTransaction(request.params, miner));
  }
  if (!servedMethods.has(request.method)) {
    const message = `The method ${request.method} is not served here.`;
    return printRpcReply(request.id, rpcFailure(rpcErrorCodes.methodNotFound, message));
  }
  return forward(request, node);
}

async function submitTransaction(params: unknown, miner: Miner): Promise<RpcReply> {
  const raw: unknown = Array.isArray(params) && params.length === 1 ? params[0] : undefined;
  const isHex = typeof raw === 'string' && /^0x(?:[0-9a-fA-F]{2})+$/.test(raw);
  if (!isHex || raw.length > maxTransactionHexDigits) {
    return rpcFailure(rpcErrorCodes.invalidParams, 'The parameter is one signed transaction as hex, at most 128 KiB.');
  }
  const [reply] = await miner.submit([raw]);
  if (reply === undefined) throw new Error('The miner answered no transaction.');
  return reply;
}

async function forward({ id, method, params }: RpcRequest, node: NodeClient): Promise<string> {
  try {
    return await node.forward(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  } catch (error) {
    return printRpcReply(id, rpcFailure(rpcErrorCodes.internal, `The node gave no answer: ${messageOf(error)}`));
  }
}
