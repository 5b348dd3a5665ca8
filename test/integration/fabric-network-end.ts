import { rmSync } from 'node:fs';
import { localNetworkFile, readNetworkFile } from '../../apps/cli/src/network/network-definition.ts';
import { bringDown } from '../../apps/cli/src/network/network-down.ts';

// Ends a test's network when its standard input closes, however the test ended: the network's processes outlive whoever started them.
const [, , directory = '', countries = ''] = process.argv;
process.stdin.resume();
process.stdin.on('error', () => undefined);
await new Promise((closed) => process.stdin.once('close', closed));
// Which processes there are is noted in the folder; the ports do not matter.
await bringDown(readNetworkFile(localNetworkFile(Number(countries), 20_000)), directory);
rmSync(directory, { recursive: true, force: true });
