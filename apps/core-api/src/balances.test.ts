import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENDPOINTS, Fault, parse } from '@linkspan/protocol';
import { readBalances, type SystemReader } from './balances.ts';
import { createDirectory } from './directory.ts';
import { openTestLedger, valid } from './test-support.ts';

const rtgs: SystemReader = {
  system: 'rtgs',
  read: async () => ({
    positions: [
      { account: '0042', asset: 'JPY', balance: 1_000_000n, held: 250_000n },
      { account: '7777', asset: 'JPY', balance: 0n, held: 0n },
    ],
  }),
};

test('amounts have the digits of their asset, accounts the name of their party', async () => {
  const evm: SystemReader = {
    system: 'fcy-evm',
    read: async () => ({
      positions: [{ account: '0x71be63f3384f5fb98995898a86b02fb2426c5788', asset: 'USD', balance: 100_005n, held: 5n }],
    }),
  };
  const csd: SystemReader = {
    system: 'csd',
    read: async () => ({ positions: [{ account: '0042', asset: 'XS0000000009', balance: 20n ** 9n, held: 1n }] }),
  };
  const body = await read([rtgs, evm, csd]);
  assert.deepEqual(
    body.systems.flatMap(({ positions }) => positions),
    [
      { account: 'rtgs:0042', party: 'Kita Bank', asset: 'JPY', balance: '1000000', held: '250000', free: '750000' },
      { account: 'rtgs:7777', party: null, asset: 'JPY', balance: '0', held: '0', free: '0' },
      {
        account: 'fcy-evm:0x71be63f3384f5fb98995898a86b02fb2426c5788',
        party: 'Central Bank of A',
        asset: 'USD',
        balance: '1000.05',
        held: '0.05',
        free: '1000.00',
      },
      {
        account: 'csd:0042',
        party: 'Kita Bank',
        asset: 'XS0000000009',
        balance: '512000000000',
        held: '1',
        free: '511999999999',
      },
    ],
  );
});

test('a system without an answer is listed with its problem beside the others', async () => {
  const silent: SystemReader = {
    system: 'csd',
    read: (_, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Fault('validator-unavailable', 'csd is silent.'))),
      ),
  };
  const body = await read([silent, rtgs]);
  assert.deepEqual(
    body.systems.map(({ system, problem }) => [system, problem]),
    [
      ['csd', 'csd is silent.'],
      ['rtgs', null],
    ],
  );
});

test('a defect is not shown as an empty system', async () => {
  const broken: SystemReader = { system: 'csd', read: () => Promise.reject(new TypeError('a defect')) };
  await assert.rejects(read([broken]), TypeError);
});

async function read(readers: readonly SystemReader[]) {
  await using ledger = await openTestLedger();
  const body = await readBalances(readers, await createDirectory(ledger).known(), 50);
  return valid(parse(ENDPOINTS.balances.answer, body, 'internal'));
}
