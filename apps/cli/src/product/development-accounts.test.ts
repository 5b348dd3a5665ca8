import assert from 'node:assert/strict';
import { test } from 'node:test';
import { developmentAccount, executorAccount, indexOfAddress, tokenAddress } from './development-accounts.ts';

test('the accounts are those that every development chain knows', () => {
  assert.deepEqual(developmentAccount(0), {
    address: '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266',
    privateKey: '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  });
  assert.equal(developmentAccount(1).address, '0x70997970c51812dc3a010c7d01b50e0d17dc79c8');
});

test('an address leads back to its place', () => {
  assert.equal(indexOfAddress('0xbcd4042de499d14e55001ccbb24a551f3b954096'), 10);
  for (const index of [0, 1, 29]) assert.equal(indexOfAddress(developmentAccount(index).address), index);
  assert.throws(() => indexOfAddress('0x0000000000000000000000000000000000000000'), /no development account/);
});

test('validators execute with accounts of their own, never with that of the issuer', () => {
  assert.notEqual(executorAccount(0).address, developmentAccount(0).address);
  assert.notEqual(executorAccount(0).address, executorAccount(1).address);
});

test('the first contract of the issuer lies where every development chain puts it', () => {
  assert.equal(tokenAddress(), '0x5fbdb2315678afecb367f032d93f642f64180aa3');
});
