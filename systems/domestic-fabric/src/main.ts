import { parseArgs } from 'node:util';
import shim from 'fabric-shim';
import { CashChaincode } from './cash-chaincode.ts';

/**
 * Serves the token to one organisation's peer, as chaincode-as-a-service. The id is that of the package which the peer has installed; the issuer is the
 * member service whose client may start the token, and each organisation that endorses names it by itself.
 */
const USAGE = 'Usage: node systems/domestic-fabric/src/main.ts --address HOST:PORT --id PACKAGE-ID --issuer MSP';

const options = readOptions();
if (options === undefined) {
  process.stderr.write(`${USAGE}\n`);
  process.exitCode = 2;
} else {
  const { address, id, issuer } = options;
  // The types demand what encryption needs; a peer and its own chaincode talk over the loopback address without it.
  const tlsProps = JSON.parse('null');
  await shim.Shim.server(new CashChaincode({ issuerMsp: issuer }), { ccid: id, address, tlsProps }).start();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
  process.stdout.write(`${JSON.stringify({ ready: true, address, id })}\n`);
}

function readOptions(): { readonly address: string; readonly id: string; readonly issuer: string } | undefined {
  try {
    const text = { type: 'string' } as const;
    const { address, id, issuer } = parseArgs({ options: { address: text, id: text, issuer: text } }).values;
    return address && id && issuer ? { address, id, issuer } : undefined;
  } catch {
    return undefined;
  }
}
