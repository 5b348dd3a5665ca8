import { join, resolve } from 'node:path';
import type { FabricOrganisation } from './network-definition.ts';

/** Where a network's files are. What is shared is public; each organisation's folder is its own, with its own secrets. */
export type NetworkLayout = {
  readonly definitionFile: string;
  /** Public: the first block of the channel and every organisation's certificates. */
  readonly shared: string;
  readonly genesisBlock: string;
  organisation(organisation: FabricOrganisation): OrganisationLayout;
};

export type OrganisationLayout = {
  readonly folder: string;
  readonly logs: string;
  readonly processes: string;
  /** Made by this organisation alone; holds its private keys. */
  readonly crypto: string;
  readonly peerConfig: string;
  readonly peerData: string;
  readonly ordererConfig: string;
  readonly ordererData: string;
  readonly builder: string;
  readonly chaincodePackage: string;
  /** Public member service definitions, in the shared folder. */
  readonly publicPeerMsp: string;
  readonly publicOrdererMsp: string;
  readonly publicOrdererCertificate: string;
  readonly publicOrdererTls: string;
  readonly publicPeerTlsCa: string;
  readonly publicOrdererTlsCa: string;
  readonly peer: NodeCrypto;
  readonly orderer: NodeCrypto;
  /** The administrator who configures the peer, and the client under whose name the CoreAPI submits. */
  readonly adminMsp: string;
  readonly client: { readonly certificate: string; readonly key: string };
};

export type NodeCrypto = {
  readonly msp: string;
  readonly signCertificate: string;
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  readonly tlsCa: string;
};

export function networkLayout(directory: string): NetworkLayout {
  const base = resolve(directory);
  const shared = join(base, 'shared');
  return {
    definitionFile: join(base, 'network.json'),
    shared,
    genesisBlock: join(shared, 'genesis.block'),
    organisation: (organisation) => organisationLayout(base, shared, organisation),
  };
}

function organisationLayout(base: string, shared: string, { id }: FabricOrganisation): OrganisationLayout {
  const folder = join(base, 'organisations', id);
  const crypto = join(folder, 'crypto');
  const publicFolder = join(shared, id);
  const peers = join(crypto, 'peerOrganizations', id);
  const orderers = join(crypto, 'ordererOrganizations', id);
  const client = join(peers, 'users', `User1@${id}`, 'msp');
  return {
    folder,
    logs: join(folder, 'logs'),
    processes: join(folder, 'processes'),
    crypto,
    peerConfig: join(folder, 'peer'),
    peerData: join(folder, 'peer', 'data'),
    ordererConfig: join(folder, 'orderer'),
    ordererData: join(folder, 'orderer', 'data'),
    builder: join(folder, 'chaincode', 'builder'),
    chaincodePackage: join(folder, 'chaincode', 'package.tgz'),
    publicPeerMsp: join(publicFolder, 'peer-msp'),
    publicOrdererMsp: join(publicFolder, 'orderer-msp'),
    publicOrdererCertificate: join(publicFolder, 'orderer.pem'),
    publicOrdererTls: join(publicFolder, 'orderer-tls.pem'),
    publicPeerTlsCa: join(publicFolder, 'peer-tls-ca.pem'),
    publicOrdererTlsCa: join(publicFolder, 'orderer-tls-ca.pem'),
    peer: nodeCrypto(join(peers, 'peers', `peer.${id}`), `peer.${id}`),
    orderer: nodeCrypto(join(orderers, 'orderers', `orderer.${id}`), `orderer.${id}`),
    adminMsp: join(peers, 'users', `Admin@${id}`, 'msp'),
    client: {
      certificate: join(client, 'signcerts', `User1@${id}-cert.pem`),
      key: join(client, 'keystore', 'priv_sk'),
    },
  };
}

function nodeCrypto(folder: string, name: string): NodeCrypto {
  const tls = join(folder, 'tls');
  return {
    msp: join(folder, 'msp'),
    signCertificate: join(folder, 'msp', 'signcerts', `${name}-cert.pem`),
    tlsCertificate: join(tls, 'server.crt'),
    tlsKey: join(tls, 'server.key'),
    tlsCa: join(tls, 'ca.crt'),
  };
}
