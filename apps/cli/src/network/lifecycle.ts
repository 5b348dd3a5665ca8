import { writeFileSync } from 'node:fs';
import { Fault } from '@linkspan/protocol';
import type { ChaincodePackage } from './chaincode-package.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import { type FabricNetwork, type FabricOrganisation, peerMsp } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { runProgram } from './run-program.ts';

/** What an administrator of one organisation does to its own peer and in its name. */
export class Administrator {
  readonly #programs: FabricPrograms;
  readonly #network: FabricNetwork;
  readonly #layout: NetworkLayout;
  readonly #organisation: FabricOrganisation;

  constructor(
    programs: FabricPrograms,
    network: FabricNetwork,
    layout: NetworkLayout,
    organisation: FabricOrganisation,
  ) {
    this.#programs = programs;
    this.#network = network;
    this.#layout = layout;
    this.#organisation = organisation;
  }

  /** A peer that has joined already is left as it is. */
  async joinChannel(): Promise<void> {
    await this.#unless(/already exists/, ['channel', 'join', '-b', this.#layout.genesisBlock]);
  }

  async install({ content }: ChaincodePackage): Promise<void> {
    const { chaincodePackage } = this.#layout.organisation(this.#organisation);
    writeFileSync(chaincodePackage, content);
    await this.#unless(/already successfully installed/, ['lifecycle', 'chaincode', 'install', chaincodePackage]);
  }

  async approve(packageId: string, version: string, sequence: number): Promise<void> {
    const args = ['lifecycle', 'chaincode', 'approveformyorg', '--package-id', packageId];
    await this.#unless(/with unchanged content|current committed sequence \(\d+\) for namespace \S+$/, [
      ...args,
      ...this.#ordering(),
      ...this.#definition(version, sequence),
    ]);
  }

  /** Makes the definition that enough organisations have approved the channel's own. */
  async commit(version: string, sequence: number): Promise<void> {
    const { organisations, endorsements } = this.#network;
    const endorsers = organisations
      .slice(0, endorsements)
      .flatMap((each) => [
        '--peerAddresses',
        `${each.host}:${each.ports.peer}`,
        '--tlsRootCertFiles',
        this.#layout.organisation(each).publicPeerTlsCa,
      ]);
    const args = ['lifecycle', 'chaincode', 'commit', ...endorsers];
    await this.#unless(/new definition must be sequence/, [
      ...args,
      ...this.#ordering(),
      ...this.#definition(version, sequence),
    ]);
  }

  #definition(version: string, sequence: number): string[] {
    const { channel, chaincode } = this.#network;
    return ['--channelID', channel, '--name', chaincode, '--version', version, '--sequence', String(sequence)];
  }

  #ordering(): string[] {
    const { host, ports } = this.#organisation;
    return [
      '-o',
      `${host}:${ports.orderer}`,
      '--tls',
      '--cafile',
      this.#layout.organisation(this.#organisation).publicOrdererTlsCa,
    ];
  }

  async #unless(done: RegExp, args: readonly string[]): Promise<void> {
    try {
      await this.#peer(args);
    } catch (error) {
      if (!(error instanceof Fault) || !done.test(error.message)) throw error;
    }
  }

  #peer(args: readonly string[]): Promise<string> {
    const own = this.#layout.organisation(this.#organisation);
    const { host, ports } = this.#organisation;
    return runProgram(this.#programs.peer, args, {
      FABRIC_CFG_PATH: own.peerConfig,
      FABRIC_LOGGING_SPEC: 'error',
      CORE_PEER_LOCALMSPID: peerMsp(this.#organisation),
      CORE_PEER_MSPCONFIGPATH: own.adminMsp,
      CORE_PEER_ADDRESS: `${host}:${ports.peer}`,
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_ROOTCERT_FILE: own.peer.tlsCa,
    });
  }
}
