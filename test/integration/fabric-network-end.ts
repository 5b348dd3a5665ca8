import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  localNetworkFile,
  PORTS_OF_ORGANISATION,
  readNetworkFile,
} from '../../apps/cli/src/network/network-definition.ts';
import { bringDown } from '../../apps/cli/src/network/network-down.ts';

// Ends a test's network when its standard input closes, however the test ended: the network's processes outlive whoever started them.
const [, , directory = '', countries = ''] = process.argv;
process.stdin.resume();
process.stdin.on('error', () => undefined);
await new Promise((closed) => process.stdin.once('close', closed));
// Which processes there are is noted in the folders; the ports do not matter. One that joined in the test has a folder too.
const file = localNetworkFile(Number(countries), 20_000);
const known = new Set(file.organisations.map(({ id }) => id));
const joined = existsSync(join(directory, 'organisations'))
  ? readdirSync(join(directory, 'organisations')).filter((id) => !known.has(id))
  : [];
const placed = [...known, ...joined].map((id, i) => ({
  id,
  host: '127.0.0.1',
  port: 10_000 + i * PORTS_OF_ORGANISATION,
}));
await bringDown(readNetworkFile({ ...file, organisations: placed }), directory);
rmSync(directory, { recursive: true, force: true });
