import { readFileSync } from 'node:fs';
import { readNetworkFile } from '../../apps/cli/src/network/network-definition.ts';
import { bringDown } from '../../apps/cli/src/network/network-down.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';

// Ends the Fabric nodes in a data directory when its standard input closes, which is when whoever started them is gone.
const [, , data = ''] = process.argv;
process.stdin.resume();
process.stdin.on('error', () => undefined);
await new Promise((closed) => process.stdin.once('close', closed));
await bringDown(readNetworkFile(JSON.parse(readFileSync(networkLayout(data).definitionFile, 'utf8'))), data);
