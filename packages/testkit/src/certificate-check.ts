import {
  type CertificateKey,
  type CertificateKind,
  type Hash,
  type SignedCertificate,
  type Verify,
  verifyShare,
} from '@linkspan/protocol';

/** Who signs certificates in an epoch, and how many must have signed. */
export type EpochKeys = { readonly epoch: number; readonly keys: readonly CertificateKey[]; readonly quorum: number };

/** Where no hold says of which epoch a certificate must be, one of any epoch will do. */
export const NO_HOLD = 0;

/** What a connected system checks of certificates. It knows epochs that were installed one after the other, and forgets none. */
export class CertificateCheck {
  readonly #network: Hash;
  readonly #verify: Verify;
  readonly #epochs: EpochKeys[];

  constructor(network: Hash, verify: Verify, first: EpochKeys) {
    this.#network = network;
    this.#verify = verify;
    this.#epochs = [first];
  }

  /** The epoch that holds are made in. */
  get latest(): number {
    return this.#epochs.at(-1)?.epoch ?? NO_HOLD;
  }

  install(next: EpochKeys): void {
    if (next.epoch !== this.latest + 1) throw new Error(`epoch ${next.epoch} does not follow ${this.latest}`);
    this.#epochs.push(next);
  }

  /** Why a certificate is not acceptable for the hold or operation `named`, made in `epoch`; undefined where it is. */
  problem(
    { certificate, block, path, signatures }: SignedCertificate,
    kind: CertificateKind,
    settlement: Hash,
    epoch: number,
    named: Hash,
  ): string | undefined {
    if (certificate.network !== this.#network) return 'The certificate is of another network.';
    if (certificate.settlement !== settlement) return 'The certificate is of another settlement.';
    if (certificate.kind !== kind) return `A ${kind} certificate is needed.`;
    const known = this.#epochs.find((each) => each.epoch === certificate.epoch);
    if (!known || certificate.epoch < epoch) return 'The certificate is of an unknown or older epoch.';
    if (!certificate.operations.includes(named)) return `The certificate does not name ${named}.`;
    const signers = new Set<CertificateKey>();
    for (const { key, signature } of signatures) {
      if (!known.keys.includes(key)) return `${key} is no signer of the epoch.`;
      if (!verifyShare(this.#verify, { certificate, key, block, path, signature }))
        return `The signature by ${key} does not fit.`;
      signers.add(key);
    }
    return signers.size < known.quorum ? `${signers.size} have signed; ${known.quorum} are needed.` : undefined;
  }
}
