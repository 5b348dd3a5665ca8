import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Hex } from 'viem';
import type { HDAccount } from 'viem/accounts';

import type { SignedCertificate } from './test-support/certificate-signing.ts';
import { signAlone } from './test-support/certificate-signing.ts';
import { post } from './test-support/rpc.ts';
import type { TokenFixture, Write } from './test-support/token-fixture.ts';
import {
  bytes32,
  certificate,
  executor,
  noOperation,
  openTokenFixture,
  owner,
  quorum,
} from './test-support/token-fixture.ts';

const settlements = [bytes32('settlement 0'), bytes32('settlement 1')] as const;
const holdIds = Array.from({ length: 6 }, (_, index) => index);
const narrative = '0x4e415252';
const held = 1;

let fixture: TokenFixture;
let accounts: HDAccount[];
let commits: SignedCertificate[];
let aborts: SignedCertificate[];
before(async () => {
  fixture = await openTokenFixture();
  accounts = Array.from({ length: 4 }, () => fixture.freshPayer());
});
after(() => fixture.close());

const account = fc.integer({ min: 0, max: 3 });
const amount = fc.bigInt({ min: 0n, max: 1_500n });
const id = fc.constantFrom(...holdIds);
const settlementIndex = fc.constantFrom(0, 1);
const operation = fc.oneof(
  fc.record({ verb: fc.constant('transfer' as const), from: account, to: account, amount }),
  fc.record({ verb: fc.constant('issue' as const), to: account, amount }),
  fc.record({
    verb: fc.constant('hold' as const),
    id,
    from: account,
    to: account,
    amount,
    settlement: settlementIndex,
  }),
  fc.record({ verb: fc.constant('fence' as const), id }),
  fc.record({ verb: fc.constant('execute' as const), id, settlement: settlementIndex }),
  fc.record({ verb: fc.constant('release' as const), id, settlement: settlementIndex }),
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

let round = 0;

test('whatever is asked, balances add up to the supply, and held amounts to the open holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 40 }), async (operations) => {
      round += 1;
      [commits, aborts] = await Promise.all([signAll('commit'), signAll('abort')]);
      await sendAll(operations.map((one) => toWrite(one, round)));
      await checkBalances();
    }),
    { seed: 7, numRuns: 25 },
  );
  const open = await openHolds();
  assert.ok(open.length > 0, 'the sequences are of use only if some holds are made and stay');
});

function toWrite(one: Operation, run: number): { signer: HDAccount; write: Write } {
  switch (one.verb) {
    case 'transfer':
      return { signer: at(accounts, one.from), write: ['transfer', [at(accounts, one.to).address, one.amount]] };
    case 'issue':
      return { signer: owner, write: ['issue', [at(accounts, one.to).address, one.amount]] };
    case 'hold': {
      const [from, to] = [at(accounts, one.from).address, at(accounts, one.to).address];
      const settlement = at(settlements, one.settlement);
      return { signer: executor, write: ['hold', [holdId(run, one.id), settlement, from, to, one.amount]] };
    }
    case 'fence':
      return { signer: executor, write: ['fence', [holdId(run, one.id), narrative]] };
    case 'execute':
    case 'release': {
      const signed = at(one.verb === 'execute' ? commits : aborts, one.settlement);
      return { signer: owner, write: [one.verb, [noOperation, holdId(run, one.id), ...signed]] };
    }
  }
}

/** A certificate of each settlement that names every hold of this run but the last. */
function signAll(kind: 'commit' | 'abort'): Promise<SignedCertificate[]> {
  const named = holdIds.slice(0, -1).map((index) => holdId(round, index));
  return Promise.all(settlements.map((settlement) => signAlone(quorum, certificate(settlement, kind, named))));
}

/** Sends everything in one batch, so that the operations of one run meet in few blocks. */
async function sendAll(operations: readonly { signer: HDAccount; write: Write }[]): Promise<void> {
  const nonces = new Map<string, number>();
  const calls = [];
  for (const { signer, write } of operations) {
    const nonce = nonces.get(signer.address) ?? (await fixture.nonceOf(signer.address));
    nonces.set(signer.address, nonce + 1);
    const raw = await fixture.sign(signer, nonce, write);
    calls.push({ jsonrpc: '2.0', id: calls.length, method: 'eth_sendRawTransaction', params: [raw] });
  }
  const replies = await post(fixture.system.url, JSON.stringify(calls));
  assert.ok(Array.isArray(replies));
  for (const reply of replies) await fixture.mined(reply.result);
}

async function checkBalances(): Promise<void> {
  const { client, contract } = fixture;
  const holders = new Set((await fixture.logs()).flatMap((log) => (log.eventName === 'Transfer' ? [log.args.to] : [])));
  let [sum, allHeld] = [0n, 0n];
  for (const holder of holders) {
    assert.ok(holder !== undefined);
    const balance = await client.readContract({ ...contract, functionName: 'balanceOf', args: [holder] });
    const parts = await fixture.balances(holder);
    assert.ok(parts.held <= balance);
    assert.equal(parts.held + parts.free, balance);
    sum += balance;
    allHeld += parts.held;
  }
  assert.equal(sum, await client.readContract({ ...contract, functionName: 'totalSupply' }));
  const open = await openHolds();
  assert.equal(
    allHeld,
    open.reduce((total, hold) => total + hold.amount, 0n),
  );
}

async function openHolds() {
  const made = (await fixture.logs()).flatMap((log) => (log.eventName === 'Held' ? [log.args.op] : []));
  const holds = await Promise.all(made.map((op) => fixture.holdOf(op ?? noOperation)));
  return holds.filter((hold) => hold.status === held);
}

function holdId(run: number, index: number): Hex {
  return bytes32(`hold ${index} of run ${run}`);
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no item ${index}.`);
  return item;
}
