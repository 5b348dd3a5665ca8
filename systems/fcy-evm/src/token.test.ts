import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Hex } from 'viem';
import type { HDAccount } from 'viem/accounts';

import type { SignedCertificate } from './test-support/certificate-signing.ts';
import { signAlone, signBlock } from './test-support/certificate-signing.ts';
import type { TokenFixture } from './test-support/token-fixture.ts';
import {
  bytes32,
  certificate,
  executor,
  noOperation,
  openingBalance,
  openTokenFixture,
  otherExecutor,
  owner,
  payee,
  quorum,
  stranger,
} from './test-support/token-fixture.ts';

const cash = toReasonHex('MONY');
const deadline = toReasonHex('TIMO');
const [effective, fenced] = [1, 2];
const [held, executed, released] = [1, 2, 3];

let fixture: TokenFixture;
before(async () => void (fixture = await openTokenFixture()));
after(() => fixture.close());

test('F43 a hold earmarks free balance, and is executed under a commit certificate of its settlement, once', async () => {
  const { payer, hold, settlement } = await openHold('execute', 400n);
  assert.deepEqual(await fixture.balances(payer.address), { held: 400n, free: openingBalance - 400n });
  assert.equal((await fixture.holdOf(hold)).status, held);

  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  const before = await fixture.balances(payee.address);
  assert.equal(await fixture.act(executor, 'execute', [bytes32('execute op'), hold, ...commit]), 'done');
  assert.deepEqual(await fixture.balances(payer.address), { held: 0n, free: openingBalance - 400n });
  assert.equal((await fixture.balances(payee.address)).free, before.free + 400n);
  const closed = await fixture.holdOf(hold);
  assert.equal(closed.status, executed);
  const operation = await fixture.operation(bytes32('execute op'));
  assert.equal(operation.status, effective);
  assert.equal(operation.hold, hold);
  assert.equal(operation.blockNumber, closed.closedBlock);

  assert.equal(await fixture.act(executor, 'execute', [bytes32('execute op'), hold, ...commit]), 'AlreadyUsed');
  assert.equal(await fixture.act(executor, 'execute', [bytes32('execute op 2'), hold, ...commit]), 'HoldClosed');
  const abort = await signAlone(quorum, certificate(settlement, 'abort', [hold]));
  assert.equal(await fixture.act(executor, 'release', [bytes32('release op'), hold, ...abort]), 'HoldClosed');
});

test('a stranger may bring the commit certificate, without an operation id, and the event names the hold', async () => {
  const { hold, settlement } = await openHold('stranger executes', 10n);
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  assert.equal(await fixture.act(stranger, 'execute', [bytes32('mine'), hold, ...commit]), 'NotAnExecutor');
  assert.equal(await fixture.act(stranger, 'execute', [noOperation, hold, ...commit]), 'done');
  const events = await fixture.logs();
  const event = events.find((log) => log.eventName === 'Executed' && log.args.hold === hold);
  assert.equal(event?.eventName === 'Executed' && event.args.op, noOperation);
});

test('a hold is released under an abort certificate only, by anybody, and is dead for ever', async () => {
  const { payer, hold, settlement } = await openHold('release', 300n);
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  const abort = await signAlone(quorum, certificate(settlement, 'abort', [hold]));
  assert.equal(await fixture.act(executor, 'release', [bytes32('early'), hold, ...commit]), 'WrongKind');
  assert.equal(await fixture.act(stranger, 'release', [noOperation, hold, ...abort]), 'done');
  assert.deepEqual(await fixture.balances(payer.address), { held: 0n, free: openingBalance });
  assert.equal((await fixture.holdOf(hold)).status, released);
  assert.equal(await fixture.act(executor, 'execute', [bytes32('late'), hold, ...commit]), 'HoldClosed');
  const again = await fixture.act(executor, 'hold', [hold, settlement, payer.address, payee.address, 300n]);
  assert.equal(again, 'AlreadyUsed');
});

