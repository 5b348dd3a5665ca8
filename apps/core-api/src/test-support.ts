import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyCalls, runQuery } from '@linkspan/contract';
import { createVerify, writeKeyFile } from '@linkspan/keys';
import { type EmbeddedLedger, openEmbeddedLedger } from '@linkspan/ledger';
import {
  bytesToHex,
  type DvpInstruction,
  ENDPOINTS,
  parse,
  type Problem,
  type Result,
  SCOPE_NAMES,
  type Scope,
  type SettlementBody,
  sha256,
  type SignedStatement,
  signOne,
  type Statement,
  type Terms,
  utf8ToBytes,
} from '@linkspan/protocol';
import { sampleInstruction, type SampleNetwork, sampleNetwork } from '@linkspan/testkit';
import { pino } from 'pino';
import { DEFAULT_LIMITS } from './client-limits.ts';
import type { CoreApiConfig, OrganisationConfig } from './config.ts';
import { type RunningCoreApi, startCoreApi } from './start-core-api.ts';

/** The sample network served by one process on ports of the system's choice, with everything it writes in a directory of its own. */
export type TestNetwork = AsyncDisposable & {
  readonly sample: SampleNetwork;
  readonly config: CoreApiConfig;
  readonly urls: Readonly<Record<string, string>>;
  /** Stops the process and starts it again on what it wrote. */
  restart(): Promise<void>;
  instruction(tradeId: string, change?: Partial<DvpInstruction>): DvpInstruction;
};

/** The two organisations that lodge the sample instruction. */
export const SIDES = ['central-bank-a', 'csd-b'] as const;

export async function startTestNetwork(
  systems: Readonly<Record<string, OrganisationConfig['systems']>> = {},
  change: Partial<CoreApiConfig> | ((made: CoreApiConfig, directory: string) => Partial<CoreApiConfig>) = {},
  authentication: Readonly<Record<string, OrganisationConfig['authentication']>> = {},
): Promise<TestNetwork> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-core-api-'));
  const made = testConfig(directory, systems);
  const organisations = made.organisations.map((one) => {
    return { ...one, authentication: authentication[one.id] ?? one.authentication };
  });
  const before = { ...made, organisations };
  const config = { ...before, ...(typeof change === 'function' ? change(before, directory) : change) };
  let running = await start(config);
  return {
    sample: sampleNetwork(),
    config,
    get urls() {
      return running.urls;
    },
    async restart() {
      await running[Symbol.asyncDispose]();
      running = await start(config);
    },
    instruction: (tradeId, change = {}) => ({ ...sampleInstruction(tradeId, Date.now()), ...change }),
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A configuration with key files of the sample network's keys; nothing is started. */
export function testConfig(
  directory: string,
  systems: Readonly<Record<string, OrganisationConfig['systems']>> = {},
): CoreApiConfig {
  const sample = sampleNetwork();
  const organisations = Object.keys(sample.organisations).map((id) => {
    const keyFile = join(directory, `${id}.keys.json`);
    writeKeyFile(keyFile, { ed25519: testSecret(`${id} call`), secp256k1: testSecret(`${id} certificate`) });
    const register = sample.plan.calls.flatMap(({ organisation, body }) => (organisation === id ? [body] : []));
    return {
      id,
      listen: { host: '127.0.0.1', port: 0 },
      keyFile,
      journal: join(directory, id, 'journal.db'),
      register,
      systems: systems[id] ?? [],
      authentication: testAuthentication(directory, id),
      certificateFiles: [],
    };
  });
  return {
    mode: 'development',
    network: sample.id,
    genesis: sample.plan.genesis,
    ledger: { kind: 'embedded', directory: join(directory, 'ledger') },
    peers: {},
    organisations,
    limits: DEFAULT_LIMITS,
    logLevel: 'silent',
  };
}

/** The development issuer with the {@link TEST_CLIENTS}. */
export function testAuthentication(directory: string, organisation: string): OrganisationConfig['authentication'] {
  const clients = join(directory, `${organisation}.clients.json`);
  const list = Object.entries(TEST_CLIENTS).map(([id, scopes]) => ({ id, secret: testSecret(id), scopes }));
  writeFileSync(clients, JSON.stringify({ schema: 'clients/1', clients: list }), { mode: 0o600 });
  const keys = join(directory, `${organisation}.issuer.json`);
  return { kind: 'development', audience: `urn:linkspan:${organisation}`, clients, keys };
}

/** Who may ask in tests: people who may do everything, and programs that may do less. */
export const TEST_CLIENTS: Readonly<Record<string, readonly Scope[]>> = {
  operator: SCOPE_NAMES,
  ada: SCOPE_NAMES,
  bo: SCOPE_NAMES,
  mary: SCOPE_NAMES,
  auditor: ['settlements:read', 'evidence:read', 'balances:read', 'register:read'],
  monitor: ['monitor'],
};

function start(config: CoreApiConfig): Promise<RunningCoreApi> {
  const onBroken = (error: Error): void => queueMicrotask(() => assert.fail(error));
  return startCoreApi(config, { log: pino({ level: 'silent' }), now: Date.now, onBroken });
}

/** The embedded ledger with the sample network on it, and nothing else. */
export async function openTestLedger(): Promise<EmbeddedLedger & { readonly sample: SampleNetwork }> {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-core-api-'));
  const sample = sampleNetwork();
  const verify = createVerify({ memoize: 1000 });
  const ledger = await openEmbeddedLedger({ directory, contract: { applyCalls, runQuery }, verify, now: Date.now });
  for (const result of await ledger.submit(sample.setUp())) valid(result);
  return {
    sample,
    submit: (calls) => ledger.submit(calls),
    evaluate: (type, args) => ledger.evaluate(type, args),
    events: (from, signal) => ledger.events(from, signal),
    height: () => ledger.height(),
    archive: ledger.archive,
    blocks: (from, limit) => ledger.blocks(from, limit),
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true });
    },
  };
}

