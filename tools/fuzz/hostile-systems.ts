import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { ed25519Signer } from '@linkspan/keys';
import { type Connector, createValidator, readConnector, type Validator } from '@linkspan/plugin';
import { Fault, hashOf, hashToHex, type Operation, parse, statementSchema, type Verb } from '@linkspan/protocol';
import { tokenAbi } from '@stand-in/fcy-evm';
import { encodeAbiParameters, encodeEventTopics, encodeFunctionResult, zeroHash } from 'viem';
import { Random } from '../torture/random.ts';
import { mutateBytes, mutateValue } from './mutate-json.ts';
import { isRecord, listOf } from './schema-values.ts';

/** A connected system that answers whatever it likes, with a validator in front of it. */
export type HostileSystem = AsyncDisposable & {
  readonly kind: 'web-api' | 'evm';
  readonly validator: Validator;
  readonly connector: Connector;
};

type Answerer = (request: IncomingMessage, random: Random) => Promise<unknown>;

/** What a right system would answer is changed more often than not; how the answer travels is too. */
export async function startHostileSystem(kind: HostileSystem['kind'], seed: string): Promise<HostileSystem> {
  const random = new Random(seed, `hostile ${kind}`);
  const answerer = kind === 'evm' ? nodeAnswer : webAnswer;
  const server = createServer((request, response) => void answer(request, response, random, answerer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = addressOf(server.address());
  const factory = await readConnector('sys', connectorConfig(kind, `http://127.0.0.1:${port}`));
  if (!factory.ok) throw new TypeError(factory.refusal.message);
  const connector = factory.value();
  const signer = ed25519Signer('1'.repeat(64));
  const validator = createValidator({ network: NETWORK, system: 'sys', connector, signer, mostOperations: 100 });
  return {
    kind,
    validator,
    connector,
    async [Symbol.asyncDispose]() {
      await validator[Symbol.asyncDispose]();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const NETWORK = hashOf({ hostile: 'network' });
const SETTLEMENT = hashOf({ hostile: 'settlement' });
const TOKEN = `0x${'a'.repeat(40)}`;
const [FROM, TO] = [`0x${'b'.repeat(40)}`, `0x${'c'.repeat(40)}`] as const;

function connectorConfig(kind: HostileSystem['kind'], url: string): object {
  return kind === 'evm'
    ? {
        kind,
        rpcUrl: url,
        token: TOKEN,
        currency: 'USD',
        digits: 2,
        executorPrivateKey: `0x${'1'.repeat(64)}`,
        finality: { confirmations: 0 },
        stuckMs: 100,
        timeoutMs: 300,
        pollingMs: { busy: 5, idle: 10 },
      }
    : { kind, baseUrl: url, clientId: 'c', clientSecret: 's', assets: [{ id: 'JPY', kind: 'cash' }], timeoutMs: 300 };
}

/**
 * Asks one thing of the validator and says what is wrong with how it ends, or undefined. It may be refused, be a Fault, take its time until `waitMs`,
 * or be a statement that fits its own form.
 */
export async function askHostile(
  { kind, validator }: HostileSystem,
  seed: string,
  number: number,
): Promise<string | undefined> {
  const random = new Random(seed, `ask ${number}`);
  const operation = operationOf(kind, random);
  const waitMs = random.pick([0, 1, 20]);
  const ended = AbortSignal.timeout(40);
  const works: readonly (() => Promise<unknown>)[] = [
    () => validator.submit({ operation, waitMs }),
    () => validator.attest({ operation, waitMs }),
    () => validator.fence({ operation, waitMs, reason: 'TIMO' }),
    () => validator.read({ query: { type: 'balances' }, nonce: 'n' }),
    () => validator.read({ query: { type: 'health' }, nonce: 'n' }),
    async () => {
      for await (const { observation } of validator.observations(
        random.pick(['', '3', '3.0', 'x', '9'.repeat(30), '-1']),
        {},
        ended,
      ))
        void observation;
    },
  ];
  try {
    const result = await within(random.pick(works)(), DEADLINE_MS);
    return isRecord(result) && isRecord(result['value']) && result['value']['status'] === 'final'
      ? unfit(result['value']['statement'])
      : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    return error instanceof Error
      ? `${error.name}: ${error.message.slice(0, 200)} ${error.stack?.split('\n').slice(1, 4).join(' ')}`
      : String(error);
  }
}

const DEADLINE_MS = 15_000;

function unfit(statement: unknown): string | undefined {
  const read = parse(statementSchema, statement, 'request-invalid');
  return read.ok ? undefined : `a signed statement of a wrong form: ${read.refusal.message}`;
}

async function within<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('no end within the deadline')), deadlineMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function operationOf(kind: HostileSystem['kind'], random: Random): Operation {
  const verb = random.pick<Verb>(kind === 'evm' ? ['hold'] : ['hold', 'hold', 'await']);
  const moved =
    kind === 'evm'
      ? { from: `sys:${FROM}`, to: `sys:${TO}`, amount: '1.00', currency: 'USD' }
      : { from: 'sys:1', to: 'sys:2', amount: '3', currency: 'JPY' };
  const awaited = { filter: random.pick(['cash-transfer', 'dvp']), trade: 'T', from: 'sys:1', to: 'sys:2' };
  const closing = random.chance(0.4) && verb === 'hold';
  const hold = hashOf({ hold: random.between(1, 3) });
  return {
    id: hashOf({ operation: random.between(1, 1000) }),
    network: NETWORK,
    settlement: SETTLEMENT,
    system: 'sys',
    verb: closing ? random.pick<Verb>(['execute', 'release']) : verb,
    terms: verb === 'await' ? awaited : { ...moved, ...(closing ? { hold } : {}) },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  random: Random,
  answerer: Answerer,
): Promise<void> {
  response.on('error', () => undefined);
  const right = await answerer(request, random).catch(() => ({}));
  const how = random.between(0, 29);
  if (how === 0) return void request.socket.resetAndDestroy();
  // Nothing at all, so that the asker's patience is tried.
  if (how === 1) return;
  const isToken = request.url === '/oauth/token' && random.chance(0.8);
  const kind = isToken ? 0 : random.between(0, 9);
  const body =
    kind < 4
      ? Buffer.from(JSON.stringify(right))
      : kind < 8
        ? Buffer.from(JSON.stringify(mutateValue(random, right)) ?? '')
        : mutateBytes(random, right);
  response.statusCode = random.chance(isToken ? 0.95 : 0.8)
    ? 200
    : random.pick([201, 202, 204, 301, 400, 401, 404, 409, 418, 422, 429, 500, 503]);
  if (how === 2) response.setHeader('content-length', String(body.length + 10));
  if (how === 3) return flood(response);
  response.setHeader('content-type', random.pick(['application/json', 'text/html', 'application/problem+json']));
  response.end(body, () => how === 2 && request.socket.destroy());
}

/** A body that never ends by itself. */
function flood(response: ServerResponse): void {
  const piece = Buffer.alloc(1_000_000, ' ');
  // Nothing of a body is sent with other statuses, and nothing would hold the writer back.
  response.statusCode = 200;
  const write = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', write);
  write();
}

async function webAnswer({ url = '/' }: IncomingMessage, random: Random): Promise<unknown> {
  if (url.startsWith('/oauth/token'))
    return {
      access_token: 'token',
      token_type: 'Bearer',
      expires_in: random.pick([3600, 3600, 0, -1, 'x', null, 1e308]),
    };
  const id = hashToHex(hashOf({ hold: 1 }));
  const moved = {
    id,
    operation: id,
    from: '1',
    to: '2',
    asset: 'JPY',
    amount: '3',
    settlement: hashToHex(SETTLEMENT),
    booking: '7',
    hold: id,
  };
  const awaited = { filter: 'dvp', trade: 'T', count: 1, cash: { from: '2', to: '1', asset: 'JPY', amount: '5' } };
  if (url.startsWith('/events')) {
    const events = [
      { ...moved, sequence: 5, type: 'hold' },
      { ...moved, sequence: 6, type: 'fence', reason: 'TIMO' },
      { ...moved, ...awaited, sequence: 7, type: 'dvp' },
    ];
    return { events: random.chance(0.5) ? events : [], next: random.pick([7, '7', random.between(1, 1e9)]), newest: 7 };
  }
  if (url.startsWith('/accounts'))
    return { accounts: [{ id: '1', positions: [{ asset: 'JPY', balance: '10', held: '3' }] }] };
  if (url.startsWith('/holds'))
    return {
      ...moved,
      closing: { verb: random.pick(['execute', 'release']), booking: '9' },
      code: 'hold-closed',
      closedBy: 'execute',
      detail: 'closed',
      reason: 'NARR',
    };
  return {
    ...moved,
    ...(url.startsWith('/awaited') ? awaited : {}),
    status: random.pick(['effective', 'dead', 'open']),
    verb: 'hold',
    reason: 'MONY',
    code: 'certificate-missing',
    detail: 'x',
  };
}

async function nodeAnswer(request: IncomingMessage, random: Random): Promise<unknown> {
  const asked: unknown = await json(request);
  const one = (each: unknown): unknown => {
    const { id, method, params } = isRecord(each) ? each : { id: 0, method: '', params: [] };
    if (random.chance(0.1))
      return {
        jsonrpc: '2.0',
        id,
        error: {
          code: random.pick([-32_000, -32_603, 3, 'x']),
          message: random.pick(['nonce too low', 'underpriced', 'already known', 'reverted', '']),
          data: random.pick(['0x', '0x08c379a0', { data: '0x1' }, 7]),
        },
      };
    const right = rpcResult(String(method), listOf(params), random);
    return { jsonrpc: '2.0', id, result: random.chance(0.3) ? mutateValue(random, right) : right };
  };
  return Array.isArray(asked) ? asked.map(one) : one(asked);
}

function rpcResult(method: string, params: readonly unknown[], random: Random): unknown {
  switch (method) {
    case 'eth_blockNumber':
      return `0x${random.pick([16, 17, 18, 2 ** 40]).toString(16)}`;
    case 'eth_chainId':
      return '0x7a69';
    case 'eth_gasPrice':
      return random.pick(['0x1', '0x', `0x${'f'.repeat(64)}`, '0x3b9aca00']);
    case 'eth_getTransactionCount':
      return random.pick(['0x0', '0x1', '0x3', '0x1000000000']);
    case 'eth_sendRawTransaction':
      return zeroHash;
    case 'eth_getTransactionReceipt':
      return random.pick([null, { blockNumber: '0x10', status: random.pick(['0x0', '0x1', 1]) }]);
    case 'eth_getBlockByNumber':
      return { hash: random.chance(0.999) ? zeroHash : `0x${'1'.repeat(64)}` };
    case 'eth_getLogs':
      return random.chance(0.5) ? [] : [heldLog()];
    case 'eth_call':
      return callResult(params, random);
    default:
      return null;
  }
}

function callResult(params: readonly unknown[], random: Random): unknown {
  const [call] = params;
  const data = isRecord(call) ? String(call['data']) : '';
  const [hold, operations] = [
    encodeFunctionResult({ abi: tokenAbi, functionName: 'holds', result: HOLD(random) }),
    encodeFunctionResult({ abi: tokenAbi, functionName: 'operations', result: RECORD(random) }),
  ];
  if (data.length > 74) return '0x';
  return random.pick([hold, operations, hold, operations, `0x${'0'.repeat(64)}`, '0x']);
}

const HOLD = (random: Random) => ({
  from: FROM,
  to: TO,
  amount: random.pick([100n, 2n ** 255n]),
  settlement: hashToHex(SETTLEMENT),
  epoch: 1n,
  heldBlock: 15n,
  status: random.between(0, 4),
  closedBlock: random.pick([0n, 16n, 2n ** 63n]),
});
const RECORD = (random: Random) => ({
  status: random.between(0, 3),
  kind: random.between(0, 4),
  reason: random.pick(['0x54494d4f', '0xffffffff', '0x00000000'] as const),
  blockNumber: random.pick([16n, 2n ** 63n]),
  hold: zeroHash,
});

function heldLog(): unknown {
  const op = hashToHex(hashOf({ operation: 1 }));
  const topics = encodeEventTopics({
    abi: tokenAbi,
    eventName: 'Held',
    args: { op, settlement: hashToHex(SETTLEMENT), from: FROM },
  });
  const data = encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [TO, 100n]);
  return { blockNumber: '0x10', logIndex: '0x0', transactionHash: zeroHash, topics, data };
}

function addressOf(address: string | AddressInfo | null): AddressInfo {
  if (typeof address === 'object' && address !== null) return address;
  throw new TypeError('the server listens on no port');
}
