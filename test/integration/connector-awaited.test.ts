import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Connector, Observation } from '@linkspan/plugin';
import { type Hash, hashOf, type Operation, type Terms } from '@linkspan/protocol';
import { BackOffice, readPlan, type StepOutcome } from '@stand-in/back-office';
import {
  certificatesConfig,
  certify,
  ISIN,
  NETWORK,
  openConnector,
  QUORUM,
  startSystem,
  type SystemProcess,
} from './connector-systems.ts';

/** Awaited payments and DvPs through the web-api connector, in a real system whose participants act for themselves. */
let system: SystemProcess;
let connector: Connector;

before(async () => {
  const participants = ['seller', 'buyer', 'central-bank'];
  const operators = (participant: string): string[] => ['executor', participant];
  system = await startSystem('systems/domestic-web/src/main.ts', (dataDir) => ({
    name: 'csd',
    dataDir,
    certificates: certificatesConfig(),
    clients: [
      { id: 'executor', secret: 'secret of executor', roles: ['executor'] },
      ...participants.map((id) => ({ id, secret: `secret of ${id}`, roles: ['participant'] })),
    ],
    assets: [
      { id: 'JPY', kind: 'cash', digits: 0 },
      { id: ISIN, kind: 'securities', digits: 0 },
    ],
    accounts: [
      { id: '0042', name: 'Kita Bank', operators: operators('seller'), positions: { [ISIN]: '1000000' } },
      { id: '0099', name: 'Minami Bank', operators: operators('buyer'), positions: {} },
      { id: '9001', name: 'Central Bank of A', operators: operators('central-bank'), positions: { JPY: '1000000' } },
    ],
  }));
  const assets = [
    { id: 'JPY', kind: 'cash' },
    { id: ISIN, kind: 'securities' },
  ];
  connector = await openConnector('csd', {
    kind: 'web-api',
    baseUrl: system.url,
    clientId: 'executor',
    clientSecret: 'secret of executor',
    assets,
  });
});

after(async () => {
  await connector[Symbol.asyncDispose]();
  await system[Symbol.asyncDispose]();
});

function awaiting(trade: string, filter: 'cash-transfer' | 'dvp', name = ''): Operation {
  const accounts = filter === 'dvp' ? { from: 'csd:0042', to: 'csd:0099' } : { from: 'csd:9001', to: 'csd:0099' };
  const id = hashOf({ trade, filter, name });
  return {
    id,
    network: NETWORK,
    settlement: settlementOf(trade),
    system: 'csd',
    verb: 'await',
    terms: { filter, trade, ...accounts },
  };
}

function settlementOf(trade: string): Hash {
  return hashOf({ settlement: trade });
}

/** The participants of one trade: moments `lodge`, `pay` and `pay again`. */
function officeOf(trade: string, price: string): BackOffice {
  const legs = {
    security: { from: '0042', to: '0099', asset: ISIN, amount: '10' },
    cash: { from: '0099', to: '0042', asset: 'JPY', amount: price },
  };
  const lodge = (by: string) => ({ by, when: `lodge ${by}`, do: 'lodge-dvp', trade, ...legs, hold: true });
  const pay = (when: string, amount: string) => ({
    by: 'central-bank',
    when,
    do: 'pay',
    trade,
    from: '9001',
    to: '0099',
    asset: 'JPY',
    amount,
  });
  const back = {
    by: 'buyer',
    when: 'refund',
    do: 'pay',
    trade: `${trade}-refund`,
    from: '0099',
    to: '9001',
    asset: 'JPY',
    amount: 'all',
  };
  const plan = readPlan({
    system: 'csd',
    steps: [lodge('seller'), lodge('buyer'), pay('pay', '100'), pay('pay again', '50'), back],
  });
  return new BackOffice(plan, { url: system.url, secretOf: (client) => `secret of ${client}` });
}

async function done(outcomes: Promise<readonly StepOutcome[]>): Promise<void> {
  for (const { done: isDone, detail } of await outcomes) assert.ok(isDone, detail);
}

function proceed(trade: string) {
  return certify('proceed', settlementOf(trade), [], QUORUM);
}

function said(
  observation: Observation | undefined,
): readonly [string | undefined, Terms | undefined, string | undefined] {
  return [observation?.status, observation?.terms, observation?.reason];
}

test('a payment is found whenever it happened, with what was read back, and is asked of nobody', async () => {
  const operation = awaiting('P-1', 'cash-transfer');
  assert.equal(await connector.lookup(operation), undefined);
  assert.deepEqual(await connector.submit(operation), { status: 'sent' });
  assert.equal(await connector.lookup(operation), undefined);
  await done(officeOf('P-1', '100').at('pay'));
  const terms = { ...operation.terms, count: '1', amount: '100', currency: 'JPY' };
  assert.deepEqual(said(await connector.lookup(operation)), ['effective', terms, '']);
  await done(officeOf('P-1', '100').at('pay'));
  await done(officeOf('P-1', '100').at('pay again'));
  assert.deepEqual(said(await connector.lookup(operation)), ['effective', { ...terms, count: '2', amount: '150' }, '']);
  await done(officeOf('P-1', '100').at('refund'));
});