test('every kind of certificate serves its own purpose only', async () => {
  const { hold, settlement } = await openHold('kinds', 5n);
  for (const kind of ['proceed', 'abort', 'fence'] as const) {
    const wrong = await signAlone(quorum, certificate(settlement, kind, [hold]));
    assert.equal(await fixture.act(stranger, 'execute', [noOperation, hold, ...wrong]), 'WrongKind', kind);
  }
  for (const kind of ['proceed', 'commit', 'fence'] as const) {
    const wrong = await signAlone(quorum, certificate(settlement, kind, [hold]));
    assert.equal(await fixture.act(stranger, 'release', [noOperation, hold, ...wrong]), 'WrongKind', kind);
  }
  for (const kind of ['proceed', 'commit'] as const) {
    const wrong = await signAlone(quorum, certificate(settlement, kind, [bytes32('x')]));
    assert.equal(await fixture.act(stranger, 'fenceCertified', [bytes32('x'), cash, ...wrong]), 'WrongKind', kind);
  }
});

test('a hold that the certificate does not name is neither executed nor released', async () => {
  const { payer, hold, settlement } = await openHold('decided', 20n);
  const late = bytes32('hold made after the decision');
  const args = [late, settlement, payer.address, payee.address, 30n] as const;
  assert.equal(await fixture.act(executor, 'hold', args), 'done');
  const ends = [
    ['execute', 'commit'],
    ['release', 'abort'],
  ] as const;
  for (const [verb, kind] of ends) {
    for (const named of [[], [hold], [bytes32(`late ${verb}`), hold]]) {
      const signed = await signAlone(quorum, certificate(settlement, kind, named));
      assert.equal(await fixture.act(executor, verb, [bytes32(`late ${verb}`), late, ...signed]), 'OperationNotNamed');
      assert.equal(await fixture.act(stranger, verb, [noOperation, late, ...signed]), 'OperationNotNamed');
    }
  }
  assert.equal((await fixture.holdOf(late)).status, held);
  assert.deepEqual(await fixture.balances(payer.address), { held: 50n, free: openingBalance - 50n });
  const both = await signAlone(quorum, certificate(settlement, 'commit', [hold, late]));
  for (const one of [hold, late]) {
    assert.equal(await fixture.act(stranger, 'execute', [noOperation, one, ...both]), 'done');
  }
});

test('a fenced id never takes effect, and keeps its first reason', async () => {
  const payer = fixture.freshPayer();
  const hold = bytes32('fenced before it was held');
  assert.equal(await fixture.act(executor, 'fence', [hold, cash]), 'done');
  assert.equal(await fixture.act(otherExecutor, 'fence', [hold, deadline]), 'done');
  const operation = await fixture.operation(hold);
  assert.equal(operation.status, fenced);
  assert.equal(operation.reason, cash);
  const refused = await fixture.act(executor, 'hold', [hold, bytes32('s'), payer.address, payee.address, 1n]);
  assert.equal(refused, 'Fenced');
  assert.deepEqual(await fixture.balances(payer.address), { held: 0n, free: openingBalance });
});

test('a fence after the effect changes nothing and answers effective', async () => {
  const { hold } = await openHold('fenced late', 7n);
  const { contract, client } = fixture;
  const args = [hold, cash] as const;
  const answer = await client.simulateContract({ ...contract, functionName: 'fence', args, account: executor.address });
  assert.equal(answer.result, effective);
  assert.equal(await fixture.act(executor, 'fence', args), 'done');
  assert.equal((await fixture.operation(hold)).status, effective);
  assert.equal((await fixture.holdOf(hold)).status, held);
});

test('a fenced execute id leaves the hold to another id', async () => {
  const { hold, settlement } = await openHold('fenced execute', 8n);
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  assert.equal(await fixture.act(executor, 'fence', [bytes32('execute 1'), deadline]), 'done');
  assert.equal(await fixture.act(executor, 'execute', [bytes32('execute 1'), hold, ...commit]), 'Fenced');
  assert.equal((await fixture.holdOf(hold)).status, held);
  assert.equal(await fixture.act(executor, 'execute', [bytes32('execute 2'), hold, ...commit]), 'done');
});

