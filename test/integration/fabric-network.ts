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
  peerMsp,
  PORTS_OF_ORGANISATION,
  readNetworkFile,
} from '../../apps/cli/src/network/network-definition.ts';
import { networkLayout } from '../../apps/cli/src/network/network-layout.ts';
import { bringUp, type ChaincodeProgram } from '../../apps/cli/src/network/network-up.ts';

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

/** The contract's network, unless another chaincode is named. */
export async function startTestNetwork(
  countries: 3 | 4 | 7,
  other?: ChaincodeProgram & { readonly name: string },
): Promise<TestNetwork> {
  const programs = await fabricPrograms(process.env, () => undefined);
  const directory = mkdtempSync(join(tmpdir(), 'linkspan-fabric-'));
  const file = readNetworkFile(localNetworkFile(countries, await freePorts(countries * PORTS_OF_ORGANISATION)));
  const network = other ? { ...file, chaincode: other.name } : file;
  const layout = networkLayout(directory);
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
        identity: { mspId: peerMsp(organisation), certificate: readFileSync(own.client.certificate, 'utf8') },
        archiveFile: join(own.folder, 'core-api', 'archive.sqlite'),
        sign: lowSSigner(readFileSync(own.client.key, 'utf8')),
        gateways: [gatewayOf(organisation, own.publicPeerTlsCa)],
      };
    },
    ledgerConfig: (organisation) => {
      const own = layout.organisation(organisation);
      const { address, name } = gatewayOf(organisation, own.publicPeerTlsCa);
      return {
        kind: 'fabric',
        channel: network.channel,
        chaincode: network.chaincode,
        mspId: peerMsp(organisation),
        client: { certFile: own.client.certificate, keyFile: own.client.key },
        gateways: [{ address, name, caFile: own.publicPeerTlsCa }],
        archiveFile: join(own.folder, 'core-api', 'archive.sqlite'),
      };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function gatewayOf({ id, host, ports }: FabricOrganisation, tlsCaFile: string): GatewayAddress {
  return { address: `${host}:${ports.peer}`, name: `peer.${id}`, tlsCa: readFileSync(tlsCaFile, 'utf8') };
}

/** The first of so many ports in a row that nobody listens on. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = await listenOnce(0);
    if (first === undefined || first + count > 60_000) continue;
    const found = await Promise.all(Array.from({ length: count }, (_, i) => listenOnce(first + i)));
    if (found.every((port) => port !== undefined)) return first;
  }
}

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
