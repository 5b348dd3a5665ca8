import { writeFileSync } from 'node:fs';
import { Fault } from '@linkspan/protocol';
import type { ChaincodeDefinition } from './chaincode-definition.ts';
import type { ChaincodePackage } from './chaincode-package.ts';
import type { FabricPrograms } from './fabric-programs.ts';
import { type FabricNetwork, type FabricOrganisation, mspId, votersOf } from './network-definition.ts';
import type { NetworkLayout } from './network-layout.ts';
import { runProgram } from './run-program.ts';

/** Approvals are private data of the organisation that gave them. */
const LOST = /private data matching public hash version is not available/;

/** The peer did not get the block of its own transaction, as on a machine that is busy with starting everything. */
const UNSEEN = /timed out waiting for txid/;
const SEEN_WITHIN = ['--waitForEventTimeout', '20s'];
const ATTEMPTS = 4;

/** What an administrator of one organisation does to its own peer and in its name. */
export class Administrator {
  readonly #programs: FabricPrograms;
  readonly #network: FabricNetwork;
  readonly #layout: NetworkLayout;
  readonly #organisation: FabricOrganisation;
  readonly #orderer: FabricOrganisation;

  constructor(
    programs: FabricPrograms,
    network: FabricNetwork,
    layout: NetworkLayout,
    organisation: FabricOrganisation,
    /** Whose orderer takes what it submits: its own, unless that one has no vote yet. */
    orderer: FabricOrganisation = organisation,
  ) {
    this.#programs = programs;
    this.#network = network;
    this.#layout = layout;
    this.#organisation = organisation;
    this.#orderer = orderer;
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

  /**
   * Agrees to a definition in the organisation's name, and tells its peer by which package it finds the code. Answers false where the peer has lost with its disk
   * what it was told: nobody else has that, so only the next definition helps.
   */
  async approve(packageId: string, definition: ChaincodeDefinition): Promise<boolean> {
    const args = ['lifecycle', 'chaincode', 'approveformyorg', '--package-id', packageId];
    try {
      await this.#unless(/with unchanged content|current committed sequence \(\d+\) for namespace \S+$/, [
        ...args,
        ...SEEN_WITHIN,
        ...this.#ordering(),
        ...this.#definition(definition),
      ]);
      return true;
    } catch (error) {
      if (error instanceof Fault && LOST.test(error.message)) return false;
      throw error;
    }
  }

  /** Makes the definition that enough organisations have approved the channel's own; of those named as many peers are asked as must agree. */
  async commit(definition: ChaincodeDefinition, by = votersOf(this.#network)): Promise<void> {
    const endorsers = by
      .slice(0, this.#network.endorsements)
      .flatMap((each) => [
        '--peerAddresses',
        `${each.host}:${each.ports.peer}`,
        '--tlsRootCertFiles',
        this.#layout.organisation(each).publicTlsCa,
      ]);
    const args = ['lifecycle', 'chaincode', 'commit', ...endorsers];
    await this.#unless(/new definition must be sequence/, [
      ...args,
      ...SEEN_WITHIN,
      ...this.#ordering(),
      ...this.#definition(definition),
    ]);
  }

  /** The organisations that have agreed to a definition which is not in force yet. */
  async agreed(definition: ChaincodeDefinition): Promise<readonly string[]> {
    const args = ['lifecycle', 'chaincode', 'checkcommitreadiness', ...this.#definition(definition)];
    const said: unknown = JSON.parse(await this.#peer([...args, '--output', 'json']));
    if (typeof said !== 'object' || said === null || !('approvals' in said))
      throw new TypeError('the peer tells approvals in another form');
    return Object.entries(said.approvals ?? {}).flatMap(([id, agrees]) => (agrees === true ? [id] : []));
  }

  /** What the organisation's peer knows the channel to have agreed on last; a Fault where it does not answer or knows nothing. */
  async committed(): Promise<ChaincodeDefinition> {
    const { channel, chaincode } = this.#network;
    const args = ['lifecycle', 'chaincode', 'querycommitted', '--channelID', channel, '--name', chaincode];
    const said: unknown = JSON.parse(await this.#peer([...args, '--output', 'json']));
    if (typeof said !== 'object' || said === null || !('sequence' in said) || !('version' in said))
      throw new TypeError('the peer tells a definition in another form');
    return { sequence: Number(said.sequence), version: String(said.version) };
  }

  /** Asks the organisation's own chaincode, through its peer. */
  ask(...args: readonly string[]): Promise<string> {
    const { channel, chaincode } = this.#network;
    return this.#peer(['chaincode', 'query', '-C', channel, '-n', chaincode, '-c', JSON.stringify({ Args: args })]);
  }

  /** Writes the newest configuration block of the channel to a file. */
  async fetchConfiguration(file: string): Promise<void> {
    await this.#peer(['channel', 'fetch', 'config', file, '-c', this.#network.channel, ...this.#ordering()]);
  }

  /** Brings a signed update of the channel's configuration to the orderers. */
  async submitUpdate(file: string): Promise<void> {
    await this.#peer(['channel', 'update', '-f', file, '-c', this.#network.channel, ...this.#ordering()]);
  }

  #definition({ sequence, version }: ChaincodeDefinition): string[] {
    const { channel, chaincode } = this.#network;
    return ['--channelID', channel, '--name', chaincode, '--version', version, '--sequence', String(sequence)];
  }

  #ordering(): string[] {
    const { host, ports } = this.#orderer;
    const { publicTlsCa } = this.#layout.organisation(this.#orderer);
    return ['-o', `${host}:${ports.orderer}`, '--tls', '--cafile', publicTlsCa];
  }

  /** Does what may be done twice: where the peer does not see its transaction in time, whether it came is unknown, and saying it once more finds out. */
  async #unless(done: RegExp, args: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#peer(args);
        return;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (done.test(error.message)) return;
        if (!UNSEEN.test(error.message) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  #peer(args: readonly string[]): Promise<string> {
    const own = this.#layout.organisation(this.#organisation);
    const { host, ports } = this.#organisation;
    return runProgram(this.#programs.peer, args, {
      FABRIC_CFG_PATH: own.peerConfig,
      FABRIC_LOGGING_SPEC: 'error',
      CORE_PEER_LOCALMSPID: mspId(this.#organisation),
      CORE_PEER_MSPCONFIGPATH: own.admin.msp,
      CORE_PEER_ADDRESS: `${host}:${ports.peer}`,
      CORE_PEER_TLS_ENABLED: 'true',
      CORE_PEER_TLS_ROOTCERT_FILE: own.peer.tlsCa,
    });
  }
}
