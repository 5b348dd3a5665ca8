import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { secp256k1Signer } from '@linkspan/keys';
import { type Connector, isObject, readConnector } from '@linkspan/plugin';
import { type ConformanceSystem } from '@linkspan/plugin/conformance';
import {
  addressOf,
  certificateForSystems,
  certificateKindNumber,
  type CertificateKey,
  type CertificateKind,
  type Hash,
  hashOf,
  hashToHex,
  joinShares,
  type SignedCertificate,
  signCertificates,
  type Signer,
  type SystemEpoch,
} from '@linkspan/protocol';
import { mnemonicKeys, tokenAbi } from '@stand-in/fcy-evm';
import {
  createPublicClient,
  createWalletClient,
  defineChain,
  encodeFunctionData,
  http,
  stringToHex,
  zeroHash,
} from 'viem';

/** The network whose organisations sign certificates in these tests: three of them, quorum two. */
export const NETWORK: Hash = hashOf({ test: 'network of the connector tests' });
export const QUORUM = 2;
export const ORGANISATIONS: readonly Signer<CertificateKey>[] = [1, 2, 3]
  .map((n) => secp256k1Signer(String(n).padStart(64, '0')))
  .toSorted((a, b) => (a.key < b.key ? -1 : 1));

/** A certificate with so many signatures. A second certificate in its block makes the path to the root longer than nothing. */
export function certify(
  kind: CertificateKind,
  settlement: Hash,
  operations: readonly Hash[],
  signatures: number,
): SignedCertificate {
  const certificate = {
    network: NETWORK,
    settlement,
    kind,
    scenario: hashOf('scenario'),
    head: hashOf('head'),
    count: 3,
    epoch: 1,
    operations,
  };
  const beside = { ...certificate, settlement: hashOf({ beside: settlement }) };
  const shares = ORGANISATIONS.map((signer) => signCertificates(signer, 7, [beside, certificate])[1]).filter(
    (share) => share !== undefined,
  );
  const signed = joinShares(shares, signatures);
  if (!signed) throw new TypeError('the organisations signed nothing in common');
  return signed;
}

/** A program of `systems/` as its own process, on data of its own and always the same address once it has one. */
export type SystemProcess = AsyncDisposable & {
  readonly url: string;
  readonly ready: Readonly<Record<string, unknown>>;
  readonly pid: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Loses all data of the stopped system. */
  forget(): Promise<void>;
};

