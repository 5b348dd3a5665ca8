import type { NetworkView } from '@linkspan/contract';
import type { Ledger } from '@linkspan/ledger';
import { type CertificateKey, type Epoch, Fault, type Signer, type SigningKey } from '@linkspan/protocol';

/** The keys of an organisation as it holds them: those in use, and those that a change of the network will put in their place. */
export type CertificateSigners = {
  readonly certificate: Signer<CertificateKey>;
  readonly nextCertificate?: Signer<CertificateKey> | undefined;
};

/** All keys of an organisation, and those that a change of the network puts in their place. Which are used follows from the ledger. */
export type OrganisationSigners = CertificateSigners & {
  readonly call: Signer<SigningKey>;
  readonly nextCall?: Signer<SigningKey> | undefined;
};

/**
 * What this organisation's node says of the network: its members, and whose certificates count. Which of its own keys an organisation signs with
 * follows from here, never from its configuration.
 */
export class NetworkState {
  readonly #ledger: Ledger;
  readonly #organisation: string;
  readonly #signers: CertificateSigners;
  readonly #quorums = new Map<number, number>();
  #view: NetworkView;

  private constructor(ledger: Ledger, organisation: string, signers: CertificateSigners, view: NetworkView) {
    this.#ledger = ledger;
    this.#organisation = organisation;
    this.#signers = signers;
    this.#view = view;
  }

  /** Throws a Fault `configuration-invalid` where the ledger has no genesis. */
  static async read(ledger: Ledger, organisation: string, signers: CertificateSigners): Promise<NetworkState> {
    const state = new NetworkState(ledger, organisation, signers, await readNetwork(ledger));
    await state.#readQuorums();
    return state;
  }

  get view(): NetworkView {
    return this.#view;
  }

  /** Everybody to ask for shares: also those that join with the epoch that is announced. */
  get organisations(): readonly string[] {
    return [...new Set(this.#inForce().flatMap(({ members }) => members.map(({ organisation }) => organisation)))];
  }

  /** Reads again what the node says; answers whether it differs from before. */
  async refresh(): Promise<boolean> {
    const before = standing(this.#view);
    const view = await readNetwork(this.#ledger);
    const differs = standing(view) !== before;
    this.#view = view;
    if (differs) await this.#readQuorums();
    return differs;
  }

  /** Whether a key's signatures count in an epoch that is in force. */
  counts(epoch: number, key: CertificateKey): boolean {
    if (this.#view.revoked.includes(key)) return false;
    return this.#epoch(epoch)?.members.some(({ certificateKey }) => certificateKey === key) === true;
  }

  /** How many signatures make a certificate of an epoch, also of one that has ended. */
  quorumOf(epoch: number): number {
    return this.#quorums.get(epoch) ?? Infinity;
  }

  /** This organisation's own key in an epoch; undefined where the epoch is not in force, or the organisation does not hold the key that counts. */
  signerOf(epoch: number): Signer<CertificateKey> | undefined {
    const member = this.#epoch(epoch)?.members.find(({ organisation }) => organisation === this.#organisation);
    if (!member || this.#view.revoked.includes(member.certificateKey)) return undefined;
    const { certificate, nextCertificate } = this.#signers;
    return [certificate, nextCertificate].find((signer) => signer?.key === member.certificateKey);
  }

  /** Whether the epoch is one that this organisation has heard of. */
  knows(epoch: number): boolean {
    return this.#quorums.has(epoch);
  }

  /**
   * The epoch of the certificates that systems of this organisation are brought: once it has confirmed that they know the announced one, what they
   * hold may be of it already.
   */
  get usedEpoch(): number {
    const { announced, epoch } = this.#view;
    return announced?.confirmed.includes(this.#organisation) === true ? announced.epoch : epoch;
  }

  #inForce(): readonly Epoch[] {
    const { current, announced } = this.#view;
    return announced ? [current, announced] : [current];
  }

  #epoch(epoch: number): Epoch | undefined {
    return this.#inForce().find((each) => each.epoch === epoch);
  }

  async #readQuorums(): Promise<void> {
    const epochs = await this.#ledger.evaluate('epochs', {});
    if (!epochs.ok) throw new Fault('ledger-unavailable', epochs.refusal.message);
    this.#quorums.set(1, this.#view.genesis.quorum);
    for (const { epoch, quorum } of epochs.value) this.#quorums.set(epoch, quorum);
  }
}

async function readNetwork(ledger: Ledger): Promise<NetworkView> {
  const network = await ledger.evaluate('network', {});
  if (!network.ok || network.value === null) throw new Fault('configuration-invalid', 'The ledger has no genesis.');
  return network.value;
}

/** What must differ for anything else to differ. */
function standing({ changes, epoch, announced }: NetworkView): string {
  return `${changes} ${epoch} ${announced?.epoch} ${announced?.confirmed.join()}`;
}
