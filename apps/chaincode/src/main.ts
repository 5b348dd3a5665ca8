import { parseArgs } from 'node:util';
import * as contract from '@linkspan/contract';
import { createVerify, useNativeHashes } from '@linkspan/keys';
import shim from 'fabric-shim';
import { codeVersion } from './code-version.ts';
import { drained } from './drained.ts';
import { LinkspanChaincode } from './linkspan-chaincode.ts';

/**
 * Serves the contract to one organisation's peer, as chaincode-as-a-service:
 * `node apps/chaincode/src/main.ts --address HOST:PORT --id PACKAGE-ID [--tolerance-ms 2000]`.
 * The id is that of the package which the peer has installed; under another one the peer would wait for it in vain. With `--version` alone it says
 * what code it is, and ends.
 */
const USAGE = 'Usage: node apps/chaincode/src/main.ts --address HOST:PORT --id PACKAGE-ID [--tolerance-ms 2000]';
/** What a root was found to be signed by is asked again for every call and statement that it covers, and at every run. */
const SIGNATURES_REMEMBERED = 20_000;
/** How long what the peer has begun may take once this process is asked to end. */
const LAST_ANSWERS_MS = 5000;

useNativeHashes();

const options = readOptions();
if (options === 'version') {
  process.stdout.write(`${codeVersion()}\n`);
} else if (options === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else {
  const { address, id, toleranceMs } = options;
  const chaincode = drained(
    new LinkspanChaincode({
      contract,
      verify: createVerify({ memoize: SIGNATURES_REMEMBERED }),
      now: Date.now,
      toleranceMs,
      version: codeVersion(),
    }),
  );
  // The types demand what encryption needs; a peer and its own chaincode talk over the loopback address without it.
  const tlsProps = JSON.parse('null');
  try {
    await shim.Shim.server(chaincode, { ccid: id, address, tlsProps }).start();
  } catch (error) {
    // Left to the shim's own handler, the process would end seconds later, and as if all were well.
    process.stderr.write(`The contract cannot listen on ${address}: ${error instanceof Error ? error.message : ''}\n`);
    process.exit(1);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void chaincode.end(LAST_ANSWERS_MS).then(() => process.exit(0)));
  }
  process.stdout.write(`${JSON.stringify({ ready: true, address, id })}\n`);
}

function readOptions():
  | { readonly address: string; readonly id: string; readonly toleranceMs: number }
  | 'version'
  | undefined {
  try {
    const { values } = parseArgs({
      options: {
        address: { type: 'string' },
        id: { type: 'string' },
        'tolerance-ms': { type: 'string', default: '2000' },
        version: { type: 'boolean', default: false },
      },
    });
    const { address, id, version } = values;
    if (version) return 'version';
    const toleranceMs = Number(values['tolerance-ms']);
    if (address === undefined || !id || !Number.isSafeInteger(toleranceMs) || toleranceMs < 1) return undefined;
    return { address, id, toleranceMs };
  } catch {
    return undefined;
  }
}
