import { join, resolve } from 'node:path';
import type { FabricOrganisation } from './network-definition.ts';

/** Where a network's files are. What is shared is public; each organisation's folder is its own, with its own secrets. */
export type NetworkLayout = {
  readonly definitionFile: string;
  /** Public: the first block of the channel and every organisation's certificates. */
  readonly shared: string;
  readonly genesisBlock: string;
  /** The last configuration block that was made from here, once there was one after the first. */
  readonly newestConfiguration: string;
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
  /** Public, in the shared folder: the member service's definition, and what the channel pins of the orderer. */
  readonly publicMsp: string;
  readonly publicTlsCa: string;
  readonly publicOrdererCertificate: string;
  readonly publicOrdererTls: string;
  /** The authority of those who sign, and that of connections. The keys need not be here: an organisation may have its certificates issued elsewhere. */
  readonly ca: CertificateFiles;
  readonly tlsCa: CertificateFiles;
  readonly peer: NodeCrypto;
  readonly orderer: NodeCrypto;
  /** The administrator who configures the peer, as Fabric's program wants it. */
  readonly admin: MspFiles;
  /** The client under whose name the CoreAPI submits. */
  readonly client: CertificateFiles;
};

export type CertificateFiles = { readonly certificate: string; readonly key: string };

/** Somebody's folder as Fabric reads it, with the certificate and key in it. */
export type MspFiles = CertificateFiles & { readonly msp: string };

export type NodeCrypto = MspFiles & {
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
    newestConfiguration: join(shared, 'newest-configuration.block'),
    organisation: (organisation) => organisationLayout(base, shared, organisation),
  };
}

function organisationLayout(base: string, shared: string, { id }: FabricOrganisation): OrganisationLayout {
  const folder = join(base, 'organisations', id);
  const crypto = join(folder, 'crypto');
  const publicFolder = join(shared, id);
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
    publicMsp: join(publicFolder, 'msp'),
    publicTlsCa: join(publicFolder, 'tls-ca.pem'),
    publicOrdererCertificate: join(publicFolder, 'orderer.pem'),
    publicOrdererTls: join(publicFolder, 'orderer-tls.pem'),
    ca: certificateFiles(join(crypto, 'ca'), 'ca'),
    tlsCa: certificateFiles(join(crypto, 'tls-ca'), 'tls-ca'),
    peer: nodeCrypto(join(crypto, 'peer'), 'peer'),
    orderer: nodeCrypto(join(crypto, 'orderer'), 'orderer'),
    admin: mspFiles(join(crypto, 'admin'), 'admin'),
    client: certificateFiles(join(crypto, 'client'), 'client'),
  };
}

function certificateFiles(folder: string, name: string): CertificateFiles {
  return { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function mspFiles(folder: string, name: string): MspFiles {
  const msp = join(folder, 'msp');
  return { msp, certificate: join(msp, 'signcerts', `${name}.pem`), key: join(msp, 'keystore', `${name}.key`) };
}

function nodeCrypto(folder: string, name: string): NodeCrypto {
  return {
    ...mspFiles(folder, name),
    tlsCertificate: join(folder, 'tls', 'server.pem'),
    tlsKey: join(folder, 'tls', 'server.key'),
    tlsCa: join(folder, 'tls', 'ca.pem'),
  };
}
