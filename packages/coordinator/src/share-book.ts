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

/** Shares that are kept for one settlement at most: every organisation, every kind, and room for a few that prove wrong. */
const MAXIMUM_SHARES = 160;

/**
 * Certificate shares of open settlements. A share counts only once this organisation's own node calls for the same certificate, so a share
 * that came before its block waits here.
 */
export class ShareBook {
  readonly #verify: Verify;
  readonly #keys: ReadonlySet<CertificateKey>;
  readonly #quorum: number;
  readonly #shares = new Map<Hash, CertificateShare[]>();
  readonly #waiters = new Map<Hash, Set<() => void>>();

  constructor(verify: Verify, keys: readonly CertificateKey[], quorum: number) {
    this.#verify = verify;
    this.#keys = new Set(keys);
    this.#quorum = quorum;
  }

  /** Keeps the shares that prove themselves; answers how many were new. */
  add(proposal: Hash, shares: readonly CertificateShare[]): number {
    const known = this.#shares.get(proposal) ?? [];
    const before = known.length;
    for (const share of shares) {
      if (known.length >= MAXIMUM_SHARES || !this.#keys.has(share.key) || known.some((other) => sameShare(other, share))) continue;
      if (verifyShare(this.#verify, share)) known.push(share);
    }
    if (known.length === before) return 0;
    this.#shares.set(proposal, known);
    for (const wake of this.#waiters.get(proposal) ?? []) wake();
    return known.length - before;
  }

  of(proposal: Hash, key?: CertificateKey): readonly CertificateShare[] {
    const shares = this.#shares.get(proposal) ?? [];
    return key === undefined ? shares : shares.filter((share) => share.key === key);
  }

  /** The certificate with a quorum of signatures, once it is there. */
  join(proposal: Hash, called: Certificate): SignedCertificate | undefined {
    const text = canonicalJson(called);
    const fitting = this.of(proposal).filter((share) => canonicalJson(share.certificate) === text);
    return joinShares(fitting, this.#quorum);
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
  }
}

/** The certificate of a kind among those that a settlement calls for. */
export function calledFor(certificates: readonly Certificate[], kind: CertificateKind): Certificate | undefined {
  return certificates.find((certificate) => certificate.kind === kind);
}

function sameShare(a: CertificateShare, b: CertificateShare): boolean {
  return a.key === b.key && a.block === b.block && a.signature === b.signature && a.path.index === b.path.index;
}