test('a fenced payment is dead and stays so; one that was made is told, and no second one follows', async () => {
  const unpaid = awaiting('P-2', 'cash-transfer');
  assert.deepEqual(said(await connector.fence(unpaid, 'TIMO')), ['dead', {}, 'TIMO']);
  const [late] = await officeOf('P-2', '100').at('pay');
  assert.deepEqual([late?.done, /any more/.test(late?.detail ?? '')], [false, true]);
  assert.deepEqual(said(await connector.lookup(unpaid)), ['dead', {}, 'TIMO']);
  const paid = awaiting('P-3', 'cash-transfer');
  const office = officeOf('P-3', '100');
  await done(office.at('pay'));
  const fenced = await connector.fence(paid, 'TIMO');
  assert.deepEqual([fenced.status, fenced.terms['amount']], ['effective', '100']);
  const [second] = await office.at('pay again');
  assert.equal(second?.done, false);
  assert.deepEqual(await connector.lookup(paid), fenced);
  await done(office.at('refund'));
});

test('a DvP on hold settles when proceed is brought, both legs are read back, and the feed tells it with its operation', async () => {
  const operation = awaiting('D-1', 'dvp');
  const { cursor } = await connector.read({ type: 'health' });
  const office = officeOf('D-1', '100');
  await done(office.at('pay'));
  await done(office.at('lodge seller'));
  assert.deepEqual(await connector.submit(operation, proceed('D-1')), { status: 'sent' });
  assert.equal(await connector.lookup(operation), undefined, 'the leave stands until the other side has lodged');
  await done(office.at('lodge buyer'));
  const terms = {
    ...operation.terms,
    count: '1',
    isin: ISIN,
    quantity: '10',
    cashFrom: 'csd:0099',
    cashTo: 'csd:0042',
    amount: '100',
    currency: 'JPY',
  };
  const found = await connector.lookup(operation);
  assert.deepEqual(said(found), ['effective', terms, '']);
  const stop = new AbortController();
  for await (const { observation } of connector.observe(cursor, { operations: [operation.id] }, stop.signal)) {
    assert.deepEqual(observation, found);
    stop.abort();
  }
  assert.deepEqual(await connector.submit(operation, proceed('D-1')), { status: 'sent' });
  assert.deepEqual(await connector.fence(operation, 'TIMO'), found);
  assert.deepEqual(said(await connector.lookup(awaiting('D-1', 'dvp', 'another'))), ['dead', {}, 'DUPL']);
});

test('a DvP without enough cash is dead with its reason once it is tried, whatever is paid later', async () => {
  const operation = awaiting('D-2', 'dvp');
  const office = officeOf('D-2', '101');
  await done(office.at('pay'));
  await done(office.at('lodge seller'));
  await done(office.at('lodge buyer'));
  assert.equal(await connector.lookup(operation), undefined);
  assert.deepEqual(await connector.submit(operation, proceed('D-2')), { status: 'sent' });
  assert.deepEqual(said(await connector.lookup(operation)), ['dead', {}, 'MONY']);
  await done(office.at('pay again'));
  await connector.submit(operation, proceed('D-2'));
  assert.deepEqual(said(await connector.fence(operation, 'TIMO')), ['dead', {}, 'MONY']);
  await done(office.at('refund'));
});

test('a certificate that is none for it kills nothing, and a withdrawn DvP is refused afterwards', async () => {
  const operation = awaiting('D-3', 'dvp');
  const wrong = await connector.submit(operation, certify('commit', settlementOf('D-3'), [], QUORUM));
  assert.ok(wrong.status === 'refused' && wrong.about === 'certificate');
  assert.equal(await connector.lookup(operation), undefined);
  assert.deepEqual(said(await connector.fence(operation, 'ABRT')), ['dead', {}, 'ABRT']);
  const [seller] = await officeOf('D-3', '100').at('lodge seller');
  assert.equal(seller?.done, false);
});

test('terms that are no key of an event here are refused before anything is asked', async () => {
  const { terms, ...rest } = awaiting('D-4', 'dvp');
  const { trade: _, ...without } = terms;
  for (const wrong of [without, { ...terms, isin: ISIN }, { ...terms, from: 'rtgs:0042' }]) {
    const operation = { ...rest, terms: wrong };
    assert.equal((await connector.submit(operation, proceed('D-4'))).status, 'refused');
    await assert.rejects(connector.lookup(operation), { code: 'system-unavailable' });
  }
});
