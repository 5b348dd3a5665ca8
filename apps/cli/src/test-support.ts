import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFile } from '@linkspan/keys';
import {
  bytesToHex,
  type DvpInstruction,
  ENDPOINTS,
  parse,
  SCOPE_NAMES,
  type SettlementBody,
  sha256,
  signOne,
  type Statement,
  utf8ToBytes,
} from '@linkspan/protocol';
import { sampleInstruction, sampleNetwork } from '@linkspan/testkit';
import { createTokenSource } from './access-token.ts';
import { isObject, type Outcome } from './failure.ts';
import { run } from './run.ts';
import type { Terminal } from './terminal.ts';

/** A real CoreAPI process with the sample network, and a folder with its profile in which the command line is called. */
export type TestApi = AsyncDisposable & {
  readonly folder: string;
  readonly urls: Readonly<Record<string, string>>;
  /** Writes an instruction file into the folder and gives its name. */
  write(name: string, content: object | string): string;
  instruction(tradeId: string): DvpInstruction;
  /** Says, as all validators, what became of every requested operation that is named, `odd` with other terms, until the ledger shows it. */
  state(tradeId: string, names: readonly string[], odd?: 'odd'): Promise<void>;
};

export async function startTestApi(): Promise<TestApi> {
  const folder = mkdtempSync(join(tmpdir(), 'linkspan-cli-'));
  writeNetwork(folder);
  const main = new URL('../../core-api/src/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [main, '--config', join(folder, 'core.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const urls = await readyUrls(child.stdout);
  const organisations = Object.fromEntries(
    Object.entries(urls).map(([id, api]) => [id, { name: `The ${id}`, api, access: accessTo(api) }]),
  );
  mkdirSync(join(folder, 'var'));
  for (const client of CLIENTS)
    writeFileSync(join(folder, 'var', `${client}.secret`), `${secret(client)}\n`, { mode: 0o600 });
  const profile = { network: sampleNetwork().id, default: 'central-bank-a', organisations };
  writeFileSync(join(folder, 'var', 'profile.json'), JSON.stringify(profile));
  return {
    folder,
    urls,
    write(name, content) {
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
      return name;
    },
    instruction: (tradeId) => sampleInstruction(tradeId, Date.now()),
    state: (tradeId, names, odd) => stateOutcomes(urls['central-bank-b'] ?? '', tradeId, names, odd === 'odd'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}

/** What a call of the command line left behind. */
export type Called = { readonly exit: number; readonly out: string; readonly error: string };

/** Calls the command line in a folder, in this process. */
export async function call(
  folder: string,
  args: readonly string[],
  more: Partial<Terminal> & {
    readonly stdin?: string;
    readonly env?: Record<string, string>;
    readonly interrupted?: AbortSignal;
    /** Told of every line at once. */
    readonly onLine?: (where: 'out' | 'error', line: string) => void;
  } = {},
): Promise<Called> {
  const out: string[] = [];
  const error: string[] = [];
  const { columns = Infinity, colours = false, stdin = '', env = {}, live, progress } = more;
  const { interrupted = new AbortController().signal, onLine = () => undefined } = more;
  const take = (where: 'out' | 'error', lines: string[]) => (line: string) => {
    lines.push(line);
    onLine(where, line);
  };
  const exit = await run(args, {
    env,
    folder,
    terminal: {
      out: take('out', out),
      error: take('error', error),
      columns,
      colours,
      live,
      progress,
    },
    readFile,
    readStandardInput: () => stdin,
    newKey: () => 'made-up-key',
    untilInterrupted: () => interrupted,
  });
  return { exit, out: out.join('\n'), error: error.join('\n') };
}

async function stateOutcomes(api: string, tradeId: string, names: readonly string[], odd: boolean): Promise<void> {
  const { validators } = sampleNetwork();
  const token = createTokenSource({
    clientId: 'operator',
    secret: () => ({ ok: true, value: secret('operator') }),
    tokenEndpoint: `${api}/oauth/token`,
  });
  const show = async (): Promise<SettlementBody> => {
    const headers = { authorization: `Bearer ${await token.token().then(valueOf)}` };
    const body: unknown = await (await fetch(`${api}/settlements/${encodeURIComponent(tradeId)}`, { headers })).json();
    const parsed = parse(ENDPOINTS.settlement.answer, body, 'internal');
    assert.ok(parsed.ok, JSON.stringify(body));
    return parsed.value;
  };
  const { network } = JSON.parse(await (await fetch(`${api}/healthz`)).text());
  const before = await show();
  const statements = before.operations
    .filter(({ name }) => names.includes(name))
    .map(({ id, system, terms }) => {
      const statement: Statement = {
        schema: 'statement/1',
        network,
        settlement: before.id,
        operation: id,
        system,
        status: 'effective',
        terms: odd ? { ...terms, amount: '1' } : terms,
        reason: '',
        transaction: 'test',
      };
      return { statement, signatures: (validators[system] ?? []).map((signer) => signOne(signer, statement)) };
    });
  const sent = await fetch(`${api}/organisations/statements`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ proposal: before.proposal, statements }),
  });
  assert.equal(sent.status, 202);
  const deadline = Date.now() + 10_000;
  for (
    let now = before;
    now.operations.some(({ name, status }) => names.includes(name) && status === 'requested');
    now = await show()
  )
    assert.ok(Date.now() < deadline, 'the statements were never recorded');
}

