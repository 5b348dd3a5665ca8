import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { createVerify, secp256k1Signer } from '@linkspan/keys';
import { type Connector, isObject, type ObservedEvent } from '@linkspan/plugin';
import { connectorConformance, type ConformanceSystem } from '@linkspan/plugin/conformance';
import {
  type CertificateKind,
  Fault,
  type Hash,
  hashOf,
  joinShares,
  type Operation,
  operationId,
  type SignedCertificate,
  signCertificates,
  type Verb,
} from '@linkspan/protocol';
import { MemorySystem } from './memory-system.ts';

const NETWORK = hashOf('network of the memory system');
const OPENING = 1_000_000n;
const ISIN = 'XS0000000009';
const QUORUM = 2;
const ORGANISATIONS = ['1', '2', '3'].map((digit) => secp256k1Signer(digit.padStart(64, '0')));
const CASH = { from: 'rtgs:0042', to: 'rtgs:0099', amount: '7', currency: 'JPY' };

connectorConformance('memory, cash', () =>
  served('rtgs', 'execute', 'MONY', (units) => ({ ...CASH, amount: String(units) })),
);
connectorConformance('memory, securities', () =>
  served('csd', 'deliver', 'LACK', (units) => ({
    from: 'csd:0042',
    to: 'csd:0099',
    isin: ISIN,
    quantity: String(units),
  })),
);

test('a request may be lost, its answer may be lost, it may be refused or come late; lookup knows the truth', async (t) => {
  const system = memorySystem('rtgs');
  const connector = system.connector('one');
  const holds = ['lost', 'unanswered', 'refused', 'late'].map((name) => operation('hold', name, CASH));
  const [lost, unanswered, refused, late] = holds;
  assert.ok(lost && unanswered && refused && late);
  system.onRequest = ({ method, operation: asked }) => {
    if (method !== 'submit') return undefined;
    if (asked?.id === lost.id) return 'lose-request';
    if (asked?.id === unanswered.id) return 'lose-answer';
    return asked?.id === refused.id ? { refuse: 'NARR' } : { arriveAfterMs: 50 };
  };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const hold of [lost, unanswered, late]) {
    await assert.rejects(connector.submit(hold), (error) => error instanceof Fault && error.mayHaveHappened);
  }
  assert.equal((await connector.submit(refused)).status, 'refused');
  assert.deepEqual(
    (await Promise.all(holds.map((hold) => connector.lookup(hold)))).map((seen) => seen?.status),
    [undefined, 'effective', undefined, undefined],
  );
  t.mock.timers.tick(50);
  assert.equal((await connector.lookup(late))?.status, 'effective');
});

test('what is down answers nothing, and a stream goes on when it is back', async () => {
  const system = memorySystem('rtgs');
  const connector = system.connector('one');
  const events = connector.observe('', {}, AbortSignal.timeout(5_000));
  system.down = true;
  await assert.rejects(
    connector.submit(operation('hold', 'one', CASH)),
    (error) => error instanceof Fault && !error.mayHaveHappened,
  );
  const first = events[Symbol.asyncIterator]().next();
  system.down = false;
  system.wake();
  await connector.submit(operation('hold', 'one', CASH));
  const { value } = await first;
  assert.equal(value?.observation.status, 'effective');
});

test('whoever is no executor fences only what an abort or fence certificate names', async () => {
  const system = memorySystem('rtgs');
  const connector = system.connector('one');
  const [named, other] = [operation('hold', 'named', CASH), operation('hold', 'other', CASH)];
  const abort = certify('abort', named.settlement, [named.id], QUORUM);
  assert.notEqual(system.books.fenceAsStranger(other, 'ABRT', abort), undefined);
  assert.notEqual(
    system.books.fenceAsStranger(named, 'ABRT', certify('commit', named.settlement, [named.id], QUORUM)),
    undefined,
  );
  assert.equal(system.books.fenceAsStranger(named, 'ABRT', abort), undefined);
  assert.deepEqual(
    [await connector.lookup(named), await connector.lookup(other)].map((seen) => seen?.reason),
    ['ABRT', undefined],
  );
});

test('the release of a hold that never was fences it', async () => {
  const connector = memorySystem('rtgs').connector('one');
  const hold = operation('hold', 'one', CASH);
  const release = operation('release', 'one', { ...CASH, hold: hold.id });
  const unnamed = await connector.submit(release, certify('abort', hold.settlement, [release.id], QUORUM));
  assert.equal(unnamed.status === 'refused' && unnamed.about, 'certificate');
  const abort = certify('abort', hold.settlement, [hold.id], QUORUM);
  assert.deepEqual(await connector.submit(release, abort), { status: 'sent' });
  assert.deepEqual((await connector.lookup(release))?.terms, { hold: hold.id });
  assert.equal((await connector.submit(hold)).status, 'refused');
});

function memorySystem(system: string): MemorySystem {
  const certificates = { epoch: 1, keys: ORGANISATIONS.map(({ key }) => key), quorum: QUORUM };
  const amounts = { JPY: String(OPENING), [ISIN]: String(OPENING) };
  const balances = { '0042': amounts, '0099': { JPY: '50', [ISIN]: '0' } };
  return new MemorySystem({
    system,
    network: NETWORK,
    certificates,
    verify: createVerify({ memoize: 1_000 }),
    balances,
  });
}