/** The secrets behind the sample network's keys, and those of test clients. */
export function testSecret(name: string): string {
  return bytesToHex(sha256(utf8ToBytes(`linkspan test key ${name}`)));
}

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

/** As a test client, the operator where none is named; null for nobody. */
export async function get(url: string, path: string, client: string | null = 'operator'): Promise<Answer> {
  return answerOf(await fetch(url + path, { headers: await authorization(url, client) }));
}

/** The header by which a test client asks an API. */
export async function authorization(url: string, client: string | null = 'operator'): Promise<Record<string, string>> {
  return client === null ? {} : { authorization: `Bearer ${await accessToken(url, client)}` };
}

const tokens = new Map<string, Promise<string>>();

/** An access token of an API's own issuer for a test client, asked for once. */
export function accessToken(url: string, client: string): Promise<string> {
  const name = `${url} ${client}`;
  const token = tokens.get(name) ?? askToken(url, client);
  tokens.set(name, token);
  return token;
}

async function askToken(url: string, client: string): Promise<string> {
  const credentials = Buffer.from(`${client}:${testSecret(client)}`).toString('base64');
  const headers = { authorization: `Basic ${credentials}` };
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  const answer: unknown = await (await fetch(`${url}/oauth/token`, { method: 'POST', headers, body })).json();
  assert.ok(isObject(answer) && typeof answer['access_token'] === 'string', JSON.stringify(answer));
  return answer['access_token'];
}

/** Without a body nothing says that there is one. */
export async function post(
  url: string,
  path: string,
  body: string | undefined,
  headers: Readonly<Record<string, string>> = {},
  client: string | null = 'operator',
): Promise<Answer> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const all = { ...(await authorization(url, client)), ...type, ...headers };
  return answerOf(await fetch(url + path, { method: 'POST', body: body ?? null, headers: all }));
}

export function lodge(url: string, instruction: unknown, key: string): Promise<Answer> {
  return post(url, '/instructions', JSON.stringify(instruction), { 'idempotency-key': key });
}

/** Lodges both sides' equal copies and gives the settlement, which has begun by then. */
export async function lodgeBoth(network: TestNetwork, instruction: DvpInstruction): Promise<SettlementBody> {
  for (const side of SIDES)
    assert.equal((await lodge(network.urls[side] ?? '', instruction, `${instruction.tradeId} ${side}`)).status, 202);
  return showSettlement(network, instruction.tradeId);
}

