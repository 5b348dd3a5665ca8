import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { localNetworkFile, readNetworkFile } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { networkStatus } from './network-status.ts';
import { notedProcesses, startProcess, stopProcess } from './node-process.ts';

test('what another network’s nodes say at the same ports is not taken for an answer of its own', async () => {
  const directory = mkdtempSync(`${tmpdir()}/linkspan-status-`);
  const stranger = createServer((_, response) => response.end('ledger_blockchain_height{channel="linkspan"} 7\n'));
  stranger.listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const address = stranger.address();
  assert.ok(typeof address === 'object' && address);
  // The third of an organisation's ports is where its peer tells its height.
  const network = readNetworkFile(localNetworkFile(4, address.port - 2));
  const [first] = network.organisations;
  assert.ok(first);
  const own = networkLayout(directory).organisation(first);
  mkdirSync(own.folder, { recursive: true });
  try {
    const [silent] = await networkStatus(network, directory);
    assert.deepEqual([silent?.peerHeight, silent?.missing], [undefined, ['peer', 'orderer', 'chaincode']]);
    startProcess(own, {
      name: 'peer',
      program: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1000)'],
      env: {},
    });
    const [running] = await networkStatus(network, directory);
    assert.deepEqual([running?.peerHeight, running?.missing.includes('peer')], [7, false]);
  } finally {
    stranger.close();
    for (const noted of notedProcesses(own)) await stopProcess(own, noted);
    rmSync(directory, { recursive: true });
  }
});
