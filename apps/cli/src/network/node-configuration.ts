import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FabricOrganisation, INSIDE, listenHost, mspId } from './network-definition.ts';
import type { OrganisationLayout } from './network-layout.ts';
import { writeJson } from './write-json.ts';

const BCCSP = { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } };

/** Writes what an organisation's peer and orderer read at their start. All paths are absolute, and inside the organisation's own folder. */
export function writeNodeConfiguration(organisation: FabricOrganisation, layout: OrganisationLayout): void {
  writeJson(join(layout.peerConfig, 'core.yaml'), peerConfiguration(organisation, layout));
  writeJson(join(layout.ordererConfig, 'orderer.yaml'), ordererConfiguration(organisation, layout));
  for (const folder of [layout.peerData, layout.ordererData]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeBuilder(layout.builder);
}

function peerConfiguration(organisation: FabricOrganisation, layout: OrganisationLayout): object {
  const { id, host, ports, outside = ports } = organisation;
  const { peer } = layout;
  const address = `${host}:${ports.peer}`;
  return {
    peer: {
      id: `peer.${id}`,
      networkId: 'linkspan',
      listenAddress: `${listenHost(organisation)}:${ports.peer}`,
      address,
      chaincodeListenAddress: `${INSIDE}:${ports.peerChaincode}`,
      chaincodeAddress: `${INSIDE}:${ports.peerChaincode}`,
      localMspId: mspId(organisation),
      mspConfigPath: peer.msp,
      fileSystemPath: layout.peerData,
      BCCSP,
      tls: {
        enabled: true,
        cert: { file: peer.tlsCertificate },
        key: { file: peer.tlsKey },
        rootcert: { file: peer.tlsCa },
      },
      // A peer that says nothing at all is passed over after the endorsement timeout, well before the client gives up waiting for the gateway.
      gateway: { enabled: true, endorsementTimeout: '4s', broadcastTimeout: '10s', dialTimeout: '4s' },
      keepalive: {
        minInterval: '60s',
        interval: '300s',
        timeout: '20s',
        client: { interval: '60s', timeout: '20s' },
        deliveryClient: { interval: '60s', timeout: '20s' },
      },
      // Other orderers' headers give away one that sends no blocks; it is left after this time (the key is Fabric's own, the built-in value is 30 s).
      deliveryclient: { blockCensorshipTimeoutKey: '3s' },
      gossip: {
        bootstrap: address,
        externalEndpoint: `${host}:${outside.peer}`,
        useLeaderElection: false,
        orgLeader: true,
        // An anchor that is contacted before it has joined the channel is tried again only after this time; the built-in value is 25 s.
        reconnectInterval: '1s',
      },
      discovery: { enabled: true, authCacheEnabled: true, authCacheMaxSize: 1000, authCachePurgeRetentionRatio: 0.75 },
      authentication: { timewindow: '15m' },
      handlers: {
        authFilters: [{ name: 'DefaultAuth' }, { name: 'ExpirationCheck' }, { name: 'TimeWindowCheck' }],
        decorators: [{ name: 'DefaultDecorator' }],
        endorsers: { escc: { name: 'DefaultEndorsement' } },
        validators: { vscc: { name: 'DefaultValidation' } },
      },
      limits: { concurrency: { endorserService: 2500, deliverService: 2500, gatewayService: 500 } },
      maxRecvMsgSize: 104_857_600,
      maxSendMsgSize: 104_857_600,
    },
    vm: { endpoint: '' },
    chaincode: {
      externalBuilders: [{ name: 'ccaas', path: layout.builder }],
      executetimeout: '30s',
      startuptimeout: '30s',
      installTimeout: '60s',
      system: { _lifecycle: 'enable', cscc: 'enable', lscc: 'enable', qscc: 'enable' },
      runtimeParams: {
        useWriteBatch: true,
        maxSizeWriteBatch: 1000,
        useGetMultipleKeys: true,
        maxSizeGetMultipleKeys: 1000,
      },
    },
    ledger: {
      state: { stateDatabase: 'goleveldb', totalQueryLimit: 100_000 },
      history: { enableHistoryDatabase: false },
      snapshots: { rootDir: join(layout.peerData, 'snapshots') },
    },
    operations: { listenAddress: `${INSIDE}:${ports.peerOperations}` },
    metrics: { provider: 'prometheus' },
  };
}

function ordererConfiguration(organisation: FabricOrganisation, layout: OrganisationLayout): object {
  const { ports } = organisation;
  const { orderer, ordererData } = layout;
  return {
    General: {
      ListenAddress: listenHost(organisation),
      ListenPort: ports.orderer,
      LocalMSPID: mspId(organisation),
      LocalMSPDir: orderer.msp,
      BCCSP,
      TLS: { Enabled: true, PrivateKey: orderer.tlsKey, Certificate: orderer.tlsCertificate, RootCAs: [orderer.tlsCa] },
      Keepalive: { ServerMinInterval: '60s', ServerInterval: '300s', ServerTimeout: '20s' },
      Authentication: { TimeWindow: '15m' },
      MaxRecvMsgSize: 104_857_600,
      MaxSendMsgSize: 104_857_600,
    },
    FileLedger: { Location: join(ordererData, 'ledger') },
    Consensus: { WALDir: join(ordererData, 'wal'), SnapDir: join(ordererData, 'snapshots') },
    ChannelParticipation: { Enabled: true, MaxRequestBodySize: '1 MB' },
    Operations: { ListenAddress: `${INSIDE}:${ports.ordererOperations}` },
    Admin: { ListenAddress: `${INSIDE}:${ports.ordererAdmin}` },
    Metrics: { Provider: 'prometheus' },
  };
}

/** Fabric's external builder for chaincode that runs as a service: it only hands the connection on. */
function writeBuilder(folder: string): void {
  const scripts = {
    detect: `grep -q '"type" *: *"ccaas"' "$2/metadata.json"`,
    build: `cp "$1/connection.json" "$3/connection.json"`,
    release: `mkdir -p "$2/chaincode/server" && cp "$1/connection.json" "$2/chaincode/server/connection.json"`,
  };
  mkdirSync(join(folder, 'bin'), { recursive: true });
  for (const [name, line] of Object.entries(scripts)) {
    const path = join(folder, 'bin', name);
    writeFileSync(path, `#!/bin/sh\n${line}\n`);
    chmodSync(path, 0o755);
  }
}
