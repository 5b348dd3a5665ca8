import {
  canonicalText,
  type Certificate,
  type CertificateKey,
  type CertificateKind,
  type CertificateShare,
  type Hash,
  joinShares,
  type SignedCertificate,
  type Verify,
  verifyShare,
} from '@linkspan/protocol';
import type { GatheredCertificate } from './coordinator.ts';

/**
 * Shares of one key that are kept for one settlement: one of every kind in two epochs, and room for a few that nobody called for. The oldest make way, so a
 * signer that sends too much takes nobody's room but its own, and not for ever.
 */
const MAXIMUM_SHARES_OF_KEY = 12;
/** Settlements that this node does not show as open and whose shares are kept all the same; the oldest make way. */
const MAXIMUM_EARLY = 10_000;

/** Whose signatures count in which epoch, and how many make a certificate. */
export type EpochSigners = {
  counts(epoch: number, key: CertificateKey): boolean;
  quorumOf(epoch: number): number;
};

/**
 * Certificate shares of open settlements. A share counts only once this organisation's own node calls for the same certificate, so a share
 * that came before its block waits here.
 */
export class ShareBook {
  readonly #verify: Verify;
  readonly #signers: EpochSigners;
  readonly #settlementOf: (proposal: Hash) => Hash | null | undefined;
  readonly #shares = new Map<Hash, CertificateShare[]>();
  readonly #early = new Set<Hash>();
  readonly #waiters = new Map<Hash, Set<() => void>>();

  /** `settlementOf`: the id of an open proposal's settlement, null while it has none, undefined for what is not open here. */
  constructor(verify: Verify, signers: EpochSigners, settlementOf: (proposal: Hash) => Hash | null | undefined) {
    this.#verify = verify;
    this.#signers = signers;
    this.#settlementOf = settlementOf;
  }

  /** Keeps the shares that prove themselves; answers how many were new. */
  add(proposal: Hash, shares: readonly CertificateShare[]): number {
    const known = this.#shares.get(proposal) ?? [];
    let added = 0;
    const settlement = this.#settlementOf(proposal) ?? undefined;
    for (const share of shares) {
      // True signatures of another settlement are of no use here, and there are as many as anyone likes.
      if (settlement !== undefined && share.certificate.settlement !== settlement) continue;
      if (!this.#isNew(known, share)) continue;
      makeRoom(known, share.key);
      known.push(share);
      added += 1;
    }
    if (added === 0) return 0;
    this.#shares.set(proposal, known);
    if (this.#settlementOf(proposal) === undefined) this.#keepEarly(proposal);
    for (const wake of this.#waiters.get(proposal) ?? []) wake();
    return added;
  }

  of(proposal: Hash, key?: CertificateKey): readonly CertificateShare[] {
    const shares = this.#shares.get(proposal) ?? [];
    return key === undefined ? shares : shares.filter((share) => share.key === key);
  }

  /** The certificate with a quorum of signatures, once it is there. */
  join(proposal: Hash, called: Certificate): SignedCertificate | undefined {
    return joinShares(this.fitting(proposal, [called]), this.#signers.quorumOf(called.epoch));
  }

  /** How far a certificate has come, with shares from elsewhere that are known to be true. */
  gathered(proposal: Hash, called: Certificate, recorded: readonly CertificateShare[]): GatheredCertificate {
    const text = canonicalText(called);
    const quorum = this.#signers.quorumOf(called.epoch);
    const shares = [...recorded, ...this.of(proposal)].filter((share) => canonicalText(share.certificate) === text);
    return {
      certificate: called,
      signatures: new Set(shares.map(({ key }) => key)).size,
      quorum,
      signed: joinShares(shares, quorum),
    };
  }

  /** The shares of these certificates, and of nothing else that organisations may have signed. */
  fitting(proposal: Hash, called: readonly Certificate[]): CertificateShare[] {
    const texts = new Set(called.map(canonicalText));
    return this.of(proposal).filter((share) => texts.has(canonicalText(share.certificate)));
  }

  /** Resolves when further shares of the settlement have come or the signal fires. */
  change(proposal: Hash, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(proposal) ?? new Set();
      const wake = (): void => {
        waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      if (signal.aborted) return resolve();
      waiters.add(wake);
      this.#waiters.set(proposal, waiters);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  forget(proposal: Hash): void {
    for (const wake of this.#waiters.get(proposal) ?? []) wake();
    this.#waiters.delete(proposal);
    this.#shares.delete(proposal);
    this.#early.delete(proposal);
  }

  #isNew(known: readonly CertificateShare[], share: CertificateShare): boolean {
    const { epoch } = share.certificate;
    if (!this.#signers.counts(epoch, share.key) || known.some((other) => sameShare(other, share))) return false;
    return verifyShare(this.#verify, share);
  }

  /** What comes for a settlement that has ended, or never was, must not stay for ever. */
  #keepEarly(proposal: Hash): void {
    this.#early.add(proposal);
    if (this.#early.size <= MAXIMUM_EARLY) return;
    const [oldest] = this.#early;
    if (oldest === undefined) return;
    this.#early.delete(oldest);
    if (this.#settlementOf(oldest) === undefined) this.#shares.delete(oldest);
  }
}

/** The certificate of a kind among those that a settlement calls for: of the given epoch, or of the latest where there is none of that. */
export function calledFor(
  certificates: readonly Certificate[],
  kind: CertificateKind,
  epoch: number,
): Certificate | undefined {
  const ofKind = certificates.filter((certificate) => certificate.kind === kind);
  return ofKind.find((certificate) => certificate.epoch === epoch) ?? ofKind.at(-1);
}

function makeRoom(shares: CertificateShare[], key: CertificateKey): void {
  if (shares.filter((share) => share.key === key).length < MAXIMUM_SHARES_OF_KEY) return;
  const oldest = shares.findIndex((share) => share.key === key);
  shares.splice(oldest, 1);
}

function sameShare(a: CertificateShare, b: CertificateShare): boolean {
  return a.key === b.key && a.block === b.block && a.signature === b.signature && a.path.index === b.path.index;
}