test('a stranger fences exactly what an abort or fence certificate names', async () => {
  const named = [bytes32('in doubt 1'), bytes32('in doubt 2')];
  for (const kind of ['abort', 'fence'] as const) {
    const signed = await signAlone(quorum, certificate(bytes32('doubt'), kind, named));
    const other = bytes32(`not in doubt ${kind}`);
    assert.equal(await fixture.act(stranger, 'fenceCertified', [other, cash, ...signed]), 'OperationNotNamed');
    const [operation] = kind === 'abort' ? named : named.toReversed();
    assert.ok(operation !== undefined);
    assert.equal(await fixture.act(stranger, 'fenceCertified', [operation, cash, ...signed]), 'done');
    assert.equal((await fixture.operation(operation)).status, fenced);
  }
  assert.equal(await fixture.act(stranger, 'fence', [bytes32('mine'), cash]), 'NotAnExecutor');
});

test('the release of a hold that was never made is its fence', async () => {
  const payer = fixture.freshPayer();
  const [hold, settlement] = [bytes32('never made'), bytes32('aborted early')];
  const unnamed = await signAlone(quorum, certificate(settlement, 'abort'));
  const naming = await signAlone(quorum, certificate(settlement, 'abort', [hold]));
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  for (const [signer, op] of [
    [stranger, noOperation],
    [executor, bytes32('release of what was never made')],
  ] as const) {
    assert.equal(await fixture.act(signer, 'release', [op, hold, ...unnamed]), 'OperationNotNamed');
  }
  assert.equal(await fixture.act(stranger, 'release', [noOperation, hold, ...commit]), 'WrongKind');
  assert.equal(await fixture.act(stranger, 'release', [noOperation, hold, ...naming]), 'done');
  const late = await fixture.act(executor, 'hold', [hold, settlement, payer.address, payee.address, 1n]);
  assert.equal(late, 'Fenced');
});

test('nobody but an executor whom the account appointed can hold, and nobody squats an id', async () => {
  const payer = fixture.freshPayer();
  const args = [bytes32('squat'), bytes32('s'), payer.address, payee.address, 1n] as const;
  assert.equal(await fixture.act(stranger, 'hold', args), 'NotAnExecutor');
  assert.equal(await fixture.act(payer, 'hold', args), 'NotAnExecutor');
  assert.equal(await fixture.act(otherExecutor, 'hold', args), 'NotAnOperator');
  assert.equal(await fixture.act(payer, 'authorizeHoldOperator', [otherExecutor.address]), 'done');
  assert.equal(await fixture.act(payer, 'revokeHoldOperator', [executor.address]), 'done');
  assert.equal(await fixture.act(executor, 'hold', args), 'NotAnOperator');
  assert.equal(await fixture.act(otherExecutor, 'hold', args), 'done');
});

test('one id has one effect, whatever the second content is', async () => {
  const { payer, hold, settlement } = await openHold('once', 50n);
  const same = [hold, settlement, payer.address, payee.address, 50n] as const;
  const other = [hold, settlement, payer.address, payee.address, 51n] as const;
  assert.equal(await fixture.act(executor, 'hold', same), 'AlreadyUsed');
  assert.equal(await fixture.act(executor, 'hold', other), 'AlreadyUsed');
  assert.equal((await fixture.holdOf(hold)).amount, 50n);
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  assert.equal(await fixture.act(executor, 'execute', [hold, hold, ...commit]), 'AlreadyUsed');
});

test('held amounts are out of reach of holds, transfers and allowances', async () => {
  const { payer } = await openHold('reach', 900n);
  const more = [bytes32('too much'), bytes32('s'), payer.address, payee.address, 101n] as const;
  assert.equal(await fixture.act(executor, 'hold', more), 'InsufficientFree');
  assert.equal(await fixture.act(payer, 'transfer', [payee.address, 101n]), 'InsufficientFree');
  assert.equal(await fixture.act(payer, 'approve', [stranger.address, 1_000n]), 'done');
  const pull = [payer.address, stranger.address, 101n] as const;
  assert.equal(await fixture.act(stranger, 'transferFrom', pull), 'InsufficientFree');
  assert.equal(await fixture.act(payer, 'transfer', [payee.address, 100n]), 'done');
  assert.deepEqual(await fixture.balances(payer.address), { held: 900n, free: 0n });
});