export async function startSystem(program: string, config: (dataDir: string) => object): Promise<SystemProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'linkspan-system-'));
  const file = join(dir, 'config.json');
  const base = config(join(dir, 'data'));
  let port = 0;
  let running = await run();
  port = Number(new URL(running.url).port);

  async function run(): Promise<{ child: ChildProcess; url: string; ready: Readonly<Record<string, unknown>> }> {
    writeFileSync(file, JSON.stringify({ ...base, port }));
    return startProgram([program, '--config', file]);
  }
  async function kill(): Promise<void> {
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  return {
    get url() {
      return running.url;
    },
    get ready() {
      return running.ready;
    },
    get pid() {
      return running.child.pid ?? 0;
    },
    kill,
    async start() {
      running = await run();
    },
    async forget() {
      await rm(join(dir, 'data'), { recursive: true });
    },
    async [Symbol.asyncDispose]() {
      const { child } = running;
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Starts a program that says in one line of JSON when it is ready, and where. */
export async function startProgram(
  args: readonly string[],
): Promise<{ child: ChildProcess; url: string; ready: Readonly<Record<string, unknown>> }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors: string[] = [];
  child.stderr.on('data', (text) => errors.push(String(text)));
  for await (const line of createInterface({ input: child.stdout })) {
    const ready: unknown = JSON.parse(line);
    if (isObject(ready) && typeof ready['url'] === 'string') return { child, url: ready['url'], ready };
  }
  throw new Error(`${args.join(' ')} ended: ${errors.join('')}`);
}

export const MNEMONIC = 'test test test test test test test test test test test junk';
const CHAIN_ID = 31_337;
const keyAt = mnemonicKeys(MNEMONIC);
const [PAYER, PAYEE, STRANGER] = [keyAt(1), keyAt(2), keyAt(20)];
/** Keys of the validators' executors. */
const EXECUTOR_INDEXES = [10, 11, 12] as const;
export const EXECUTORS = EXECUTOR_INDEXES.map((index) => {
  const account = keyAt(index);
  const key = account.getHdKey().privateKey;
  return { address: account.address, privateKey: `0x${Buffer.from(key ?? []).toString('hex')}` };
});

export type EvmAccounts = { readonly payer: string; readonly payee: string };
export const EVM_ACCOUNTS: EvmAccounts = { payer: PAYER.address.toLowerCase(), payee: PAYEE.address.toLowerCase() };
export const OPENING = 1_000_000n;

/** The EVM stand-in: a USD token, the payer with 10 000.00, two organisations' signatures needed. */
export function startEvm(): Promise<SystemProcess> {
  const executors = EXECUTORS.map(({ address }) => address);
  return startSystem('systems/fcy-evm/src/main.ts', (dataDir) => ({
    dataDir,
    chainId: CHAIN_ID,
    mnemonic: MNEMONIC,
    token: { name: 'US dollar', symbol: 'USD', decimals: 2 },
    certificates: certificatesConfig(),
    executors,
    accounts: [
      { mnemonicIndex: 1, balance: String(OPENING), operators: executors },
      { mnemonicIndex: 2, balance: '500', operators: [] },
    ],
  }));
}

export function evmConnectorConfig(url: string, token: string, executor: number): object {
  const { privateKey } = EXECUTORS[executor] ?? {};
  return {
    kind: 'evm',
    rpcUrl: url,
    token,
    currency: 'USD',
    digits: 2,
    executorPrivateKey: privateKey,
    finality: { confirmations: 0 },
  };
}

export async function openConnector(system: string, config: object): Promise<Connector> {
  const read = await readConnector(system, config);
  if (!read.ok) throw new TypeError(read.refusal.message);
  return read.value();
}

/** Brings a certificate to the token as somebody who is registered nowhere. */
export async function closeOnEvm(
  url: string,
  token: string,
  verb: 'execute' | 'release',
  hold: Hash,
  signed: SignedCertificate,
): Promise<void> {
  const { certificate, block, path, signatures } = certificateForSystems(signed);
  const kind = certificateKindNumber(certificate.kind);
  const tuple = { ...certificate, kind, count: BigInt(certificate.count), epoch: BigInt(certificate.epoch) };
  const [index, size] = [BigInt(path.index), BigInt(path.size)];
  const proof = { block: BigInt(block), index, size, hashes: path.hashes, signatures };
  const args = [zeroHash, hashToHex(hold), tuple, proof] as const;
  await transact(url, token, STRANGER, encodeFunctionData({ abi: tokenAbi, functionName: verb, args }));
}

/** Fences as an executor that no connector of these tests uses. */
export async function fenceOnEvm(url: string, token: string, operation: Hash, reason: string): Promise<void> {
  const args = [hashToHex(operation), stringToHex(reason, { size: 4 })] as const;
  await transact(
    url,
    token,
    keyAt(EXECUTOR_INDEXES[2]),
    encodeFunctionData({ abi: tokenAbi, functionName: 'fence', args }),
  );
}

/** Brings the next epoch as somebody who is registered nowhere. */
export async function installOnEvm(url: string, token: string, next: SystemEpoch): Promise<void> {
  const { epoch, quorum, signers, signatures } = next;
  const args = [BigInt(epoch), BigInt(quorum), signers, signatures] as const;
  await transact(url, token, STRANGER, encodeFunctionData({ abi: tokenAbi, functionName: 'installEpoch', args }));
}

async function transact(
  url: string,
  token: string,
  account: ReturnType<typeof keyAt>,
  data: `0x${string}`,
): Promise<void> {
  const rpcUrls = { default: { http: [url] } };
  const nativeCurrency = { name: 'none', symbol: 'X', decimals: 18 };
  const chain = defineChain({ id: CHAIN_ID, name: 'test', nativeCurrency, rpcUrls });
  const transport = http(url);
  const to: `0x${string}` = `0x${token.slice(2)}`;
  const wallet = createWalletClient({ account, chain, transport });
  const hash = await wallet.sendTransaction({ to, data, gas: 500_000n, gasPrice: 0n });
  const receipt = await createPublicClient({ chain, transport, pollingInterval: 20 }).waitForTransactionReceipt({
    hash,
  });
  if (receipt.status !== 'success') throw new Error('the transaction was reverted');
}

export const ISIN = 'XS0000000009';
export const CLIENTS = ['executor-0', 'executor-1', 'executor-2'] as const;

/** The Web API stand-in with cash and securities. */
export function startWeb(name: string): Promise<SystemProcess> {
  return startSystem('systems/domestic-web/src/main.ts', (dataDir) => ({
    name,
    dataDir,
    certificates: certificatesConfig(),
    clients: [
      ...CLIENTS.map((id) => ({ id, secret: `${id} secret`, roles: ['executor'] })),
      { id: 'stranger', secret: 'stranger secret', roles: ['reader'] },
    ],
    assets: [
      { id: 'JPY', kind: 'cash', digits: 0 },
      { id: ISIN, kind: 'securities', digits: 0 },
    ],
    accounts: [
      {
        id: '0042',
        name: 'Kita Bank',
        operators: [...CLIENTS],
        positions: { JPY: String(OPENING), [ISIN]: String(OPENING) },
      },
      { id: '0099', name: 'Minami Bank', operators: [...CLIENTS], positions: { JPY: '50' } },
    ],
  }));
}

export function webConnectorConfig(url: string, executor: number): object {
  const clientId = CLIENTS[executor] ?? '';
  const assets = [
    { id: 'JPY', kind: 'cash' },
    { id: ISIN, kind: 'securities' },
  ];
  return { kind: 'web-api', baseUrl: url, clientId, clientSecret: `${clientId} secret`, assets };
}

/** Brings a certificate as a client that is no executor. */
export async function closeOnWeb(url: string, verb: string, hold: Hash, signed: SignedCertificate): Promise<void> {
  const { signers: _, ...certificate } = certificateForSystems(signed);
  await postAs(url, 'stranger', `/holds/${hashToHex(hold)}/${verb}`, { certificate });
}

/** Brings the next epoch as a client that is no executor. */
export async function installOnWeb(url: string, next: SystemEpoch): Promise<void> {
  await postAs(url, 'stranger', '/epochs', next);
}

/** Fences as an executor that no connector of these tests uses. */
export async function fenceOnWeb(url: string, operation: Hash, reason: string): Promise<void> {
  await postAs(url, CLIENTS[2], `/operations/${hashToHex(operation)}/fence`, { reason });
}

async function postAs(url: string, client: string, path: string, content: object): Promise<void> {
  const basic = Buffer.from(`${client}:${client} secret`).toString('base64');
  const grant = new URLSearchParams({ grant_type: 'client_credentials' });
  const asked = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: grant,
  });
  const token: unknown = await asked.json();
  const bearer = isObject(token) ? String(token['access_token']) : '';
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(content) });
  if (!response.ok) throw new Error(`${path} was refused: ${await response.text()}`);
}

/** What both kinds of system have in common for the conformance suite. */
export function conformanceOf(
  process: SystemProcess,
  facts: Omit<ConformanceSystem, keyof SystemProcess | 'network' | 'quorum' | 'certify' | 'opening'>,
): ConformanceSystem {
  return {
    ...facts,
    network: NETWORK,
    quorum: QUORUM,
    opening: OPENING,
    certify,
    get url() {
      return process.url;
    },
    kill: () => process.kill(),
    start: () => process.start(),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** What a system is told of the network's signers. */
export function certificatesConfig(): object {
  return {
    network: hashToHex(NETWORK),
    epoch: 1,
    quorum: QUORUM,
    signers: ORGANISATIONS.map(({ key }) => addressOf(key)),
  };
}