function operation(verb: Verb, name: string, terms: Operation['terms']): Operation {
  const settlement = hashOf('a settlement');
  const id = operationId({ network: NETWORK, settlement, stage: verb, name, leg: 0, verb, attempt: 1 });
  return { id, network: NETWORK, settlement, system: 'rtgs', verb, terms };
}

function certify(
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
  const shares = ORGANISATIONS.flatMap((signer) => signCertificates(signer, 7, [beside, certificate]).slice(1));
  const signed = joinShares(shares, signatures);
  assert.ok(signed);
  return signed;
}

/** The suite cuts connections and kills processes, so the system stands behind a real port here. Its memory is its disk. */
async function served(
  name: string,
  complete: 'execute' | 'deliver',
  shortReason: string,
  terms: ConformanceSystem['terms'],
): Promise<ConformanceSystem> {
  const system = memorySystem(name);
  let server = await listen(system, 0);
  const { url } = server;
  return {
    network: NETWORK,
    system: name,
    url,
    connect: async (at, executor = 0) => remote(at, `executor-${executor}`),
    kill: () => server.close(),
    async start() {
      server = await listen(system, Number(new URL(url).port));
    },
    payer: '0042',
    payee: '0099',
    terms,
    opening: OPENING,
    shortReason,
    complete,
    wrongTerms: [
      { ...terms(1n), from: `${name}:nobody` },
      { ...terms(1n), currency: 'EUR' },
      { ...terms(1n), to: 'elsewhere:0099' },
      {},
    ],
    certify,
    quorum: QUORUM,
    closeAsStranger: async (verb, hold, certificate) =>
      assert.equal(system.books.closeAsStranger(verb, hold, certificate), undefined),
    fenceBlindly: async (id, reason) => void system.books.fenceBlindly(id, reason),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

type Listening = { readonly url: string; close(): Promise<void> };

async function listen(system: MemorySystem, port: number): Promise<Listening> {
  const server = createServer((request, response) => {
    answer(system, request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** What a remote connector asks: the arguments of one method of the port. */
type Asked = {
  readonly method: keyof Connector;
  readonly executor: string;
  readonly operation: Operation;
  readonly certificate?: SignedCertificate;
  readonly reason: string;
  readonly query: Parameters<Connector['read']>[0];
  readonly cursor: string;
  readonly filter: Parameters<Connector['observe']>[1];
};

async function answer(system: MemorySystem, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: string[] = [];
  for await (const chunk of request.setEncoding('utf8')) chunks.push(String(chunk));
  const asked: Asked = JSON.parse(chunks.join(''));
  const connector = system.connector(asked.executor);
  if (asked.method === 'observe') {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.flushHeaders();
    for await (const event of connector.observe(asked.cursor, asked.filter, gone.signal))
      response.write(`${JSON.stringify(event)}\n`);
    return;
  }
  const result = await perform(connector, asked);
  response.end(JSON.stringify({ result }, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
}

function perform(
  connector: Connector,
  { method, operation: about, certificate, reason, query }: Asked,
): Promise<unknown> {
  if (method === 'submit') return connector.submit(about, certificate);
  if (method === 'lookup') return connector.lookup(about);
  return method === 'fence' ? connector.fence(about, reason, certificate) : connector.read(query);
}

/** The port again, on the other side of the wire. */
function remote(url: string, executor: string): Connector {
  const closed = new AbortController();

  async function post(asked: Partial<Asked>, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(url, { method: 'POST', body: JSON.stringify({ ...asked, executor }), signal });
    } catch (cause) {
      throw noAnswer(cause);
    }
  }
  async function ask<T>(asked: Partial<Asked>): Promise<T> {
    const response = await post(asked, closed.signal);
    try {
      const { result }: { result: T } = JSON.parse(await response.text());
      return result;
    } catch (cause) {
      throw noAnswer(cause);
    }
  }
  async function* observe(cursor: string, filter: Asked['filter'], signal: AbortSignal): AsyncGenerator<ObservedEvent> {
    let after = cursor;
    while (!signal.aborted) {
      try {
        const { body } = await post(
          { method: 'observe', cursor: after, filter },
          AbortSignal.any([signal, closed.signal]),
        );
        let rest = '';
        for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const event: ObservedEvent = JSON.parse(line);
            after = event.cursor;
            yield event;
          }
        }
      } catch {
        // The stream broke or there is nobody: it is asked for again until it goes on.
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
    }
  }
  return {
    submit: (about, certificate) => ask({ method: 'submit', operation: about, ...(certificate && { certificate }) }),
    lookup: (about) => ask({ method: 'lookup', operation: about }),
    fence: (about, reason) => ask({ method: 'fence', operation: about, reason }),
    observe,
    async read(query) {
      const { positions, cursor } = await ask<ReadingText>({ method: 'read', query });
      const rows = positions.map((row) => ({ ...row, balance: BigInt(row.balance), held: BigInt(row.held) }));
      return { positions: rows, cursor };
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
    },
  };
}

/** A reading as JSON has it. */
type ReadingText = {
  readonly cursor: string;
  readonly positions: readonly {
    readonly account: string;
    readonly asset: string;
    readonly balance: string;
    readonly held: string;
  }[];
};

function noAnswer(cause: unknown): Fault {
  const inner = cause instanceof Error && isObject(cause.cause) ? cause.cause['code'] : undefined;
  return new Fault('system-unavailable', 'no answer', { cause, mayHaveHappened: inner !== 'ECONNREFUSED' });
}
