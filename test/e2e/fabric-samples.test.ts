import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  localNetworkFile,
  PORTS_OF_ORGANISATION,
  readNetworkFile,
} from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { isRunning, notedProcesses } from '../../apps/cli/src/network/node-process.ts';
import { freePorts, whyNoFabric } from '../integration/fabric-network.ts';
import { Workplace } from './npm-start.ts';

const missing = await whyNoFabric();
// All twelve take a minute: npm start -- --host fabric --once.
const SAMPLES = ['01-settled', '03-insufficient-lcy', '08-coordinator-killed', '09-report-settled'];
const WHAT =
  'on Fabric samples end as their files say, also where every CoreAPI is killed, and no node is left running';

test(WHAT, missing === undefined ? {} : { skip: missing }, async () => {
  await using place = new Workplace();
  const portBase = await freePorts(4 * PORTS_OF_ORGANISATION);
  const layout = networkLayout(join(place.folder, 'fabric'));
  const { organisations } = readNetworkFile(localNetworkFile(4, portBase));
  const nodes = () => organisations.flatMap((each) => notedProcesses(layout.organisation(each)));
  const samples = place.samples(...SAMPLES);
  const start = place.start('fabric', portBase, '--host', 'fabric', '--once', '--samples', samples);
  await start.says(/all are ready/);
  const running = nodes();
  assert.equal(running.length, 4 * 3);
  const { code, errors, lines } = await start.ended;
  assert.deepEqual(errors, []);
  assert.equal(code, 0, lines.join('\n'));
  assert.ok(
    lines.some((line) => line.includes(`${SAMPLES.length} of ${SAMPLES.length} samples ended as expected`)),
    lines.join('\n'),
  );
  await start.allGone();
  assert.deepEqual(running.filter(isRunning), []);
  assert.deepEqual(nodes(), []);
});
