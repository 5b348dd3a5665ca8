import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { FabricPrograms } from './fabric-programs.ts';
import { type FabricNetwork, type FabricOrganisation, mspId, votersOf } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { runProgram } from './run-program.ts';
import { writeJson } from './write-json.ts';

const PROFILE = 'Linkspan';

/** Has configtxgen make the first block of a channel as the network file says it should be; `folder` takes what it reads. */
export async function makeFirstBlock(
  programs: FabricPrograms,
  network: FabricNetwork,
  layout: NetworkLayout,
  file: string,
  folder: string,
): Promise<void> {
  writeJson(join(folder, 'configtx.yaml'), channelConfiguration(network, layout));
  const args = ['-profile', PROFILE, '-channelID', network.channel, '-outputBlock', file];
  await runProgram(programs.configtxgen, args, { FABRIC_CFG_PATH: folder });
  // Fabric's program makes it readable for its owner alone, and everybody may have it.
  chmodSync(file, PUBLIC);
}

const PUBLIC = 0o644;

/**
 * The channel's first configuration, as configtxgen reads it. Policies that every message meets are written as signatures of named members:
 * Fabric evaluates nested ones one by one and checks all signatures again each time, which was a third of the orderers' work when measured.
 */
export function channelConfiguration(network: FabricNetwork, layout: NetworkLayout): object {
  const { organisations, consensus, endorsements } = network;
  const voting = votersOf(network);
  const members = organisations.map((each) => `'${mspId(each)}.member'`);
  const anyone = signature(`OR(${members.join(', ')})`);
  const endorsed = signature(`OutOf(${endorsements}, ${voting.map((each) => `'${mspId(each)}.peer'`).join(', ')})`);
  const orderedBy = signature(`OR(${voting.map((each) => `'${mspId(each)}.orderer'`).join(', ')})`);
  const shared = { Readers: anyone, Writers: anyone, Admins: MAJORITY_OF_ADMINS };
  return {
    Profiles: {
      [PROFILE]: {
        Policies: shared,
        Capabilities: { [consensus === 'bft' ? 'V3_0' : 'V2_0']: true },
        Orderer: {
          ...ordering(network, layout),
          Organizations: organisations.map((each) => ordererOrganisation(each, layout)),
          // With BFT configtxgen replaces it by one that asks for signatures of a quorum of the consenters.
          Policies: { ...shared, BlockValidation: orderedBy },
          Capabilities: { V2_0: true },
        },
        Application: {
          Organizations: organisations.map((each) => peerOrganisation(each, layout)),
          Policies: { ...shared, Endorsement: endorsed, LifecycleEndorsement: endorsed },
          Capabilities: { V2_5: true },
        },
      },
    },
  };
}

type Policy = { readonly Type: 'Signature' | 'ImplicitMeta'; readonly Rule: string };

const MAJORITY_OF_ADMINS: Policy = { Type: 'ImplicitMeta', Rule: 'MAJORITY Admins' };

function signature(rule: string): Policy {
  return { Type: 'Signature', Rule: rule };
}

function peerOrganisation(organisation: FabricOrganisation, layout: NetworkLayout): object {
  const msp = mspId(organisation);
  return {
    Name: msp,
    ID: msp,
    MSPDir: layout.organisation(organisation).publicMsp,
    Policies: {
      Readers: signature(`OR('${msp}.member')`),
      Writers: signature(`OR('${msp}.member')`),
      Admins: signature(`OR('${msp}.admin')`),
      Endorsement: signature(`OR('${msp}.peer')`),
    },
    // Without it peers of other organisations are not found, and the gateway could gather no endorsements.
    AnchorPeers: [{ Host: organisation.host, Port: (organisation.outside ?? organisation.ports).peer }],
  };
}

function ordererOrganisation(organisation: FabricOrganisation, layout: NetworkLayout): object {
  const msp = mspId(organisation);
  return {
    Name: msp,
    ID: msp,
    MSPDir: layout.organisation(organisation).publicMsp,
    Policies: {
      Readers: signature(`OR('${msp}.member')`),
      Writers: signature(`OR('${msp}.member')`),
      Admins: signature(`OR('${msp}.admin')`),
    },
    OrdererEndpoints: [`${organisation.host}:${(organisation.outside ?? organisation.ports).orderer}`],
  };
}

const BATCH_SIZE = { MaxMessageCount: 100, AbsoluteMaxBytes: '10 MB', PreferredMaxBytes: '2 MB' };

/** The values are those of docs/decisions on the Fabric network: blocks after 5 ms, a dead leader replaced in about three seconds. */
const SMART_BFT = {
  RequestBatchMaxInterval: '5ms',
  RequestForwardTimeout: '500ms',
  RequestComplainTimeout: '2s',
  RequestAutoRemoveTimeout: '3m',
  ViewChangeResendInterval: '1s',
  ViewChangeTimeout: '5s',
  LeaderHeartbeatTimeout: '3s',
  LeaderHeartbeatCount: 10,
  CollectTimeout: '500ms',
  IncomingMessageBufferSize: 200,
  RequestPoolSize: 400,
};

const RAFT = {
  TickInterval: '100ms',
  ElectionTick: 10,
  HeartbeatTick: 1,
  MaxInflightBlocks: 5,
  SnapshotIntervalSize: '16 MB',
};

function ordering(network: FabricNetwork, layout: NetworkLayout): object {
  const { consensus } = network;
  const consenters = votersOf(network).map((organisation) => {
    const { publicOrdererCertificate, publicOrdererTls } = layout.organisation(organisation);
    const tls = { ClientTLSCert: publicOrdererTls, ServerTLSCert: publicOrdererTls };
    const address = { Host: organisation.host, Port: (organisation.outside ?? organisation.ports).orderer, ...tls };
    return {
      raft: address,
      bft: { ID: organisation.number, MSPID: mspId(organisation), Identity: publicOrdererCertificate, ...address },
    };
  });
  if (consensus === 'raft') {
    return {
      OrdererType: 'etcdraft',
      BatchTimeout: '10ms',
      BatchSize: BATCH_SIZE,
      EtcdRaft: { Consenters: consenters.map(({ raft }) => raft), Options: RAFT },
    };
  }
  return {
    OrdererType: 'BFT',
    BatchTimeout: '10ms',
    BatchSize: BATCH_SIZE,
    SmartBFT: SMART_BFT,
    ConsenterMapping: consenters.map(({ bft }) => bft),
  };
}
