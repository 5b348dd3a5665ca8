import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connector } from '@linkspan/plugin';
import { Fault, type Operation } from '@linkspan/protocol';
import { createTestValidator, newOperation, verifierOf } from './connector-validators.ts';
import { EVM_ACCOUNTS, evmConnectorConfig, openConnector, startEvm } from './connector-systems.ts';

const SYSTEM = 'fcy-evm';
const { payer, payee } = EVM_ACCOUNTS;

test('F10 F9 only what has its confirmations is final', async (t) => {
  const system = await startEvm();
  t.after(() => system[Symbol.asyncDispose]());
  const token = String(system.ready['token']);
  await using quick = await openConnector(SYSTEM, evmConnectorConfig(system.url, token, 0));
  await using careful = await openConnector(SYSTEM, {
    ...evmConnectorConfig(system.url, token, 1),
    finality: { confirmations: 2 },
  });
  const hold = holdOf('1.00');
  await seen(quick, hold);
  assert.equal(await careful.lookup(hold), undefined, 'one block is not enough');
  const events = careful.observe('', { operations: [hold.id] }, AbortSignal.timeout(20_000))[Symbol.asyncIterator]();
  const event = events.next();
  for (let block = 1; block <= 2; block++) {
    assert.equal(await careful.lookup(hold), undefined, `${block - 1} blocks on top are not enough`);
    await seen(quick, holdOf('1.00'));
  }
  assert.deepEqual(await careful.lookup(hold), await quick.lookup(hold));
  const first = await event;
  assert.ok(first.done !== true);
  assert.equal(first.value.observation.operation, hold.id);
});

test('F9 a final block that is replaced by another ends all statements of the validator', async (t) => {
  const system = await startEvm();
  t.after(() => system[Symbol.asyncDispose]());
  const token = String(system.ready['token']);
  const validator = await createTestValidator(SYSTEM, evmConnectorConfig(system.url, token, 0));
  t.after(() => validator[Symbol.asyncDispose]());
  await using verifier = verifierOf(SYSTEM, [validator.endpoint], { threshold: 1 });
  for (const amount of ['1.00', '2.00']) await verifier.perform(holdOf(amount), undefined, AbortSignal.timeout(20_000));
  // The chain comes back without its past, and grows beyond where it was.
  await system.kill();
  await system.forget();
  await system.start();
  await using stranger = await openConnector(SYSTEM, evmConnectorConfig(system.url, token, 1));
  for (const amount of ['3.00', '4.00', '5.00', '6.00']) await seen(stranger, holdOf(amount));
  const limit = AbortSignal.timeout(20_000);
  let said = '';
  while (!limit.aborted && !/has been replaced/.test(said)) {
    const answer = await fetch(`${validator.endpoint.url}/v1/attest`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ operation: holdOf('7.00'), waitMs: 100 }),
    });
    said = await answer.text();
  }
  assert.match(said, /was final .* has been replaced/);
  await assert.rejects(verifier.perform(holdOf('8.00'), undefined, AbortSignal.timeout(300)), Fault);
});

function holdOf(amount: string): Operation {
  return newOperation(SYSTEM, 'hold', {
    from: `${SYSTEM}:${payer}`,
    to: `${SYSTEM}:${payee}`,
    amount,
    currency: 'USD',
  });
}

async function seen(connector: Connector, operation: Operation): Promise<void> {
  assert.deepEqual(await connector.submit(operation), { status: 'sent' });
  assert.equal((await connector.lookup(operation))?.status, 'effective');
}
