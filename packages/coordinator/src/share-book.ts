import {
  canonicalJson,
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

/** Shares of one key that are kept for one settlement: one of every kind, and room for a few that prove wrong. One signer fills its own room only. */
const MAXIMUM_SHARES_OF_KEY = 8;
/** Settlements that this node does not show as open and whose shares are kept all the same; the oldest make way. */
const MAXIMUM_EARLY = 10_000;

/**
 * Certificate shares of open settlements. A share counts only once this organisation's own node calls for the same certificate, so a share
 * that came before its block waits here.
 */
export class ShareBook {
  readonly #verify: Verify;
  readonly #keys: ReadonlySet<CertificateKey>;
  readonly #quorum: number;
  readonly #isOpen: (proposal: Hash) => boolean;
  readonly #shares = new Map<Hash, CertificateShare[]>();
  readonly #early = new Set<Hash>();
  readonly #waiters = new Map<Hash, Set<() => void>>();

  constructor(
    verify: Verify,
    keys: readonly CertificateKey[],
    quorum: number,
    isOpen: (proposal: Hash) => boolean = () => true,
  ) {
    this.#verify = verify;
    this.#keys = new Set(keys);
    this.#quorum = quorum;
    this.#isOpen = isOpen;
  }

  /** Keeps the shares that prove themselves; answers how many were new. */
  add(proposal: Hash, shares: readonly CertificateShare[]): number {
    const known = this.#shares.get(proposal) ?? [];
    const before = known.length;
    for (const share of shares) if (this.#isNew(known, share)) known.push(share);
    if (known.length === before) return 0;
    this.#shares.set(proposal, known);
    if (!this.#isOpen(proposal)) this.#keepEarly(proposal);
    for (const wake of this.#waiters.get(proposal) ?? []) wake();
    return known.length - before;
  }

  of(proposal: Hash, key?: CertificateKey): readonly CertificateShare[] {
    const shares = this.#shares.get(proposal) ?? [];
    return key === undefined ? shares : shares.filter((share) => share.key === key);
  }

  /** The certificate with a quorum of signatures, once it is there. */
  join(proposal: Hash, called: Certificate): SignedCertificate | undefined {
    return joinShares(this.fitting(proposal, [called]), this.#quorum);
  }

  /** The shares of these certificates, and of nothing else that organisations may have signed. */
  fitting(proposal: Hash, called: readonly Certificate[]): CertificateShare[] {
    const texts = new Set(called.map((certificate) => canonicalJson(certificate)));
    return this.of(proposal).filter((share) => texts.has(canonicalJson(share.certificate)));
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
    if (!this.#keys.has(share.key) || known.some((other) => sameShare(other, share))) return false;
    if (known.filter((other) => other.key === share.key).length >= MAXIMUM_SHARES_OF_KEY) return false;
    return verifyShare(this.#verify, share);
  }

  /** What comes for a settlement that has ended, or never was, must not stay for ever. */
  #keepEarly(proposal: Hash): void {
    this.#early.add(proposal);
    if (this.#early.size <= MAXIMUM_EARLY) return;
    const [oldest] = this.#early;
    if (oldest === undefined) return;
    this.#early.delete(oldest);
    if (!this.#isOpen(oldest)) this.#shares.delete(oldest);
  }
}

/** The certificate of a kind among those that a settlement calls for. */
export function calledFor(certificates: readonly Certificate[], kind: CertificateKind): Certificate | undefined {
  return certificates.find((certificate) => certificate.kind === kind);
}

function sameShare(a: CertificateShare, b: CertificateShare): boolean {
  return a.key === b.key && a.block === b.block && a.signature === b.signature && a.path.index === b.path.index;
}
