import { parseArgs } from 'node:util';
import * as contract from '@linkspan/contract';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import type { ContractCode } from '@linkspan/ledger';
import shim from 'fabric-shim';
import { LinkspanChaincode } from '../../apps/chaincode/src/index.ts';

/**
 * What an organisation runs that wants the others to believe it: the contract's program, changed. `--lie endorsement` writes besides what was asked for that
 * every account is its own; `--lie answers` tells whoever asks its peer that every settlement is settled.
 */
const LIES: Readonly<Record<string, ContractCode>> = {
  endorsement: {
    ...contract,
    applyCalls(world, calls) {
      const results = contract.applyCalls(world, calls);
      world.put('liar', { everything: 'mine' });
      return results;
    },
  },
  answers: {
    ...contract,
    runQuery(reader, type, args) {
      const answer = contract.runQuery(reader, type, args);
      const told: unknown = JSON.parse(JSON.stringify(answer).replaceAll('"phase":"preparing"', '"phase":"settled"'));
      return isLike(told, answer) ? told : answer;
    },
  },
};

function isLike<T>(told: unknown, answer: T): told is T {
  return typeof told === typeof answer;
}

useNativeHashes();
const { values } = parseArgs({
  options: { address: { type: 'string' }, id: { type: 'string' }, lie: { type: 'string' } },
});
const { address = '', id = '', lie = '' } = values;
const lying = LIES[lie];
if (!lying) throw new Error(`There is no lie ${lie}.`);
const chaincode = new LinkspanChaincode({
  contract: lying,
  verify: createVerify({ memoize: 1000 }),
  now: Date.now,
  toleranceMs: 2000,
  version: 'a lie',
});
await shim.Shim.server(chaincode, { ccid: id, address, tlsProps: JSON.parse('null') }).start();
process.stdout.write('ready\n');
