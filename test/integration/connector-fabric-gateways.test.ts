import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Connector } from '@linkspan/plugin';
import { Fault, hashOf, type Operation } from '@linkspan/protocol';
import { type CashOnFabric, firstGateway, gatewayProxy, startCash } from './cash-chaincode-system.ts';
import { certificatesConfig } from './connector-systems.ts';
import { whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();
const WHAT = 'the fabric connector where gateways lie and die, and where executors meet';

if (missing === undefined) describe(WHAT, gateways);
else test(WHAT, { skip: missing }, () => undefined);

const SYSTEM = { system: 'cash', currency: 'USD', digits: 2 };

function gateways(): void {
  let cash: CashOnFabric;
  let honest: string;

  before(async () => {
    cash = await startCash({ certificates: certificatesConfig(), accounts: { '0042': 100_000n, '0099': 0n } });
    honest = firstGateway(cash.fabric).address;
  });
  after(() => cash[Symbol.asyncDispose]());

  test('a submission that the gateway calls failed and that was not: its fate is asked, and nothing is proposed again', async () => {
    await using proxy = await gatewayProxy(cash.fabric);
    await using connector = await cash.connect(SYSTEM, 0, proxy.address);
    proxy.next.Submit.push('deny');
    await holdOnce(connector);
    assert.deepEqual([proxy.seen.Endorse, proxy.seen.Submit], [1, 1]);
  });

  test('a submission that never arrived: the same transaction is sent again', async () => {
    await using proxy = await gatewayProxy(cash.fabric);
    await using connector = await cash.connect(SYSTEM, 0, proxy.address);
    proxy.next.Submit.push('drop');
    await holdOnce(connector);
    assert.deepEqual([proxy.seen.Endorse, proxy.seen.Submit], [1, 2]);
  });

  for (const deed of ['die before', 'die after'] as const)
    test(`a gateway that is told to ${deed} submitting: another one is asked, and there is one effect`, async () => {
      await using proxy = await gatewayProxy(cash.fabric);
      await using connector = await cash.connect(SYSTEM, 0, proxy.address, honest);
      proxy.next.Submit.push(deed);
      await holdOnce(connector);
    });

  test('what became of a transaction is not known: that is said, and asking again is one effect', async () => {
    await using proxy = await gatewayProxy(cash.fabric);
    await using connector = await cash.connect(SYSTEM, 0, proxy.address);
    const hold = newHold();
    Object.assign(proxy.otherwise, { Submit: 'deny', CommitStatus: 'drop' });
    await assert.rejects(connector.submit(hold), (error) => error instanceof Fault && error.mayHaveHappened);
    Object.assign(proxy.otherwise, { Submit: 'pass', CommitStatus: 'pass' });
    const heldBefore = await held(connector);
    assert.deepEqual(await connector.submit(hold), { status: 'sent' });
    assert.equal(await held(connector), heldBefore);
  });

  test('three executors on one account: transactions that meet are tried again, and every hold is made once', async () => {
    await using all = new AsyncDisposableStack();
    const connectors = await Promise.all([0, 1, 2].map((executor) => cash.connect(SYSTEM, executor)));
    for (const connector of connectors) all.use(connector);
    const [first] = connectors;
    assert.ok(first);
    const heldBefore = await held(first);
    const submitted = connectors.flatMap((connector) => Array.from({ length: 10 }, () => connector.submit(newHold())));
    for (const answer of await Promise.all(submitted)) assert.deepEqual(answer, { status: 'sent' });
    assert.equal(await held(first), heldBefore + 30n);
  });

  async function holdOnce(connector: Connector): Promise<void> {
    await using reader = await cash.connect(SYSTEM, 1);
    const heldBefore = await held(reader);
    const hold = newHold();
    assert.deepEqual(await connector.submit(hold), { status: 'sent' });
    assert.equal((await reader.lookup(hold))?.status, 'effective');
    assert.equal(await held(reader), heldBefore + 1n);
  }
}

async function held(connector: Connector): Promise<bigint> {
  const { positions } = await connector.read({ type: 'balances', accounts: ['0042'] });
  const [position] = positions;
  assert.ok(position);
  return position.held;
}

let made = 0;

function newHold(): Operation {
  const terms = { from: 'cash:0042', to: 'cash:0099', amount: '0.01', currency: 'USD' };
  made += 1;
  return {
    id: hashOf({ hold: made }),
    network: hashOf('n'),
    settlement: hashOf('s'),
    system: 'cash',
    verb: 'hold',
    terms,
  };
}