function valueOf<T>(outcome: Outcome<T>): T {
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.value;
}

/** People who may do everything, and a program that may only look. */
const CLIENTS = ['operator', 'ada', 'bo', 'mary', 'auditor'] as const;

function accessTo(api: string): object {
  const clients = CLIENTS.map((client) => [client, { secretFile: `${client}.secret` }]);
  return { tokenEndpoint: `${api}/oauth/token`, clientId: 'operator', clients: Object.fromEntries(clients) };
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function writeNetwork(folder: string): void {
  const { plan, organisations, validators } = sampleNetwork();
  const systems: Record<string, object[]> = {
    // Nothing listens on port 1: a system that is silent for ever.
    'central-bank-b': [{ id: 'rtgs', validators: [{ key: validators['rtgs']?.[0]?.key, url: 'http://127.0.0.1:1' }] }],
  };
  const members = Object.keys(organisations).map((id) => {
    writeKeyFile(join(folder, `${id}.keys.json`), {
      ed25519: secret(`${id} call`),
      secp256k1: secret(`${id} certificate`),
    });
    const register = plan.calls.flatMap(({ organisation, body }) => (organisation === id ? [body] : []));
    writeFileSync(join(folder, `${id}.register.json`), JSON.stringify(register));
    return {
      id,
      listen: { port: 0 },
      keyFile: `${id}.keys.json`,
      journal: `${id}.journal.db`,
      register: `${id}.register.json`,
      systems: systems[id] ?? [],
      authentication: { kind: 'development', clients: 'clients.json', keys: `${id}.issuer.json` },
    };
  });
  writeFileSync(join(folder, 'genesis.json'), JSON.stringify(plan.genesis));
  const clients = CLIENTS.map((id) => {
    const scopes = id === 'auditor' ? ['settlements:read', 'evidence:read'] : SCOPE_NAMES;
    return { id, secret: secret(id), scopes };
  });
  writeFileSync(join(folder, 'clients.json'), JSON.stringify({ schema: 'clients/1', clients }), { mode: 0o600 });
  const config = {
    mode: 'development',
    network: { genesis: 'genesis.json' },
    ledger: { kind: 'embedded', directory: 'ledger' },
    peers: {},
    organisations: members,
  };
  writeFileSync(join(folder, 'core.json'), JSON.stringify(config));
}

/** The secrets behind the sample network's keys. */
function secret(name: string): string {
  return bytesToHex(sha256(utf8ToBytes(`linkspan test key ${name}`)));
}

async function readyUrls(stdout: NodeJS.ReadableStream): Promise<Record<string, string>> {
  let text = '';
  for await (const chunk of stdout) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  const ready: unknown = JSON.parse(text);
  assert.ok(isObject(ready) && isObject(ready['organisations']));
  return Object.fromEntries(Object.entries(ready['organisations']).map(([id, url]) => [id, String(url)]));
}
