import { parseArgs } from 'node:util';
import { drained, LinkspanChaincode } from '@linkspan/chaincode';
import * as contract from '@linkspan/contract';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import shim from 'fabric-shim';

// The contract as the next release would bring it: the same rules under another version.
const { values } = parseArgs({
  options: { address: { type: 'string' }, id: { type: 'string' }, release: { type: 'string' } },
});
const { address = '', id = '', release = '' } = values;
useNativeHashes();
const chaincode = drained(
  new LinkspanChaincode({
    contract,
    verify: createVerify({ memoize: 1000 }),
    now: Date.now,
    toleranceMs: 2000,
    version: release,
  }),
);
await shim.Shim.server(chaincode, { ccid: id, address, tlsProps: JSON.parse('null') }).start();
process.once('SIGTERM', () => void chaincode.end(5000).then(() => process.exit(0)));