export async function showSettlement(network: TestNetwork, id: string): Promise<SettlementBody> {
  const { status, body } = await get(network.urls['csd-b'] ?? '', `/settlements/${encodeURIComponent(id)}`);
  assert.equal(status, 200, JSON.stringify(body));
  return valid(parse(ENDPOINTS.settlement.answer, body, 'internal'));
}

/** Says, as the validators of every system, that all requested operations took effect, and waits until the ledger shows it. */
export async function performAll(network: TestNetwork, id: string): Promise<SettlementBody> {
  const before = await showSettlement(network, id);
  const requested = before.operations.filter(({ status }) => status === 'requested');
  await sendStatements(
    network,
    before,
    requested.map((operation) => stateEffective(network, before, operation)),
  );
  return until(
    () => showSettlement(network, id),
    (after) => after.phase !== before.phase,
  );
}

/** Says, as the validators of its system, that one requested operation took effect, and waits until the ledger shows it. Other terms make it irregular. */
export async function perform(
  network: TestNetwork,
  id: string,
  name: string,
  otherTerms: Terms = {},
): Promise<SettlementBody> {
  const before = await showSettlement(network, id);
  const operation = before.operations.find((each) => each.name === name && each.status === 'requested');
  assert.ok(operation);
  await sendStatements(network, before, [stateEffective(network, before, operation, otherTerms)]);
  return until(
    () => showSettlement(network, id),
    (after) => after.operations.some((each) => each.id === operation.id && each.status !== 'requested'),
  );
}

async function sendStatements(
  network: TestNetwork,
  { proposal }: SettlementBody,
  statements: readonly SignedStatement[],
): Promise<void> {
  const driver = network.urls['central-bank-b'] ?? '';
  const sent = await post(driver, '/organisations/statements', JSON.stringify({ proposal, statements }));
  assert.equal(sent.status, 202, JSON.stringify(sent.body));
}

function stateEffective(
  { sample }: TestNetwork,
  settlement: SettlementBody,
  operation: SettlementBody['operations'][number],
  otherTerms: Terms = {},
): SignedStatement {
  const statement: Statement = {
    schema: 'statement/1',
    network: sample.id,
    settlement: settlement.id,
    operation: operation.id,
    system: operation.system,
    status: 'effective',
    terms: { ...operation.terms, ...otherTerms },
    reason: '',
    transaction: 'test',
  };
  return {
    statement,
    signatures: (sample.validators[operation.system] ?? []).map((signer) => signOne(signer, statement)),
  };
}

export type StreamedEvent = { readonly id: string; readonly event: string; readonly data: unknown };

/** Reads so many server-sent events, or all until the stream ends; `once` runs when the stream is open. */
export async function readEvents(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  count: number,
  once: () => Promise<unknown> = async () => undefined,
): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  if (count === 0) return events;
  const ended = new AbortController();
  const response = await fetch(url + path, {
    headers: { ...(await authorization(url)), ...headers },
    signal: AbortSignal.any([ended.signal, AbortSignal.timeout(10_000)]),
  });
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.ok(response.body);
  const after = once();
  let rest = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    events.push(...blocks.flatMap(parseEvent));
    if (events.length >= count) break;
  }
  ended.abort();
  await after;
  return events;
}

function parseEvent(block: string): StreamedEvent[] {
  const lines = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  );
  const [id, event, data] = [lines.get('id'), lines.get('event'), lines.get('data')];
  return id !== undefined && event !== undefined && data !== undefined ? [{ id, event, data: JSON.parse(data) }] : [];
}

/** Asks again until the answer is as wanted; fails after ten seconds. */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    assert.ok(Date.now() < deadline, `it never became so: ${JSON.stringify(answer)}`);
  }
}

export function valid<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : result.refusal.message);
  return result.value;
}

/** The problem document of an answer, which must be one in form. */
export function problemOf({ status, headers, body }: Answer): {
  code: string;
  detail: string;
  problems: readonly Problem[];
} {
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.ok(isObject(body));
  const { code, detail, title, type, problems = [] } = body;
  assert.equal(body['status'], status);
  assert.ok(
    typeof code === 'string' && typeof detail === 'string' && typeof title === 'string' && typeof type === 'string',
  );
  assert.doesNotMatch(JSON.stringify(body), /node_modules|\.ts:/, 'no stack trace leaves the process');
  assert.ok(Array.isArray(problems));
  return { code, detail, problems };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, body };
}
