import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { SignedCertificate } from './certificate.ts';
import type { DomesticWebConfig } from './config.ts';
import { startDomesticWeb } from './domestic-web.ts';
import type { DomesticWeb, DomesticWebOptions } from './domestic-web.ts';
import { hexOf, keccak } from './keccak.ts';
import { leafHash, nodeHash } from './merkle.ts';
import { reconcile } from './reconcile.ts';
import { certificateHash, epochDigest, rootDigest } from './typed-data.ts';
import type { Certificate, Epoch } from './typed-data.ts';

export type Signer = { address: string; sign: (digest: Uint8Array) => string };

/** What a test may look at of an answer; every value is checked before it is used. */
export type Reply = { status: number; body: Record<string, unknown>; headers: Headers };

export const NETWORK = id('network');
export const ISIN = 'XS0000000009';

/** Five keys in ascending order of their addresses; the first three are the members of epoch 1. */
export const SIGNERS: readonly Signer[] = Array.from({ length: 5 }, (_, index) => signer(`signer ${index}`)).toSorted(
  (one, other) => (one.address < other.address ? -1 : 1),
);
export const MEMBERS = SIGNERS.slice(0, 3);
export const STRANGERS = SIGNERS.slice(3);

/** An id that is the same for the same words. */
export function id(words: string): string {
  return hexOf(keccak(Buffer.from(words)));
}

export function configFor(dataDir: string, changes: Partial<DomesticWebConfig> = {}): DomesticWebConfig {
  return {
    name: 'rtgs',
    port: 0,
    dataDir,
    certificates: { network: NETWORK, epoch: 1, quorum: 2, signers: MEMBERS.map((each) => each.address) },
    clients: [
      { id: 'executor', secret: 'executor secret', roles: ['executor'] },
      { id: 'second', secret: 'second secret', roles: ['executor'] },
      { id: 'reader', secret: 'reader secret', roles: ['reader'] },
      { id: 'kita', secret: 'kita secret', roles: ['participant'] },
      { id: 'minami', secret: 'minami secret', roles: ['participant'] },
    ],
    assets: [
      { id: 'JPY', kind: 'cash', digits: 0 },
      { id: ISIN, kind: 'securities', digits: 0 },
    ],
    accounts: [
      { id: '0042', name: 'Kita Bank', operators: ['executor', 'kita'], positions: { JPY: '1000', [ISIN]: '500' } },
      { id: '0099', name: 'Minami Bank', operators: ['executor', 'minami'], positions: { JPY: '50' } },
      { id: '9001', name: 'Central Bank', operators: [], positions: { JPY: '7' } },
    ],
    ...changes,
  };
}

/** A server of its own for one test; afterwards its books are recomputed and its data removed. */
export async function startFor(
  test: TestContext,
  changes: Partial<DomesticWebConfig> = {},
  options: DomesticWebOptions = {},
): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'domestic-web-'));
  let config = configFor(dataDir, changes);
  const start = () => startDomesticWeb(config, { onFault: unexpectedFault, ...options });
  let web: DomesticWeb = await start();
  // One hook, because hooks run in the order in which they were added.
  test.after(async () => {
    await web.close();
    assertBalanced(dataDir);
    rmSync(dataDir, { recursive: true });
  });
  return {
    url: web.url,
    dataDir,
    config,
    as: (client) => Api.connect(web.url, config, client),
    close: () => web.close(),
    restart: async (later = {}) => {
      await web.close();
      config = { ...config, ...later };
      web = await start();
    },
  };
}

export type TestServer = {
  /** Where the first start listens. */
  url: string;
  dataDir: string;
  config: DomesticWebConfig;
  as: (client: string) => Promise<Api>;
  close: () => Promise<void>;
  restart: (later?: Partial<DomesticWebConfig>) => Promise<void>;
};

/** Fails unless a start is refused with such a sentence; what starts all the same is closed. */
export function assertRefused(config: DomesticWebConfig, message: RegExp): Promise<void> {
  const start = async () => (await startDomesticWeb(config)).close();
  return assert.rejects(start, { name: 'StartError', message });
}

export function temporaryDir(test: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'domestic-web-'));
  test.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Fails unless the closed books in a directory agree with themselves. */
export function assertBalanced(dataDir: string): void {
  const database = new DatabaseSync(join(dataDir, 'books.sqlite'), { readBigInts: true });
  try {
    assert.deepEqual(reconcile(database), []);
  } finally {
    database.close();
  }
}

/** One client of a running server. */
export class Api {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  static async connect(url: string, config: DomesticWebConfig, client: string): Promise<Api> {
    const secret = config.clients.find((each) => each.id === client)?.secret ?? '';
    const reply = await askToken(url, client, secret);
    return new Api(url, text(reply.body, 'access_token'));
  }

  get(path: string): Promise<Reply> {
    return this.#send(path, { method: 'GET' });
  }

  post(path: string, body: object): Promise<Reply> {
    return this.#send(path, { method: 'POST', body: JSON.stringify(body) }, { 'content-type': 'application/json' });
  }

  async #send(path: string, init: RequestInit, headers: Record<string, string> = {}): Promise<Reply> {
    const all = { ...headers, authorization: `Bearer ${this.token}` };
    return replyOf(await fetch(`${this.url}${path}`, { ...init, headers: all }));
  }
}