test('holds that could never be executed, and empty ids, are refused', async () => {
  const payer = fixture.freshPayer();
  const nobody = '0x0000000000000000000000000000000000000000';
  const settlement = bytes32('s');
  const to = payee.address;
  assert.equal(await fixture.act(executor, 'hold', [bytes32('z1'), settlement, payer.address, to, 0n]), 'ZeroAmount');
  assert.equal(
    await fixture.act(executor, 'hold', [bytes32('z2'), settlement, payer.address, nobody, 1n]),
    'ZeroBeneficiary',
  );
  assert.equal(await fixture.act(executor, 'hold', [noOperation, settlement, payer.address, to, 1n]), 'ZeroOperation');
  assert.equal(await fixture.act(executor, 'fence', [noOperation, cash]), 'ZeroOperation');
  assert.equal(await fixture.act(executor, 'fence', [bytes32('z3'), '0x6d6f6e79']), 'BadReason');
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [bytes32('none')]));
  assert.equal(await fixture.act(stranger, 'execute', [noOperation, bytes32('none'), ...commit]), 'UnknownHold');
});

test('a hold to oneself executes like any other', async () => {
  const payer = fixture.freshPayer();
  const [hold, settlement] = [bytes32('to oneself'), bytes32('settlement to oneself')];
  const args = [hold, settlement, payer.address, payer.address, openingBalance] as const;
  assert.equal(await fixture.act(executor, 'hold', args), 'done');
  const commit = await signAlone(quorum, certificate(settlement, 'commit', [hold]));
  assert.equal(await fixture.act(stranger, 'execute', [noOperation, hold, ...commit]), 'done');
  assert.deepEqual(await fixture.balances(payer.address), { held: 0n, free: openingBalance });
});

test('only the issuer issues, and the token has the decimals it was made with', async () => {
  const { client, contract } = fixture;
  assert.equal(await fixture.act(stranger, 'issue', [stranger.address, 1n]), 'AccessControlUnauthorizedAccount');
  assert.equal(await fixture.act(owner, 'issue', [stranger.address, 1n]), 'done');
  assert.equal(await client.readContract({ ...contract, functionName: 'decimals' }), 2);
});

test('certificates of many settlements travel under one set of signatures', async () => {
  const holds = [];
  for (let index = 0; index < 5; index++) holds.push(await openHold(`many ${index}`, 3n));
  const certificates = holds.map(({ hold, settlement }) => certificate(settlement, 'commit', [hold]));
  const signed = await signBlock(quorum, certificates, 12n);
  for (const [index, { hold }] of holds.entries()) {
    const own = at(signed, index);
    const other = at(signed, (index + 1) % signed.length);
    const crossed: SignedCertificate = [own[0], other[1]];
    assert.equal(await fixture.act(stranger, 'execute', [noOperation, hold, ...other]), 'WrongSettlement');
    assert.match(await fixture.act(stranger, 'execute', [noOperation, hold, ...crossed]), /^(NotASigner|BadPath)$/);
    assert.equal(await fixture.act(stranger, 'execute', [noOperation, hold, ...own]), 'done');
  }
});

async function openHold(name: string, amount: bigint): Promise<{ payer: HDAccount; hold: Hex; settlement: Hex }> {
  const payer = fixture.freshPayer();
  const [hold, settlement] = [bytes32(`hold ${name}`), bytes32(`settlement ${name}`)];
  const args = [hold, settlement, payer.address, payee.address, amount] as const;
  assert.equal(await fixture.act(executor, 'hold', args), 'done');
  return { payer, hold, settlement };
}

function toReasonHex(code: string): Hex {
  return `0x${Buffer.from(code, 'ascii').toString('hex')}`;
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no item ${index}.`);
  return item;
}
