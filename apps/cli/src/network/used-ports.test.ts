import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { Fault } from '@linkspan/protocol';
import { type FabricNetwork, localNetworkFile, readNetworkFile } from './network-definition.ts';
import { networkLayout } from './network-layout.ts';
import { notedProcesses, startProcess, stopProcess } from './node-process.ts';
import { agreedProduct, LOCAL_DEFINITION, readDefinition } from './product.ts';
import { checkPorts } from './used-ports.ts';

const directory = mkdtempSync(`${tmpdir()}/linkspan-ports-`);
const layout = networkLayout(directory);
const definition = readDefinition(LOCAL_DEFINITION);

test('the first port of another program is named, whose it is to be, and what to do; those of own processes are not looked at', async () => {
  const network = await networkOnFreePorts();
  const product = agreedProduct(network, definition);
  const [, second] = network.organisations;
  assert.ok(second);
  const own = layout.organisation(second);
  const taken = [createServer(), createServer()];
  const refused = (port: number, name: string) => (error: unknown) =>
    error instanceof Fault &&
    error.message === `Port ${port}, which ${name} of country-b is to have, is used by another program: choose others.`;
  try {
    await listenOn(second.ports.firstSystem, taken[0]);
    await checkPorts(network.organisations, layout, 'choose others');
    const whole = (): Promise<void> => checkPorts(network.organisations, layout, 'choose others', product);
    await assert.rejects(whole(), refused(second.ports.firstSystem, 'rtgs'));
    await listenOn(second.ports.otherChaincode, taken[1]);
    await assert.rejects(whole(), refused(second.ports.otherChaincode, 'chaincode'));
    const waiting = { program: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], env: {} };
    for (const name of ['chaincode', 'rtgs']) startProcess({ ...own, folder: directory }, { ...waiting, name });
    await whole();
  } finally {
    for (const server of taken) server.close();
    for (const noted of notedProcesses(own)) await stopProcess(own, noted);
    rmSync(directory, { recursive: true });
  }
});

async function networkOnFreePorts(): Promise<FabricNetwork> {
  for (;;) {
    const network = readNetworkFile(localNetworkFile(4, randomInt(12_000, 30_000)));
    try {
      await checkPorts(network.organisations, layout, '', agreedProduct(network, definition));
      return network;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
}

async function listenOn(port: number, server = createServer()): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
