import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lowSSigner } from '@linkspan/keys';
import type { FabricLedgerOptions, GatewayAddress } from '@linkspan/ledger';
import { canHavePrograms, fabricPrograms } from '../../apps/cli/src/network/fabric-programs.ts';
import {
  type FabricNetwork,
  type FabricOrganisation,
  localNetworkFile,
  mspId,
  PORTS_OF_ORGANISATION,
  readNetworkFile,
} from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { ledgerConfig } from '../../apps/cli/src/network/product-files.ts';
import type { ChaincodeProgram } from '../../apps/cli/src/network/chaincode-definition.ts';
import { bringUp } from '../../apps/cli/src/network/network-up.ts';

/** A real Fabric network of a test, in a folder of its own. Disposing ends its processes and removes it. */
export type TestNetwork = AsyncDisposable & {
  readonly network: FabricNetwork;
  readonly directory: string;
  /** The same as a CoreAPI's configuration names it. */
  ledgerConfig(organisation: FabricOrganisation): object;
  /** Starts what has ended. */
  bringUp(): Promise<void>;
  /** What an organisation's ledger is opened with: its own client and its own peer. */
  ledgerOptions(organisation: FabricOrganisation): FabricLedgerOptions;
};

/** Why tests of a real network cannot run here, or undefined. */
export async function whyNoFabric(): Promise<string | undefined> {
  if (await canHavePrograms(process.env)) return undefined;
  return 'needs Go or FABRIC_BIN to run real Fabric nodes';
}

/**
 * The contract's network, unless another chaincode is named. Where `between` is given, other organisations reach each one's peer and orderer at ports
 * where it has something listen before the nodes start.
 */
export async function startTestNetwork(
  countries: 3 | 4 | 7,
  other?: ChaincodeProgram & { readonly name: string },
  between?: (network: FabricNetwork, directory: string) => Promise<void>,
): Promise<TestNetwork> {
  const programs = await fabricPrograms(process.env, () => undefined);
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-fabric-'));
  const own = countries * PORTS_OF_ORGANISATION;
  const portBase = await freePorts(own + 2 * countries);
  const file = readNetworkFile(localNetworkFile(countries, portBase));
  const reached = file.organisations.map((each, i) => ({
    ...each,
    outside: { peer: portBase + own + 2 * i, orderer: portBase + own + 2 * i + 1 },
  }));
  const network = {
    ...file,
    ...(other ? { chaincode: other.name } : {}),
    ...(between ? { organisations: reached } : {}),
  };
  const layout = networkLayout(directory);
  await between?.(network, directory);
  const ending = spawn(
    process.execPath,
    [join(import.meta.dirname, 'fabric-network-end.ts'), directory, String(countries)],
    { stdio: ['pipe', 'ignore', 'inherit'], detached: true },
  );
  const ended = new Promise((resolve) => ending.once('exit', resolve));
  const dispose = async (): Promise<void> => {
    ending.stdin.end();
    assert.equal(await ended, 0, 'the network must come to its end');
  };
  const up = (): Promise<void> =>
    bringUp({ network, directory, programs, say: () => undefined, ...(other ? { chaincode: other } : {}) });
  try {
    await up();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    network,
    directory,
    bringUp: up,
    ledgerOptions: (organisation) => {
      const own = layout.organisation(organisation);
      return {
        channel: network.channel,
        chaincode: network.chaincode,
        identity: { mspId: mspId(organisation), certificate: readFileSync(own.client.certificate, 'utf8') },
        archiveFile: join(own.folder, 'core-api', 'archive.sqlite'),
        sign: lowSSigner(readFileSync(own.client.key, 'utf8')),
        gateways: [gatewayOf(organisation, own.publicTlsCa)],
      };
    },
    ledgerConfig: (organisation) => ledgerConfig(network, organisation, layout),
    [Symbol.asyncDispose]: dispose,
  };
}

function gatewayOf({ id, host, ports }: FabricOrganisation, tlsCaFile: string): GatewayAddress {
  return { address: `${host}:${ports.peer}`, name: `peer.${id}`, tlsCa: readFileSync(tlsCaFile, 'utf8') };
}

/** The first of so many ports in a row that nobody listens on. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    // Below those that the system gives to outgoing connections, since some of these ports are used minutes later.
    const first = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT - count));
    const found = await Promise.all(Array.from({ length: count }, (_, i) => listenOnce(first + i)));
    if (found.every((port) => port !== undefined)) return first;
  }
}

const [LOWEST_PORT, HIGHEST_PORT] = [10_000, 32_000];

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}
