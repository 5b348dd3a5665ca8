import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyCalls, runQuery } from '@linkspan/contract';
import { createVerify } from '@linkspan/keys';
import { openEmbeddedLedger } from '@linkspan/ledger';
import { Fault } from '@linkspan/protocol';
import { sampleNetwork } from '@linkspan/testkit';
import { type Registrant, registerNetwork } from './register-network.ts';

const sample = sampleNetwork();

/** In an order that needs several rounds: who depends on the others comes first. */
function registrants(): Registrant[] {
  return Object.entries(sample.organisations)
    .toReversed()
    .map(([id, { call }]) => ({
      id,
      signer: call,
      register: sample.plan.calls.flatMap(({ organisation, body }) => (organisation === id ? [body] : [])).toReversed(),
    }));
}

test('registrations that depend on one another are accepted in any order, and again without a change', async () => {
  await using opened = await openLedger();
  const { ledger } = opened;
  await registerNetwork(ledger, sample.id, sample.plan.genesis, registrants());
  const register = await ledger.evaluate('register', {});
  assert.ok(register.ok);
  const { systems, parties, accounts, instruments, scenarios } = register.value;
  const registered = [...systems, ...parties, ...accounts, ...instruments].length;
  assert.equal(registered, sample.plan.calls.filter(({ body }) => body.type.startsWith('register')).length);
  assert.equal(scenarios.length, sample.plan.calls.filter(({ body }) => body.type === 'propose-scenario').length);
  assert.ok(scenarios.every(({ approvals }) => approvals.length === 3));
  const height = await ledger.height();
  await registerNetwork(ledger, sample.id, sample.plan.genesis, registrants());
  assert.equal(await ledger.height(), height);
});

test('what stays refused stops the start in one sentence that names it', async () => {
  await using opened = await openLedger();
  const { ledger } = opened;
  const [first, ...others] = registrants();
  assert.ok(first);
  const stranger = { lei: '999900KITABANK00B013', name: 'Kita Bank', bic: 'KITAJPJ0XXX', organisation: 'nobody' };
  const wrong = { ...first, register: [...first.register, { type: 'register-party', party: stranger } as const] };
  await assert.rejects(registerNetwork(ledger, sample.id, sample.plan.genesis, [wrong, ...others]), (error) => {
    return (
      error instanceof Fault &&
      error.code === 'configuration-invalid' &&
      /register-party call of .*: A party is registered by/.test(error.message)
    );
  });
});

test('a ledger of another network is refused', async () => {
  await using opened = await openLedger();
  const { ledger } = opened;
  await registerNetwork(ledger, sample.id, sample.plan.genesis, registrants());
  const genesis = { ...sample.plan.genesis, nonce: 'another' };
  await assert.rejects(registerNetwork(ledger, sample.id, genesis, registrants()), /genesis call of .*another genesis/);
});

async function openLedger() {
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-register-'));
  const verify = createVerify({ memoize: 0 });
  const opened = new AsyncDisposableStack();
  opened.defer(() => rmSync(directory, { recursive: true }));
  const ledger = opened.use(
    await openEmbeddedLedger({ directory, contract: { applyCalls, runQuery }, verify, now: Date.now }),
  );
  return { ledger, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
