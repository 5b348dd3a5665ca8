import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLiveFiles, createVerify, ed25519Signer, generateEd25519PrivateKey, writeKeyFile } from '@linkspan/keys';
import {
  createVerifier,
  type Outcome,
  type ValidatorEndpoint,
  type Verifier,
  type VerifierOptions,
} from '@linkspan/plugin';
import {
  type ErrorCode,
  Fault,
  type SignedCertificate,
  type Hash,
  hashOf,
  type Operation,
  operationId,
  type Signer,
  type SigningKey,
  type Terms,
  type Verb,
} from '@linkspan/protocol';
import { loadConfig, type RunningValidator, startValidator } from '@linkspan/validator';
import { pino } from 'pino';
import { NETWORK, startWeb, type SystemProcess, webConnectorConfig } from './connector-systems.ts';

/** A validator of a test: its key outlives it, so that it can be stopped and started again on the same address. */
export type TestValidator = AsyncDisposable & {
  readonly signer: Signer<SigningKey>;
  readonly endpoint: ValidatorEndpoint;
  readonly keyFile: string;
  start(): Promise<void>;
  stop(): Promise<void>;
};

export async function createTestValidator(
  system: string,
  connector: object,
  network: Hash = NETWORK,
): Promise<TestValidator> {
  const dir = mkdtempSync(join(tmpdir(), 'linkspan-validator-'));
  const keyFile = join(dir, 'key.json');
  const privateKey = generateEd25519PrivateKey();
  writeKeyFile(keyFile, { ed25519: privateKey });
  const signer = ed25519Signer(privateKey);
  let running: RunningValidator | undefined;
  let port = 0;

  async function start(): Promise<void> {
    const file = JSON.stringify({ mode: 'development', network, system, listen: { port }, keyFile, connector });
    const config = await loadConfig({}, { ...createLiveFiles({ now: Date.now }), text: () => file }, 'validator.json');
    if (!config.ok) throw new TypeError(config.refusal.message);
    running = await startValidator(config.value, pino({ level: 'silent' }));
    port = Number(new URL(running.url).port);
  }
  async function stop(): Promise<void> {
    await running?.[Symbol.asyncDispose]();
    running = undefined;
  }
  await start();
  return {
    signer,
    keyFile,
    get endpoint() {
      return { key: signer.key, url: `http://127.0.0.1:${port}` };
    },
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const SYSTEM = 'rtgs';
export const TERMS = { from: 'rtgs:0042', to: 'rtgs:0099', amount: '3', currency: 'JPY' };

/** A system of cash accounts with three validators, for one test. */
export type Network = {
  readonly system: SystemProcess;
  readonly validators: readonly TestValidator[];
  readonly endpoints: readonly ValidatorEndpoint[];
};

export async function startNetwork(t: TestContext): Promise<Network> {
  const system = await startWeb(SYSTEM);
  const validators = await Promise.all(
    [0, 1, 2].map((n) => createTestValidator(SYSTEM, webConnectorConfig(system.url, n))),
  );
  t.after(async () => {
    for (const validator of validators) await validator[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
  });
  return { system, validators, endpoints: validators.map(({ endpoint }) => endpoint) };
}

/** A bound for what must come about; nothing is measured by it. */
export function limit(): AbortSignal {
  return AbortSignal.timeout(20_000);
}

/** The outcome, which must be an accepted one. */
export async function accepted(outcome: Promise<Outcome>): Promise<Extract<Outcome, { kind: 'accepted' }>> {
  const value = await outcome;
  assert.ok(value.kind === 'accepted', JSON.stringify(value));
  return value;
}

/** The first answer that is not accepted, where all that are asked have to be believed before there is an outcome. */
export async function firstRefusal(
  validators: readonly ValidatorEndpoint[],
  operation: Operation,
  certificate?: SignedCertificate,
): Promise<{ readonly key: SigningKey; readonly code: ErrorCode }> {
  const refused = Promise.withResolvers<{ readonly key: SigningKey; readonly code: ErrorCode }>();
  const onRefusal = (key: SigningKey, _: Operation, { code }: { readonly code: ErrorCode }): void =>
    refused.resolve({ key, code });
  await using verifier = verifierOf(SYSTEM, validators, { onRefusal, threshold: validators.length });
  const enough = new AbortController();
  const given = AbortSignal.any([enough.signal, limit()]);
  const unanswered = assert.rejects(verifier.perform(operation, certificate, given), Fault);
  given.addEventListener('abort', () => refused.reject(new Error('nothing was refused')));
  const first = await refused.promise;
  enough.abort();
  await unanswered;
  return first;
}

export const verify = createVerify({ memoize: 10_000 });

/** Two of three, asked in the order in which they are given. */
export function verifierOf(
  system: string,
  validators: readonly ValidatorEndpoint[],
  more: Partial<VerifierOptions> = {},
): Verifier {
  const order = (_: Operation, count: number): number[] => Array.from({ length: count }, (__, i) => i);
  return createVerifier({ network: NETWORK, system, validators, threshold: 2, verify, order, waitMs: 2_000, ...more });
}

let trades = 0;

export function newOperation(
  system: string,
  verb: Verb,
  terms: Terms,
  settlement: Hash = hashOf({ trade: ++trades, at: process.pid }),
): Operation {
  const id = operationId({ network: NETWORK, settlement, stage: verb, name: 'leg', leg: 0, verb, attempt: 1 });
  return { id, network: NETWORK, settlement, system, verb, terms };
}

/** What a liar makes of a validator's answer: the path that was asked, and the status and body that came. */
export type Lie = (path: string, body: unknown) => unknown;

/** Stands before a real validator and changes what it says, as whoever holds the machine or the network could. With `instead` it answers by itself. */
export async function createLiar(
  target: string,
  lie: Lie,
  instead: Lie = () => undefined,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      const own = instead(request.url ?? '', JSON.parse(body));
      if (own !== undefined)
        return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(own));
      const answer = await fetch(target + (request.url ?? ''), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      const said: unknown = await answer.json();
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.status === 200 ? lie(request.url ?? '', said) : said));
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}
