import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateKeyToAddress } from 'viem/accounts';
import { developmentAccount, executorAccount, indexOfAddress } from './development-accounts.ts';

test('the accounts are those that every development chain knows', () => {
  assert.deepEqual(developmentAccount(0), {
    address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  });
  assert.equal(developmentAccount(1).address, '0x70997970c51812dc3a010c7d01b50e0d17dc79c8');
});

test('each private key is that of its address, and the address leads back to its place', () => {
  for (const index of [0, 1, 10, 29]) {
    const { address, privateKey } = developmentAccount(index);
    assert.equal(privateKeyToAddress(privateKey).toLowerCase(), address);
    assert.equal(indexOfAddress(address), index);
  }
  assert.throws(() => indexOfAddress('0x0000000000000000000000000000000000000000'), /no development account/);
});

test('validators execute with accounts of their own, never with that of the issuer', () => {
  assert.notEqual(executorAccount(0).address, developmentAccount(0).address);
  assert.notEqual(executorAccount(0).address, executorAccount(1).address);
});
