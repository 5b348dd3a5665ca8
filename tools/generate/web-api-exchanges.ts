import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { secp256k1Signer } from '@linkspan/keys';
import { type Connector, readConnector } from '@linkspan/plugin';
import {
  addressOf,
  type CertificateKind,
  type Hash,
  hashOf,
  hashToHex,
  joinShares,
  type Operation,
  operationId,
  type SignedCertificate,
  signCertificates,
  type Terms,
  type Verb,
} from '@linkspan/protocol';
import { startDomesticWeb } from '@stand-in/domestic-web';
import { compactJson } from './compact-json.ts';
import type { Example } from './fill-examples.ts';

/**
 * The HTTP exchanges of the web-api connector with the stand-in of a domestic system, as they went over the wire: each by a name, as request and
 * answer. Bearer tokens are random and shown as `…`; everything else is the same at every run.
 */
export async function webApiExchanges(): Promise<Record<string, Example>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'linkspan-exchanges-'));
  const system = await startDomesticWeb({ ...SYSTEM, dataDir }, { now: () => NOW });
  const wire = await openWire(system.url);
  try {
    const read = await readConnector('rtgs', {
      kind: 'web-api',
      baseUrl: wire.url,
      clientId: 'validator',
      clientSecret: 'secret of the validator',
      assets: [{ id: 'JPY', kind: 'cash' }],
    });
    if (!read.ok) throw new Error(read.refusal.message);
    await using connector = read.value();
    return await converse(connector, wire);
  } finally {
    wire.close();
    await system.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const NOW = Date.parse('2026-11-24T01:00:00Z');
const NETWORK = hashOf('the network of the examples');
const SIGNERS = [1, 2, 3]
  .map((n) => secp256k1Signer(String(n).padStart(64, '0')))
  .toSorted((a, b) => (a.key < b.key ? -1 : 1));
const QUORUM = 2;

const SYSTEM = {
  name: 'rtgs',
  port: 0,
  certificates: {
    network: hashToHex(NETWORK),
    epoch: 1,
    quorum: QUORUM,
    signers: SIGNERS.map(({ key }) => addressOf(key)),
  },
  clients: [{ id: 'validator', secret: 'secret of the validator', roles: ['executor' as const, 'reader' as const] }],
  assets: [{ id: 'JPY', kind: 'cash' as const, digits: 0 }],
  accounts: [
    { id: '0042', name: 'Kita Bank', operators: ['validator'], positions: { JPY: '0' } },
    { id: '9001', name: 'Central Bank of A', operators: ['validator'], positions: { JPY: '1000000' } },
  ],
};

async function converse(connector: Connector, wire: Wire): Promise<Record<string, Example>> {
  const [settled, aborted] = [hashOf('a trade that settles'), hashOf('a trade that does not')];
  const hold = operationOf(settled, 'hold', TERMS);
  const execute = operationOf(settled, 'execute', { ...TERMS, hold: hold.id });
  const tooMuch = operationOf(aborted, 'hold', TERMS);
  const awaited = operationOf(aborted, 'await', AWAITED);
  const named: Record<string, Example> = {};
  const note = (prefix: string, exchanges: readonly Exchange[]): void => {
    for (const { kind, text } of exchanges) named[`${prefix}-${kind}`] ??= { language: 'http', text };
  };
  await connector.submit(hold);
  note('rtgs', wire.take());
  await connector.lookup(hold);
  note('rtgs-hold', wire.take());
  await connector.submit(execute, certify('commit', settled, [hold.id]));
  note('rtgs', wire.take());
  await connector.submit(tooMuch);
  note('rtgs-short', wire.take());
  await connector.fence(tooMuch, 'MONY');
  note('rtgs-short', wire.take());
  await connector.read({ type: 'balances' });
  note('rtgs', wire.take());
  for await (const _ of connector.observe('', {}, AbortSignal.timeout(PATIENCE_MS))) break;
  note('rtgs-feed', wire.take());
  await connector.lookup(awaited);
  note('rtgs-await', wire.take());
  return named;
}

const PATIENCE_MS = 10_000;
const TERMS: Terms = { from: 'rtgs:9001', to: 'rtgs:0042', amount: '1000000', currency: 'JPY' };
const AWAITED: Terms = { filter: 'cash-transfer', trade: '2026-AB-000317', from: 'rtgs:9001', to: 'rtgs:0042' };

function operationOf(settlement: Hash, verb: Verb, terms: Terms): Operation {
  const of = { network: NETWORK, settlement, stage: 'earmark', name: 'lcy', leg: 0, verb, attempt: 1 };
  return { id: operationId(of), network: NETWORK, settlement, system: 'rtgs', verb, terms };
}

function certify(kind: CertificateKind, settlement: Hash, operations: readonly Hash[]): SignedCertificate {
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
  const signed = joinShares(
    SIGNERS.flatMap((signer) => signCertificates(signer, 12, [certificate])),
    QUORUM,
  );
  if (!signed) throw new Error('the organisations signed nothing in common');
  return signed;
}

type Exchange = { readonly kind: string; readonly text: string };

type Wire = { readonly url: string; readonly take: () => readonly Exchange[]; readonly close: () => void };

/** Passes every request on and writes both directions down. */
async function openWire(target: string): Promise<Wire> {
  let seen: Exchange[] = [];
  const server = createServer((request, reply) => {
    void pass(request).then(({ exchange, status, type, body }) => {
      seen.push(exchange);
      reply.writeHead(status, { 'content-type': type }).end(body);
    });
  });
  async function pass(request: IncomingMessage) {
    const { method = 'GET', url = '/' } = request;
    const sent = await text(request);
    const { authorization = '', 'content-type': form } = request.headers;
    const headers = { authorization, ...(form === undefined ? {} : { 'content-type': form }) };
    const answer = await fetch(target + url, { method, headers, ...(sent === '' ? {} : { body: sent }) });
    const body = await answer.text();
    const type = answer.headers.get('content-type') ?? '';
    return { exchange: written({ method, url, headers, sent }, answer, body), status: answer.status, type, body };
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sent: string;
};

function written({ method, url, headers, sent }: Asked, answer: Response, body: string): Exchange {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.replace(/^(Bearer) .*/, '$1 …')}`);
  const type = answer.headers.get('content-type')?.split(';')[0];
  const whole = [
    `${method} ${url}`,
    ...lines,
    ...(sent === '' ? [] : ['', pretty(sent)]),
    '',
    `HTTP ${answer.status}`,
    ...(type === undefined ? [] : [`content-type: ${type}`]),
    '',
    pretty(body),
  ].join('\n');
  return { kind: kindOf(method, url), text: whole.replaceAll(/("access_token": )"[^"]*"/g, '$1"…"') };
}

/** What an exchange is called: its last word, without ids. */
function kindOf(method: string, url: string): string {
  const words = url
    .replace(/\?.*/, '')
    .split('/')
    .filter((word) => word !== '' && !word.startsWith('0x'));
  return `${method === 'GET' ? 'get' : 'post'}-${words.at(-1) ?? ''}`;
}

function pretty(text: string): string {
  try {
    return compactJson(JSON.parse(text));
  } catch {
    return text;
  }
}