export async function askToken(url: string, client: string, secret: string): Promise<Reply> {
  const pair = `${encodeURIComponent(client)}:${encodeURIComponent(secret)}`;
  const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  return replyOf(await fetch(`${url}/oauth/token`, { method: 'POST', headers: { authorization }, body }));
}

export async function replyOf(response: Response): Promise<Reply> {
  const body: unknown = await response.json();
  return { status: response.status, body: recordOf(body), headers: response.headers };
}

export function recordOf(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value));
  return Object.fromEntries(Object.entries(value));
}

export function listOf(body: Record<string, unknown>, name: string): Record<string, unknown>[] {
  const list = body[name];
  assert.ok(Array.isArray(list));
  return list.map(recordOf);
}

export function text(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  assert.ok(typeof value === 'string', `${name} is no text in ${JSON.stringify(body)}`);
  return value;
}

export function number(body: Record<string, unknown>, name: string): number {
  const value = body[name];
  assert.ok(typeof value === 'number', `${name} is no number in ${JSON.stringify(body)}`);
  return value;
}

/** A problem as the tests compare it. */
export function problem(reply: Reply): [number, unknown, unknown] {
  assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/);
  return [reply.status, reply.body['code'], reply.body['reason']];
}

/** free and held of an account in an asset. */
export async function position(api: Api, account: string, asset = 'JPY'): Promise<{ free: string; held: string }> {
  const { body } = await api.get(`/accounts/${account}`);
  const found = listOf(body, 'positions').find((each) => each['asset'] === asset);
  assert.ok(found !== undefined);
  const { free, held } = { free: text(found, 'free'), held: text(found, 'held') };
  assert.equal(text(found, 'balance'), String(BigInt(free) + BigInt(held)));
  return { free, held };
}

/** A hold of 0042 for 0099 unless it says otherwise. */
export function holdOf(words: string, changes: Record<string, string> = {}) {
  const usual = { id: id(words), settlement: id('settlement'), from: '0042', to: '0099', asset: 'JPY', amount: '100' };
  return { ...usual, ...changes };
}

/** A commit certificate that names the hold `a`, unless it says otherwise. */
export function certificateOf(changes: Partial<Certificate> = {}): Certificate {
  return {
    network: NETWORK,
    settlement: id('settlement'),
    kind: 'commit',
    scenario: id('scenario'),
    head: id('head'),
    count: 7,
    epoch: 1,
    operations: [id('a')],
    ...changes,
  };
}

/** A certificate alone in its block, signed by the first two members. */
export function signed(changes: Partial<Certificate> = {}, by: readonly Signer[] = MEMBERS.slice(0, 2)) {
  const [only] = signedBlock([certificateOf(changes)], by);
  assert.ok(only !== undefined);
  return only;
}

/** All certificates of one block under one set of signatures. */
export function signedBlock(certificates: Certificate[], by: readonly Signer[], block = 12): SignedCertificate[] {
  const leaves = certificates.map((certificate) => leafHash(certificateHash(certificate)));
  const root = treeRoot(leaves);
  return certificates.map((certificate, index) => {
    const digest = rootDigest(certificate.network, certificate.epoch, block, root);
    const path = { index, size: leaves.length, hashes: treePath(leaves, index).map(hexOf) };
    return { certificate, block, path, signatures: by.map((each) => each.sign(digest)) };
  });
}

export function signedEpoch(changes: Partial<Epoch> = {}, by: readonly Signer[] = MEMBERS.slice(0, 2)) {
  const signers = STRANGERS.map((each) => each.address);
  const epoch: Epoch = { network: NETWORK, epoch: 2, quorum: 2, signers, ...changes };
  return { ...epoch, signatures: by.map((each) => each.sign(epochDigest(epoch))) };
}

/** The root of RFC 6962 2.1, by its recursive definition, as an oracle for the iterative check. */
export function treeRoot(leaves: Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return only;
  const split = splitOf(leaves.length);
  return nodeHash(treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

/** The audit path of RFC 6962 2.1.1, by its recursive definition. */
export function treePath(leaves: Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  if (index < split) return [...treePath(left, index), treeRoot(right)];
  return [...treePath(right, index - split), treeRoot(left)];
}

function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

type Curve = {
  publicKeyCreate: (key: Uint8Array, compressed: boolean) => Uint8Array;
  ecdsaSign: (digest: Uint8Array, key: Uint8Array) => { signature: Uint8Array; recid: number };
};

function signer(words: string): Signer {
  const curve: unknown = createRequire(import.meta.url)('secp256k1');
  assert.ok(isCurve(curve));
  const key = keccak(Buffer.from(words));
  const address = hexOf(keccak(curve.publicKeyCreate(key, false).subarray(1)).subarray(12));
  const sign = (digest: Uint8Array) => {
    const { signature, recid } = curve.ecdsaSign(digest, key);
    return hexOf(Buffer.concat([signature, Uint8Array.of(27 + recid)]));
  };
  return { address, sign };
}

function isCurve(value: unknown): value is Curve {
  return typeof value === 'object' && value !== null && 'publicKeyCreate' in value && 'ecdsaSign' in value;
}

function unexpectedFault(fault: unknown): void {
  throw fault;
}
